import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { managedRoutePriority } from '../model/route.ts';
import { ann, contentOf, type ControlFixture, errorOf, openControl } from './control-fixture.ts';
import { createRoute, deleteRoute, getRoute, updateRoute } from './routes.ts';
import { syncManaged } from './sync-managed.ts';
import { createUpstream, deleteUpstream, getUpstream, updateUpstream } from './upstreams.ts';

let control: ControlFixture;

beforeEach(async () => {
  control = await openControl();
});

afterEach(async () => await control.close());

const settings = { url: 'http://10.0.0.1:9000/v1', public: false };

test('the pair is made from the settings, takes every path, and comes last', async () => {
  await syncManaged(control.context, settings);
  const upstream = await getUpstream(control.context, 'default');
  const route = await getRoute(control.context, 'default');
  assert.deepEqual([upstream.base_url, upstream.managed, upstream.timeout_ms], [settings.url, true, 30_000]);
  assert.deepEqual(
    [route.upstream_id, route.managed, route.path_pattern, route.match_type, route.methods, route.auth_required],
    [upstream.id, true, '/', 'prefix', [], true],
  );
  assert.equal(route.priority, managedRoutePriority);
  assert.equal(route.protocol, 'websocket', 'it takes every request, upgrades too');
  await createRoute(control.context, ann, { name: 'last', path_pattern: '/', upstream_id: 'default', priority: -1_000_000 });
  assert.ok((await getRoute(control.context, 'last')).priority > route.priority);
  assert.equal((await control.audit()).at(-1)?.actor_kind, 'system');
});

test('the same settings at the next start change nothing; other settings keep the ids', async () => {
  await syncManaged(control.context, settings);
  const before = await contentOf(control.store);
  const [upstream, route] = [await getUpstream(control.context, 'default'), await getRoute(control.context, 'default')];
  await syncManaged(control.context, settings);
  assert.equal(await contentOf(control.store), before);

  const { revision } = await syncManaged(control.context, { url: 'http://b', public: true });
  assert.equal(revision, 2);
  const changed = await getUpstream(control.context, 'default');
  assert.deepEqual([changed.id, changed.base_url, changed.created_at], [upstream.id, 'http://b', upstream.created_at]);
  const changedRoute = await getRoute(control.context, 'default');
  assert.deepEqual([changedRoute.id, changedRoute.auth_required], [route.id, false]);
});

test('the pair is removed when the setting is gone, and nothing else is', async () => {
  await createUpstream(control.context, ann, { name: 'mine', base_url: 'http://a' });
  await syncManaged(control.context, settings);
  await syncManaged(control.context, null);
  await errorOf(getUpstream(control.context, 'default'), 'not_found');
  await errorOf(getRoute(control.context, 'default'), 'not_found');
  await getUpstream(control.context, 'mine');
  const before = await contentOf(control.store);
  await syncManaged(control.context, null);
  assert.equal(await contentOf(control.store), before);
});

test("a user's own object of that name stops the start, says which, and stays", async () => {
  await createUpstream(control.context, ann, { name: 'default', base_url: 'http://a' });
  const upstreamError = await errorOf(syncManaged(control.context, settings), 'conflict');
  assert.match(upstreamError.message, /--upstream.*"default".*your own upstream has it. Rename/);
  await syncManaged(control.context, null);
  await getUpstream(control.context, 'default');

  await updateUpstream(control.context, ann, 'default', { name: 'mine' });
  await createRoute(control.context, ann, { name: 'default', path_pattern: '/', upstream_id: 'mine' });
  const routeError = await errorOf(syncManaged(control.context, settings), 'conflict');
  assert.match(routeError.message, /your own route/);
  await errorOf(getUpstream(control.context, 'default'), 'not_found');
});

test('the pair can be changed by nothing but the settings', async () => {
  await syncManaged(control.context, settings);
  const attempts = [
    updateUpstream(control.context, ann, 'default', { timeout_ms: 5 }),
    deleteUpstream(control.context, ann, 'default', { cascade: true }),
    updateRoute(control.context, ann, 'default', { auth_required: false }),
    deleteRoute(control.context, ann, 'default'),
  ];
  for (const attempt of attempts) assert.match((await errorOf(attempt, 'conflict')).message, /managed.*--upstream/);
});

test('routes that use the managed upstream hold its removal, and are named', async () => {
  await syncManaged(control.context, settings);
  await createRoute(control.context, ann, { name: 'special', path_pattern: '/special', upstream_id: 'default' });
  const error = await errorOf(syncManaged(control.context, null), 'conflict');
  assert.match(error.message, /"default" is used by the route "special".*--upstream/);
  await getRoute(control.context, 'default');
});

test('a URL that no upstream could have stops the start with the reason', async () => {
  control.ownListeners.push({ host: '0.0.0.0', port: 8080 });
  for (const [url, reason] of [
    ['localhost:9000', /must start with http/],
    ['http://169.254.169.254', /link-local/],
    ['http://localhost:8080', /back to this gateway/],
  ] as const) {
    const error = await errorOf(syncManaged(control.context, { url, public: false }), 'validation_failed');
    assert.match(error.message, /--upstream \(APIGATE_UPSTREAM_URL\)/);
    assert.match(error.message, reason);
  }
});
