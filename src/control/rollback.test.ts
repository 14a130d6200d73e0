// Over 300 lines: what a rollback brings back and what it never does, one promise after the other.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { PlannedChange } from '../model/declared-config.ts';
import type { RollbackResult } from '../model/history.ts';
import { createApiKey, deleteApiKey, getApiKey, recordKeyUsage, revokeApiKey, updateApiKey } from './api-keys.ts';
import { applyGatewayConfig } from './apply-gateway-config.ts';
import { ann, contentOf, type ControlFixture, errorOf, newSealer, openControl } from './control-fixture.ts';
import { exportGatewayConfig } from './export-gateway-config.ts';
import { rollBack, type RollbackOptions } from './rollback.ts';
import { createRoute, deleteRoute, getRoute, updateRoute } from './routes.ts';
import { syncManaged } from './sync-managed.ts';
import { createUpstream, deleteUpstream, getUpstream, updateUpstream } from './upstreams.ts';

let control: ControlFixture;

beforeEach(async () => {
  control = await openControl();
});

afterEach(() => control.close());

async function rollback(to: number, options: RollbackOptions = {}): Promise<RollbackResult> {
  return (await rollBack(control.context, ann, String(to), options)).value;
}

async function revision(): Promise<number> {
  return await control.store.read((tx) => tx.revision());
}

async function exported() {
  return (await exportGatewayConfig(control.context)).value;
}

/** `create route r`, … */
function told(changes: readonly PlannedChange[]): string[] {
  return changes.map(({ action, type, name }) => `${action} ${type} ${name}`);
}

function warned({ warnings }: RollbackResult): string[] {
  return warnings.map(({ field, message }) => `${field}: ${message}`);
}

const api = { name: 'api', base_url: 'https://api.example.com', auth_type: 'bearer', auth_value: 'old-secret' };

describe('what comes back', () => {
  test('all that was changed, made and removed since: in one revision, one publish, ids and credentials included', async () => {
    await applyGatewayConfig(control.context, ann, {
      upstreams: [api, { name: 'gone', base_url: 'http://10.0.0.1', auth_type: 'basic', auth_value: 'user:pass' }],
      routes: [
        { name: 'a', path_pattern: '/a', upstream: 'api', methods: ['GET'], headers: { 'X-Version': '2' } },
        { name: 'b', path_pattern: '/b', upstream: 'gone', host_pattern: '*.example.com' },
      ],
      keys: [{ name: 'k', routes: ['b'], rate_limit_per_minute: 5 }],
    });
    const then = await exported();
    const ids = [(await getUpstream(control.context, 'gone')).id, (await getRoute(control.context, 'b')).id];
    const to = await revision();

    await updateUpstream(control.context, ann, 'api', { base_url: 'https://other.example.com', auth_value: 'new-secret' });
    await deleteUpstream(control.context, ann, 'gone', { cascade: true });
    await createUpstream(control.context, ann, { name: 'new', base_url: 'http://10.0.0.2' });
    await createRoute(control.context, ann, { name: 'c', path_pattern: '/c', upstream_id: 'new' });
    await updateRoute(control.context, ann, 'a', { methods: [], upstream_id: 'new' });
    await updateApiKey(control.context, ann, 'k', { rate_limit_per_minute: null });

    const before = await revision();
    const publishes = control.workers.changes.length;
    const result = await rollback(to);
    assert.deepEqual(told(result.changes), [
      'update upstream api',
      'create upstream gone',
      'update route a',
      'create route b',
      'update key k',
      'delete route c',
      'delete upstream new',
    ]);
    assert.deepEqual(result.warnings, []);
    assert.deepEqual([result.dry_run, result.rollback_to, result.revision], [false, to, before + 1]);
    assert.equal(await revision(), before + 1);
    assert.equal(control.workers.changes.length, publishes + 1);
    assert.deepEqual(await exported(), then);
    assert.deepEqual([(await getUpstream(control.context, 'gone')).id, (await getRoute(control.context, 'b')).id], ids);
    assert.deepEqual(control.workers.upstreamNamed('api').credential, { kind: 'value', value: 'old-secret' });
    assert.deepEqual(control.workers.upstreamNamed('gone').credential, { kind: 'value', value: 'user:pass' });
    assert.equal(
      [...control.workers.routes.values()].some(({ name }) => name === 'c'),
      false,
    );
    assert.deepEqual(result.changes[0]?.fields, {
      base_url: { from: 'https://other.example.com', to: 'https://api.example.com' },
      auth_value: { from: '(stored)', to: '(changed)' },
    });
    assert.doesNotMatch(JSON.stringify([result, await control.audit()]), /secret|user:pass/);
  });

  test('routes and keys go back to the very upstreams and routes of then, where others have their names by now', async () => {
    const then = await createUpstream(control.context, ann, { ...api, name: 'taken' });
    await createUpstream(control.context, ann, { name: 'spare', base_url: 'http://10.0.0.2' });
    await createRoute(control.context, ann, { name: 'a', path_pattern: '/a', upstream_id: 'taken' });
    const old = await createRoute(control.context, ann, { name: 'r', path_pattern: '/r', upstream_id: 'spare' });
    const key = await createApiKey(control.context, ann, { name: 'k', routes: ['r'] });
    const to = await revision();

    await updateRoute(control.context, ann, 'a', { upstream_id: 'spare' });
    await deleteUpstream(control.context, ann, 'taken');
    await createUpstream(control.context, ann, { name: 'taken', base_url: 'http://10.0.0.3' });
    await updateRoute(control.context, ann, 'a', { upstream_id: 'taken' });
    await deleteRoute(control.context, ann, 'r');
    await createRoute(control.context, ann, { name: 'r', path_pattern: '/r', upstream_id: 'spare' });
    await updateApiKey(control.context, ann, 'k', { routes: ['r'] });

    const result = await rollback(to);
    assert.deepEqual(told(result.changes), [
      'create upstream taken',
      'update route a',
      'create route r',
      'update key k',
      'delete route r',
      'delete upstream taken',
    ]);
    const change = result.changes.find(({ name }) => name === 'a');
    assert.deepEqual(change?.fields['upstream']?.to, `taken (${then.value.id})`);
    assert.equal((await getRoute(control.context, 'a')).upstream_id, then.value.id);
    assert.deepEqual((await getApiKey(control.context, key.value.id)).routes, [old.value.id]);
    assert.deepEqual((await rollback(to)).changes, []);
  });

  test('and to and fro, to nothing and back, and to what is there already, which makes no revision', async () => {
    await createUpstream(control.context, ann, api);
    await createRoute(control.context, ann, { name: 'a', path_pattern: '/a', upstream_id: 'api' });
    await updateUpstream(control.context, ann, 'api', { auth_value: 'new-secret', name: 'renamed' });
    const [second, third] = [await stateAt(2), await stateAt(3)];
    assert.equal((await rollback(2)).revision, 4);
    assert.equal(await stateAt(4), second);
    assert.deepEqual(told((await rollback(0)).changes), ['delete route a', 'delete upstream api']);
    assert.deepEqual(await exported(), { version: 1, upstreams: [], routes: [], keys: [] });
    await rollback(3);
    assert.equal(await stateAt(6), third);
    assert.deepEqual(control.workers.upstreamNamed('renamed').credential, { kind: 'value', value: 'new-secret' });
    for (const same of [3, 6]) assert.deepEqual([(await rollback(same)).changes, await revision()], [[], 6]);
  });

  async function stateAt(at: number): Promise<string> {
    assert.equal((await revision()) >= at, true);
    const rows = await control.store.read((tx) => tx.history.at(at));
    const shown = [...rows.upstreams, ...rows.routes].map(({ revision: _revision, updated_at: _at, ...row }) => ({
      ...row,
      auth_value_sealed: 'auth_value_sealed' in row && row.auth_value_sealed !== null,
      auth_value_updated_at: 0,
    }));
    return JSON.stringify(shown.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
  }

  test('a credential that was the same all along keeps the time at which it was set; one that comes back gets a new one', async () => {
    await createUpstream(control.context, ann, api);
    control.clock.now += 1000;
    await updateUpstream(control.context, ann, 'api', { timeout_ms: 1 });
    const set = (await getUpstream(control.context, 'api')).auth_value_updated_at;
    control.clock.now += 1000;
    assert.deepEqual(Object.keys((await rollback(1)).changes[0]?.fields ?? {}), ['timeout_ms']);
    assert.equal((await getUpstream(control.context, 'api')).auth_value_updated_at, set);
    await updateUpstream(control.context, ann, 'api', { auth_value: 'new-secret' });
    control.clock.now += 1000;
    await rollback(1);
    assert.equal((await getUpstream(control.context, 'api')).auth_value_updated_at, new Date(control.clock.now).toISOString());
    await updateUpstream(control.context, ann, 'api', { auth_value: null });
    await rollback(1);
    assert.deepEqual(control.workers.upstreamNamed('api').credential, { kind: 'value', value: 'old-secret' });
    await rollback(6);
    const cleared = await getUpstream(control.context, 'api');
    assert.deepEqual([cleared.auth_value_set, cleared.auth_value_updated_at], [false, null]);
  });

  test('a reference comes back as it was, with a warning where it leads nowhere', async () => {
    await createUpstream(control.context, ann, { ...api, auth_value: '${env.GONE}' });
    await updateUpstream(control.context, ann, 'api', { auth_value: 'literal' });
    const result = await rollback(1);
    assert.deepEqual(result.changes[0]?.fields['auth_value'], { from: '(stored)', to: '${env.GONE}' });
    assert.match(warned(result).join(), /^upstreams\.api: .*503 until its credential is available: .*GONE is not set/);
  });

  test('names that changed hands since change back', async () => {
    for (const name of ['one', 'two', 'three'])
      await createUpstream(control.context, ann, { name, base_url: `http://${name}.example.com` });
    await createRoute(control.context, ann, { name: 'r', path_pattern: '/r', upstream_id: 'one' });
    const then = await exported();
    await updateUpstream(control.context, ann, 'one', { name: 'kept' });
    await updateUpstream(control.context, ann, 'two', { name: 'one' });
    await updateUpstream(control.context, ann, 'kept', { name: 'two' });
    await deleteUpstream(control.context, ann, 'three');
    await createUpstream(control.context, ann, { name: 'three', base_url: 'http://new.example.com' });
    const result = await rollback(4);
    assert.deepEqual(told(result.changes), [
      'update upstream one',
      'create upstream three',
      'update upstream two',
      'delete upstream three',
    ]);
    assert.deepEqual(await exported(), then);
  });
});

describe('API keys', () => {
  test('definitions go back; what was revoked, has expired or was deleted since stays so, with a note', async () => {
    for (const name of ['plain', 'revoked', 'expired', 'deleted']) await createApiKey(control.context, ann, { name });
    const to = await revision();
    const soon = new Date(control.clock.now + 1000).toISOString();
    await updateApiKey(control.context, ann, 'plain', { name: 'renamed', rate_limit_per_minute: 7 });
    await updateApiKey(control.context, ann, 'revoked', { rate_limit_per_minute: 7 });
    await revokeApiKey(control.context, ann, 'revoked');
    await updateApiKey(control.context, ann, 'expired', { expires_at: soon });
    await deleteApiKey(control.context, ann, 'deleted');
    control.clock.now += 2000;
    const before = await getApiKey(control.context, 'renamed');
    await recordKeyUsage(control.context, new Map([[before.id, control.clock.now]]));

    const result = await rollback(to);
    assert.deepEqual(told(result.changes), ['update key plain', 'update key revoked']);
    assert.deepEqual(warned(result).toSorted(), [
      'keys.deleted: was deleted since and does not come back: create a new key',
      'keys.expired: has expired since and stays so; set expires_at to open it again',
      'keys.revoked: was revoked since and stays so',
    ]);
    const plain = await getApiKey(control.context, 'plain');
    assert.deepEqual(plain, {
      ...before,
      name: 'plain',
      rate_limit_per_minute: null,
      last_used_at: new Date(control.clock.now).toISOString(),
    });
    const revoked = await getApiKey(control.context, 'revoked');
    assert.deepEqual([revoked.rate_limit_per_minute, revoked.revoked_at !== null], [null, true]);
    assert.equal((await getApiKey(control.context, 'expired')).expires_at, soon);
    await errorOf(getApiKey(control.context, 'deleted'), 'not_found');
    for (const { name, revoked: isRevoked, hash } of control.workers.keys.values()) {
      assert.equal(isRevoked, name === 'revoked');
      assert.match(hash, /^[0-9a-f]{64}$/);
    }
  });

  test('those made since go, unless they are to be kept; those revoked stay, to say so', async () => {
    await createUpstream(control.context, ann, { name: 'u', base_url: 'http://10.0.0.1' });
    const to = await revision();
    await updateUpstream(control.context, ann, 'u', { timeout_ms: 5 });
    for (const name of ['made', 'shut']) await createApiKey(control.context, ann, { name });
    await revokeApiKey(control.context, ann, 'shut');
    assert.deepEqual(told((await rollback(to, { dryRun: true })).changes), ['update upstream u', 'delete key made']);
    assert.deepEqual(told((await rollback(to, { keepKeys: true })).changes), ['update upstream u']);
    assert.deepEqual(told((await rollback(to)).changes), ['delete key made']);
    assert.notEqual((await getApiKey(control.context, 'shut')).revoked_at, null);
  });

  test('a revoked key gives way to the one that had its name', async () => {
    const { value } = await createApiKey(control.context, ann, { name: 'app' });
    await updateApiKey(control.context, ann, 'app', { name: 'app-old' });
    await createApiKey(control.context, ann, { name: 'app' });
    await revokeApiKey(control.context, ann, 'app');
    assert.deepEqual(told((await rollback(1)).changes), ['update key app', 'delete key app']);
    assert.deepEqual([(await getApiKey(control.context, 'app')).id, control.workers.keys.size], [value.id, 1]);
  });

  test('a key that was limited to a route that was deleted stays limited to it', async () => {
    await createUpstream(control.context, ann, { name: 'u', base_url: 'http://10.0.0.1' });
    const { value: route } = await createRoute(control.context, ann, { name: 'r', path_pattern: '/r', upstream_id: 'u' });
    await createApiKey(control.context, ann, { name: 'k', routes: ['r'] });
    await deleteRoute(control.context, ann, 'r');
    await updateApiKey(control.context, ann, 'k', { rate_limit_per_minute: 3 });
    await rollback(4);
    assert.deepEqual((await getApiKey(control.context, 'k')).routes, [route.id]);
  });
});

describe('secrets', () => {
  test('one that cannot be opened comes back as unavailable, with a warning; it is not dropped', async () => {
    await createUpstream(control.context, ann, api);
    await createUpstream(control.context, ann, { ...api, name: 'untouched' });
    const store = control.store;
    // Another key, as after a lost key file.
    const other = await openControl({ store, sealer: newSealer() });
    await updateUpstream(other.context, ann, 'api', { auth_value: 'new-secret' });
    const { value: result } = await rollBack(other.context, ann, '2');
    assert.deepEqual(told(result.changes), ['update upstream api']);
    assert.match(warned(result).join(), /^upstreams\.api: .*unavailable.*503 until auth_value is set again: it is sealed with secret key/);
    const { credential } = other.workers.upstreamNamed('api');
    assert.equal(credential.kind, 'unavailable');
    assert.equal((await getUpstream(other.context, 'api')).auth_value_set, true);
    // Whoever has the key can still open it.
    const row = await store.read((tx) => tx.upstreams.byName('api'));
    assert.deepEqual((await control.context.credentials.resolve(row!)).credential, { kind: 'value', value: 'old-secret' });
  });
});

describe('managed objects', () => {
  test('stay as they are, and a route that used the managed upstream uses the one of today', async () => {
    await syncManaged(control.context, { url: 'http://10.0.0.1', public: true });
    await createRoute(control.context, ann, { name: 'own', path_pattern: '/own', upstream_id: 'default' });
    await deleteRoute(control.context, ann, 'own');
    await syncManaged(control.context, null);
    const without = await revision();
    await errorOf(rollback(2), 'conflict').then(({ errors }) => assert.match(errors[0]!.message, /--upstream/));
    assert.equal(await revision(), without);

    await syncManaged(control.context, { url: 'http://10.0.0.2', public: false });
    const now = await getUpstream(control.context, 'default');
    assert.deepEqual(told((await rollback(2)).changes), ['create route own']);
    assert.equal((await getRoute(control.context, 'own')).upstream_id, now.id);
    assert.deepEqual(await getUpstream(control.context, 'default'), now);
    assert.deepEqual(told((await rollback(without)).changes), ['delete route own']);
    assert.deepEqual(await getUpstream(control.context, 'default'), now);
  });

  test("a user's own object whose name a managed one has by now is in the way, and nothing changes", async () => {
    await createUpstream(control.context, ann, { name: 'default', base_url: 'http://10.0.0.1' });
    await createRoute(control.context, ann, { name: 'r', path_pattern: '/r', upstream_id: 'default' });
    await deleteUpstream(control.context, ann, 'default', { cascade: true });
    await syncManaged(control.context, { url: 'http://10.0.0.2', public: true });
    const before = await contentOf(control.store);
    const { errors } = await errorOf(rollback(2), 'conflict');
    assert.deepEqual(
      errors.map(({ field }) => field),
      ['upstreams.default.name'],
    );
    assert.equal(await contentOf(control.store), before);
  });
});

describe('what stands in the way', () => {
  test('changes nothing, and everything is told at once: an own listener, what the compiler refuses', async () => {
    await createUpstream(control.context, ann, { name: 'u', base_url: 'http://127.0.0.1:9999' });
    await createRoute(control.context, ann, { name: 'r', path_pattern: '/r', upstream_id: 'u' });
    await updateUpstream(control.context, ann, 'u', { base_url: 'http://127.0.0.1:9998' });
    await deleteRoute(control.context, ann, 'r');
    const before = await contentOf(control.store);
    control.ownListeners.push({ host: '127.0.0.1', port: 9999 });
    const own = await errorOf(rollback(2), 'conflict');
    assert.deepEqual(
      own.errors.map(({ field }) => field),
      ['upstreams.u.base_url'],
    );
    control.ownListeners.length = 0;
    control.trial.errors.push({ field: 'path_pattern', message: 'is refused' });
    const refused = await errorOf(rollback(2), 'conflict');
    assert.deepEqual(
      refused.errors.map(({ field, message }) => `${field} ${message}`),
      ['upstreams.u.path_pattern is refused', 'routes.r.path_pattern is refused'],
    );
    assert.equal(await contentOf(control.store), before);
    control.trial.errors.length = 0;
    control.trial.warnings.push('is always beaten');
    assert.deepEqual(warned(await rollback(2)), ['routes.r: is always beaten']);
  });

  test('only what changes is tried again', async () => {
    await createUpstream(control.context, ann, { name: 'u', base_url: 'http://127.0.0.1:9999' });
    await createUpstream(control.context, ann, { name: 'v', base_url: 'http://10.0.0.1' });
    await deleteUpstream(control.context, ann, 'v');
    control.ownListeners.push({ host: '127.0.0.1', port: 9999 });
    assert.deepEqual(told((await rollback(2)).changes), ['create upstream v']);
  });

  test('unknown and forgotten revisions are told apart, and a dry run and an expected revision change nothing', async () => {
    await createUpstream(control.context, ann, api);
    await updateUpstream(control.context, ann, 'api', { timeout_ms: 5 });
    assert.match((await errorOf(rollback(9), 'not_found')).message, /no revision 9; the latest is 2/);
    for (const text of ['-1', '1.5', 'x', '', '1e2']) await errorOf(rollBack(control.context, ann, text), 'not_found');
    const before = await contentOf(control.store);
    assert.deepEqual(told((await rollback(0, { dryRun: true })).changes), ['delete upstream api']);
    await errorOf(rollback(1, { expectRevision: 1 }), 'precondition_failed');
    assert.equal(await contentOf(control.store), before);
    assert.equal(control.workers.revision, 2);
    await rollback(1, { expectRevision: 2 });
    await control.store.write((tx) => tx.history.prune({ revisions: 1, rows: 1000, atMost: 100 }));
    assert.match((await errorOf(rollback(1), 'revision_pruned')).message, /oldest one kept is 2/);
  });

  test('of two rollbacks at once each is whole, and the later one holds', async () => {
    for (const name of ['a', 'b']) await createUpstream(control.context, ann, { name, base_url: `http://${name}.example.com` });
    await updateUpstream(control.context, ann, 'a', { timeout_ms: 7 });
    const results = await Promise.all([rollback(1), rollback(2), rollback(1)]);
    const last = results.toSorted((left, right) => left.revision - right.revision).at(-1)!;
    const { changes } = await rollback(last.rollback_to);
    assert.deepEqual(changes, []);
    assert.equal(await revision(), last.revision);
  });
});
