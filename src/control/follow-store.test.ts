import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { ann, type ControlFixture, errorOf, newSealer, openControl } from './control-fixture.ts';
import type { ControlContext } from './control-context.ts';
import { createControlContext } from './create-control-context.ts';
import { type Follower, followStore, waitUntilServed } from './follow-store.ts';
import { createUpstream, updateUpstream } from './upstreams.ts';

let gateway: ControlFixture;
let follower: Follower | undefined;
let cliStore: Store;
let cli: ControlContext;

const minimal = { name: 'my-api', base_url: 'http://a' };
/** Ticks come only when a test asks for them. */
const never = { interval: 3_600_000, fileInterval: 3_600_000 };

beforeEach(async () => {
  const sealer = newSealer();
  gateway = await openControl({ sealer });
  cliStore = await openSqliteStore({ path: gateway.store.path, create: false });
  const { trialCompiler, probeUpstream, previewer, explainer, logger } = gateway.context;
  cli = createControlContext({ store: cliStore, sealer, publisher: null, trialCompiler, probeUpstream, previewer, explainer, logger });
});

afterEach(async () => {
  await follower?.stop();
  follower = undefined;
  await cliStore.close();
  await gateway.close();
});

test('the whole gateway config is published at the start, and that revision is marked as served', async () => {
  const { revision } = await createUpstream(cli, ann, minimal);
  follower = await followStore(gateway.context, never);
  assert.deepEqual(
    gateway.workers.changes.map(({ full, revision: at }) => [full, at]),
    [[true, revision]],
  );
  await gateway.store.claimServing();
  assert.equal(await waitUntilServed(cli, revision, 0), true);
});

test('what another process commits is served within 500 ms, its credentials opened, and that process is told', async () => {
  await gateway.store.claimServing();
  follower = await followStore(gateway.context);
  // A busy machine may be late, but not each time.
  const times: number[] = [];
  do {
    const started = performance.now();
    const name = times.length === 0 ? 'my-api' : `again-${times.length}`;
    const { revision } = await createUpstream(cli, ann, { ...minimal, name, auth_type: 'bearer', auth_value: 'token' });
    assert.equal(await waitUntilServed(cli, revision, 10_000), true);
    times.push(performance.now() - started);
  } while (times.length < 5 && Math.min(...times) >= 500);
  assert.ok(Math.min(...times) < 500, `${times.join()} ms`);
  assert.deepEqual(gateway.workers.upstreamNamed('my-api').credential, { kind: 'value', value: 'token' });
});

test('a process that waits is told even when its change went out with one of the gateway', async () => {
  await gateway.store.claimServing();
  follower = await followStore(gateway.context, never);
  const { revision } = await createUpstream(cli, ann, minimal);
  await createUpstream(gateway.context, ann, { ...minimal, name: 'other' });
  assert.equal(gateway.workers.upstreams.size, 2);
  await follower.look();
  assert.equal(await waitUntilServed(cli, revision, 0), true);
});

test('when no gateway runs, nobody waits', async () => {
  const { revision } = await createUpstream(cli, ann, minimal);
  const started = performance.now();
  assert.equal(await waitUntilServed(cli, revision, 10_000), true);
  assert.ok(performance.now() - started < 5_000);
});

test('when a gateway runs but does not follow, the wait ends and says so', async () => {
  await gateway.store.claimServing();
  const { revision } = await createUpstream(cli, ann, minimal);
  assert.equal(await waitUntilServed(cli, revision, 100), false);
});

test('in the process of the gateway, waiting means publishing', async () => {
  const { revision } = await createUpstream(cli, ann, minimal);
  assert.equal(await waitUntilServed(gateway.context, revision, 0), true);
  assert.equal(gateway.workers.revision, revision);
});

test('looking when nothing was committed publishes and writes nothing', async () => {
  await createUpstream(cli, ann, minimal);
  follower = await followStore(gateway.context, never);
  await follower.look();
  const before = await gateway.store.dataVersion();
  const publishes = gateway.workers.changes.length;
  for (let look = 0; look < 5; look += 1) await follower.look();
  assert.equal(await gateway.store.dataVersion(), before);
  assert.equal(gateway.workers.changes.length, publishes);
});

test('a failed publish is tried again at the next look', async () => {
  follower = await followStore(gateway.context, never);
  await createUpstream(cli, ann, minimal);
  gateway.workers.failure = new Error('a worker hangs');
  await follower.look();
  gateway.workers.failure = undefined;
  await follower.look();
  assert.equal(gateway.workers.upstreams.size, 1);
});

test('a store that is gone is reported once and followed again when it is back', async () => {
  follower = await followStore(gateway.context, never);
  const { path } = gateway.store;
  renameSync(path, `${path}.away`);
  for (let look = 0; look < 3; look += 1) await follower.look();
  renameSync(`${path}.away`, path);
  await createUpstream(cli, ann, minimal);
  await follower.look();
  assert.deepEqual(
    gateway.logged.map(({ level }) => level),
    ['error', 'info'],
  );
  assert.match(gateway.logged[0]?.message ?? '', /traffic goes on/);
  assert.equal(gateway.workers.upstreams.size, 1);
});

test('credential files are looked at while following', async () => {
  const path = join(dirname(gateway.store.path), 'token');
  writeFileSync(path, 'first');
  follower = await followStore(gateway.context, never);
  await createUpstream(gateway.context, ann, { ...minimal, auth_type: 'bearer', auth_value: `\${file:${path}}` });
  writeFileSync(path, 'second');
  await follower.look();
  assert.deepEqual(gateway.workers.upstreamNamed('my-api').credential, { kind: 'value', value: 'second' });
});

test('a database that went back to an earlier revision is published whole', async () => {
  follower = await followStore(gateway.context, never);
  await createUpstream(gateway.context, ann, minimal);
  await createUpstream(gateway.context, ann, { ...minimal, name: 'other' });
  await cliStore.write(async (tx) => {
    const other = await tx.upstreams.byName('other');
    await tx.upstreams.remove(other!.id, 1);
  });
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(gateway.store.path);
  database.exec('UPDATE gateway_state SET revision = 1');
  database.close();
  await follower.look();
  assert.deepEqual([gateway.workers.revision, gateway.workers.upstreams.size, gateway.workers.changes.at(-1)?.full], [1, 1, true]);
  await updateUpstream(cli, ann, 'my-api', { timeout_ms: 5 });
  await follower.look();
  assert.equal(gateway.workers.upstreamNamed('my-api').timeout_ms, 5);
});

test('a gateway whose first publish fails does not start', async () => {
  gateway.workers.failure = new Error('no worker started');
  await errorOf(followStore(gateway.context, never), 'publish_failed');
});
