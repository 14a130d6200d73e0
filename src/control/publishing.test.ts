import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ann, type ControlFixture, errorOf, openControl } from './control-fixture.ts';
import { loadGatewayConfigChange } from './load-change.ts';
import { createRoute } from './routes.ts';
import { createUpstream, deleteUpstream, getUpstream, updateUpstream } from './upstreams.ts';

let control: ControlFixture;

beforeEach(async () => {
  control = await openControl();
});

afterEach(async () => await control.close());

const minimal = { name: 'my-api', base_url: 'http://a' };

test('a publish carries only what changed since the last', async () => {
  const one = await createUpstream(control.context, ann, { ...minimal, name: 'one' });
  const two = await createUpstream(control.context, ann, { ...minimal, name: 'two' });
  await createRoute(control.context, ann, { name: 'r', path_pattern: '/', upstream_id: 'one' });
  await deleteUpstream(control.context, ann, 'two');
  const shape = control.workers.changes.map((change) => [
    change.full,
    change.upstreams.map(({ name }) => name),
    change.routes.length,
    change.removed,
  ]);
  assert.deepEqual(shape, [
    [true, ['one'], 0, []],
    [false, ['two'], 0, []],
    [false, [], 1, []],
    [false, [], 0, [two.value.id]],
  ]);
  const full = await loadGatewayConfigChange(control.context, null);
  assert.deepEqual(
    [full.full, full.revision, full.upstreams.map(({ id }) => id), full.routes.length, full.removed],
    [true, 4, [one.value.id], 1, []],
  );
});

test('writes that are committed while a publish is on its way share the next, and each answers when it is served', async () => {
  await createUpstream(control.context, ann, minimal);
  const hold = Promise.withResolvers<void>();
  control.workers.held = hold.promise;
  const writes = Array.from({ length: 20 }, async (_, index) => {
    const { revision } = await createUpstream(control.context, ann, { ...minimal, name: `u${index}` });
    assert.ok(control.workers.revision >= revision, `answered for ${revision} at ${control.workers.revision}`);
  });
  while ((await control.store.read(async (tx) => await tx.revision())) < 21) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(control.workers.revision, 1);
  control.workers.held = undefined;
  hold.resolve();
  await Promise.all(writes);
  assert.equal(control.workers.upstreams.size, 21);
  assert.ok(control.workers.changes.length <= 4, `${control.workers.changes.length} publishes`);
});

test('a change that could not be published is stored, says so, and goes out with the next', async () => {
  await createUpstream(control.context, ann, minimal);
  control.workers.failure = new Error('a worker hangs');
  await errorOf(updateUpstream(control.context, ann, 'my-api', { timeout_ms: 5 }), 'publish_failed');
  assert.equal((await getUpstream(control.context, 'my-api')).timeout_ms, 5);
  assert.equal(control.workers.upstreamNamed('my-api').timeout_ms, 30_000);
  control.workers.failure = undefined;
  await createUpstream(control.context, ann, { ...minimal, name: 'other' });
  assert.equal(control.workers.upstreamNamed('my-api').timeout_ms, 5);
});

test('1,000 concurrent updates end in one order for the store and the workers', async () => {
  await createUpstream(control.context, ann, minimal);
  // Held back, so that what is committed meanwhile has one publish to share.
  const half = Promise.withResolvers<void>();
  control.workers.held = half.promise;
  const updates = Promise.all(
    Array.from({ length: 1000 }, async (_, index) => await updateUpstream(control.context, ann, 'my-api', { timeout_ms: index + 1 })),
  );
  while ((await control.store.read((tx) => tx.revision())) < 500) await new Promise((resolve) => setImmediate(resolve));
  half.resolve();
  await updates;
  const stored = await getUpstream(control.context, 'my-api');
  assert.equal(control.workers.upstreamNamed('my-api').timeout_ms, stored.timeout_ms);
  assert.ok(control.workers.changes.length < 600, `${control.workers.changes.length} publishes`);
});

test('a credential file that changes is published again, without a revision and without the store', async () => {
  const path = join(dirname(control.store.path), 'token');
  writeFileSync(path, 'first\n');
  await createUpstream(control.context, ann, { ...minimal, auth_type: 'bearer', auth_value: `\${file:${path}}` });
  await createUpstream(control.context, ann, { ...minimal, name: 'other' });
  assert.deepEqual(control.workers.upstreamNamed('my-api').credential, { kind: 'value', value: 'first' });
  assert.equal(await control.context.publishing.refreshFiles(), 0);

  writeFileSync(path, 'second\n');
  assert.equal(await control.context.publishing.refreshFiles(), 1);
  assert.deepEqual(control.workers.upstreamNamed('my-api').credential, { kind: 'value', value: 'second' });
  assert.deepEqual(
    control.workers.changes.at(-1)?.upstreams.map(({ name }) => name),
    ['my-api'],
  );
  assert.equal(control.workers.revision, 2);
  assert.equal(await control.context.publishing.refreshFiles(), 0);

  await updateUpstream(control.context, ann, 'my-api', { timeout_ms: 5 });
  await control.store.close({ keep: true });
  writeFileSync(path, 'third\r\nX: y');
  assert.equal(await control.context.publishing.refreshFiles(), 1);
  const upstream = control.workers.upstreamNamed('my-api');
  assert.equal(upstream.credential.kind, 'unavailable');
  assert.equal(upstream.timeout_ms, 5);
});

test('a refresh that could not be published is tried again', async () => {
  const path = join(dirname(control.store.path), 'token');
  writeFileSync(path, 'first');
  await createUpstream(control.context, ann, { ...minimal, auth_type: 'bearer', auth_value: `\${file:${path}}` });
  writeFileSync(path, 'second');
  control.workers.failure = new Error('a worker hangs');
  await errorOf(control.context.publishing.refreshFiles(), 'publish_failed');
  control.workers.failure = undefined;
  await control.context.publishing.refreshFiles();
  assert.deepEqual(control.workers.upstreamNamed('my-api').credential, { kind: 'value', value: 'second' });
});

test('when the store is gone, use cases answer storage_unavailable and the workers keep what they serve', async () => {
  await createUpstream(control.context, ann, minimal);
  const { rmSync } = await import('node:fs');
  rmSync(control.store.path);
  await errorOf(createUpstream(control.context, ann, { ...minimal, name: 'other' }), 'storage_unavailable');
  assert.deepEqual(
    [...control.workers.upstreams.values()].map(({ name }) => name),
    ['my-api'],
  );
});
