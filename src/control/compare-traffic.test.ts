import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordedTakers } from '../model/explanation.ts';
import type { RecordedRequest } from '../model/finished-request.ts';
import type { RouteConfig } from '../model/gateway-config.ts';
import { routeDefaults } from '../model/route.ts';
import { compareTraffic, type TrafficSide } from './compare-traffic.ts';

function route(name: string, fields: Partial<RouteConfig> = {}): RouteConfig {
  return {
    ...routeDefaults,
    id: `rt_${name}`,
    name,
    path_pattern: '/',
    upstream_id: 'up_a',
    managed: false,
    auth_required: false,
    ...fields,
  };
}

const upstream = { base_url: 'http://a', enabled: true, preserve_host: false, auth_type: 'none', auth_header: null } as const;

function side(routes: readonly RouteConfig[], fields: { enabled?: boolean; base_url?: string; key?: object | null } = {}): TrafficSide {
  const { key, ...rest } = fields;
  return {
    routes,
    upstream: (id) => ({ name: id, ...upstream, ...rest }),
    key: () => (key === null ? undefined : { routes: [], expires_at: null, revoked: false, ...key }),
  };
}

const request: RecordedRequest = {
  id: 'r1',
  time: '2026-11-26T17:00:00.000Z',
  method: 'GET',
  host: 'a.test',
  path: '/x',
  status: 200,
  outcome: 'ok',
  failed: false,
  code: null,
  fault: null,
  phase: null,
  reason: null,
  hint: null,
  route_id: 'rt_a',
  upstream_id: 'up_a',
  key_id: null,
  client_address: '127.0.0.1',
  attempts: 1,
  duration_ms: 1,
  upstream_ms: 1,
  bytes_in: 0,
  bytes_out: 0,
};

/** Every route of a side takes every request, in their order. */
const takersOf = (routes: readonly RouteConfig[]): RecordedTakers => {
  const sure = routes.findIndex(({ headers }) => headers.length === 0);
  return {
    routes: sure < 0 ? routes : routes.slice(0, sure + 1),
    takesOtherMethods: false,
    preflighted: routes.filter(({ cors }) => cors !== null),
  };
};

async function effect(now: TrafficSide, then: TrafficSide, fields: Partial<RecordedRequest> = {}) {
  const result = await compareTraffic({ takersOf }, [{ ...request, ...fields }], [now, then], 1_000);
  if (result.not_judged === 1) return 'not judged';
  return result.groups[0]?.effect ?? 'unchanged';
}

test('what would become of a request is told by what decides it', async () => {
  const now = side([route('a')]);
  const keyed = [route('a', { auth_required: true })];
  const cases: [string, TrafficSide, TrafficSide, Partial<RecordedRequest>][] = [
    ['unchanged', now, side([route('a')]), {}],
    ['not_found', now, side([]), {}],
    ['served', side([]), now, { route_id: null, code: 'route_not_found', status: 404 }],
    ['moved', now, side([route('b')]), {}],
    ['moved', now, side([route('a', { upstream_id: 'up_b' })]), {}],
    ['altered', now, side([route('a', { path_rewrite: '/y' })]), {}],
    ['altered', now, side([route('a')], { base_url: 'http://b' }), {}],
    ['disabled', now, side([route('a')], { enabled: false }), {}],
    ['upgrade_refused', side([route('a', { protocol: 'websocket' })]), now, { status: 101 }],
    ['key_needed', now, side(keyed), {}],
    ['public', side(keyed), now, { key_id: 'key_1' }],
    ['served', side(keyed), now, { status: 401, code: 'missing_api_key' }],
    ['unchanged', side(keyed), side(keyed), { key_id: 'key_1' }],
    ['unchanged', side(keyed), side([route('b', { auth_required: true })]), { code: 'missing_api_key', status: 401 }],
    ['key_refused', side(keyed), side(keyed, { key: null }), { key_id: 'key_1' }],
    ['key_refused', side(keyed), side(keyed, { key: { revoked: true } }), { key_id: 'key_1' }],
    ['key_refused', side(keyed), side(keyed, { key: { expires_at: 1_000 } }), { key_id: 'key_1' }],
    ['unchanged', side(keyed), side(keyed, { key: { expires_at: 1_001 } }), { key_id: 'key_1' }],
    ['key_refused', side(keyed), side(keyed, { key: { routes: ['rt_other'] } }), { key_id: 'key_1' }],
    // Not for routes to decide.
    ['unchanged', now, side([]), { route_id: null, code: 'request_malformed', status: 400 }],
    ['unchanged', now, side([]), { route_id: null, code: 'method_not_allowed', status: 405, method: 'TRACE' }],
  ];
  for (const [expected, before, after, fields] of cases)
    assert.equal(await effect(before, after, fields), expected, JSON.stringify([before.routes, after.routes, fields]));
});

test('where headers decide, nothing is guessed; but what stays the same stays the same', async () => {
  const condition = { name: 'X-Env', value: 'a', is_regex: false, required: true };
  const conditional = route('canary', { headers: [condition] });
  const now = side([conditional, route('a')]);
  assert.equal(await effect(now, side([conditional, route('b')])), 'not judged');
  assert.equal(await effect(now, side([{ ...conditional, headers: [{ ...condition, value: 'b' }] }, route('a')])), 'not judged');
  assert.equal(await effect(now, side([route('a')])), 'not judged');
  assert.equal(await effect(now, side([conditional, route('a'), route('unreached')])), 'unchanged');
  assert.equal(await effect(now, side([conditional, route('a')], { enabled: false })), 'not judged');
  const cors = { allow_origins: ['*'], allow_methods: [], allow_headers: [], expose_headers: [], allow_credentials: false, max_age: 1 };
  assert.equal(await effect(side([route('a', { cors })]), side([route('b')])), 'not judged');
  assert.equal(await effect(side([route('a')]), side([]), { path: `/${'x'.repeat(2_047)}` }), 'not judged');
});

test('groups are summed, the worst first, with the newest examples; and the numbers add up', async () => {
  const now = side([route('a')]);
  const requests = Array.from({ length: 10 }, (_, at) => ({
    ...request,
    id: `r${at}`,
    path: `/${at}`,
    ...(at < 3 ? { route_id: null, code: 'request_malformed' as const } : {}),
  }));
  const result = await compareTraffic({ takersOf }, requests, [now, side([route('b')])], 0);
  assert.deepEqual([result.requests, result.changed, result.unchanged, result.not_judged, result.left_out], [10, 7, 3, 0, 0]);
  assert.deepEqual(
    result.groups.map(({ effect: name, requests: count, examples }) => [name, count, examples.map(({ path }) => path)]),
    [['moved', 7, ['/3', '/4', '/5']]],
  );
  assert.equal(result.since, request.time);
});
