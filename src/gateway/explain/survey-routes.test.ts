import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RouteConfig } from '../../model/gateway-config.ts';
import { compareRoutes, compileRoute } from '../match/compile-route.ts';
import { preferenceInWords } from '../match/preference.ts';
import { request, route } from '../match/route-fixture.ts';
import { takesHost } from '../match/takes-host.ts';
import { compiledTables } from './compiled-tables.ts';
import { surveyRoutes } from './survey-routes.ts';

const segment = fc.constantFrom('a', 'b', 'users', '{x}');
const path = fc
  .array(segment, { maxLength: 3 })
  .map((parts) => `/${parts.map((part, at) => (part === '{x}' ? `{x${at}}` : part)).join('/')}`);
const fields = fc.record({
  where: fc.oneof(
    { weight: 3, arbitrary: fc.record({ path_pattern: path, match_type: fc.constantFrom('prefix' as const, 'exact' as const) }) },
    fc.record({ path_pattern: fc.constantFrom('^/a', 'b$'), match_type: fc.constant('regex' as const) }),
  ),
  host: fc.constantFrom(
    { host_pattern: '', host_match_type: 'exact' as const },
    { host_pattern: 'a.test', host_match_type: 'exact' as const },
    { host_pattern: '*.a.test', host_match_type: 'wildcard' as const },
    { host_pattern: '[ab]\\.test', host_match_type: 'regex' as const },
  ),
  methods: fc.subarray(['GET', 'POST'], { maxLength: 1 }),
  headers: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    fc.array(fc.record({ name: fc.constant('X-A'), value: fc.constantFrom('1', '2'), is_regex: fc.boolean(), required: fc.boolean() }), {
      maxLength: 2,
    }),
  ),
  priority: fc.constantFrom(0, 0, 1),
  enabled: fc.constantFrom(true, true, true, false),
  managed: fc.constantFrom(false, false, false, true),
});
const asked = fc.record({
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'FOO'),
  host: fc.constantFrom('a.test', 'b.a.test', 'c.test', ''),
  path: fc.array(fc.constantFrom('a', 'b', 'users', 'A'), { maxLength: 3 }).map((parts) => `/${parts.join('/')}`),
  headers: fc.dictionary(fc.constant('x-a'), fc.constantFrom('1', '2', '12')),
});
const runs = process.env['APIGATE_TEST_LONG'] === '1' ? 5_000 : 500;

test('property: every route is told of once, and the reason is why the table passes it over', () => {
  fc.assert(
    fc.property(fc.array(fields, { maxLength: 30 }), fc.array(asked, { minLength: 3, maxLength: 6 }), (list, requests) => {
      const routes = list.map(({ where, host, ...rest }) => route({ ...where, ...host, ...rest }));
      const tables = compiledTables(routes);
      const byId = new Map(routes.map((each) => [each.id as string, each]));
      for (const { method, host, path: requestPath, headers } of requests) {
        const subject = request(method, requestPath, host, headers);
        const winner = tables.enabled.match(subject);
        const { candidates, others } = surveyRoutes(tables, subject, winner, null);
        assert.equal(candidates.length + others.reduce((sum, { count }) => sum + count, 0), routes.length);
        assert.ok(candidates.length <= 20);
        assert.equal(new Set(candidates.map(({ id }) => id)).size, candidates.length);
        assert.deepEqual(
          candidates.filter(({ outcome }) => outcome === 'wins').map(({ id }) => id),
          winner === null ? [] : [winner.id],
        );
        // Taken by itself, with what it is said to lack, a route takes the request or not.
        for (const { id, outcome, detail } of candidates) {
          const each = byId.get(id)!;
          const takes = (fixed: Partial<RouteConfig>, more = subject): boolean =>
            compiledTables([{ ...each, ...fixed }]).enabled.match(more) !== null;
          const anyHost = { host_pattern: '', host_match_type: 'exact' as const };
          const anyPath = { path_pattern: '/', match_type: 'prefix' as const };
          const what = JSON.stringify({ each, subject, outcome, detail });
          switch (outcome) {
            case 'wins':
            case 'beaten':
              assert.ok(takes({}), what);
              break;
            case 'disabled':
              assert.ok(!takes({}) && takes({ enabled: true }), what);
              break;
            case 'method':
              assert.ok(!takes({ headers: [] }) && takes({ methods: [], headers: [] }), what);
              break;
            case 'header':
              assert.ok(!takes({}) && takes({ headers: [] }), what);
              break;
            case 'host':
              assert.ok(!takes({ methods: [], headers: [] }) && takes({ ...anyHost, methods: [], headers: [] }), what);
              break;
            case 'path':
              assert.ok(!takes({ methods: [], headers: [] }) && takes({ ...anyPath, methods: [], headers: [] }), what);
              break;
            case 'host_and_path':
              assert.ok(!takes({ ...anyHost, methods: [], headers: [] }) && !takes({ ...anyPath, methods: [], headers: [] }), what);
              break;
          }
        }
        const fitting = new Set(tables.enabled.fitting(subject));
        const forPath = new Set(tables.enabled.fittingPath(requestPath));
        for (const compiled of tables.enabled.compiled())
          assert.equal(fitting.has(compiled), forPath.has(compiled) && takesHost(compiled, host));
      }
    }),
    { numRuns: runs },
  );
});

test('property: what is said to decide between two routes is what decides', () => {
  const rules: [RegExp, (loser: RouteConfig, winner: RouteConfig) => Partial<RouteConfig> | null][] = [
    [/--upstream/, () => ({ managed: false })],
    [/^its priority/, (_, winner) => ({ priority: winner.priority })],
    [/^its host/, (_, { host_pattern, host_match_type }) => ({ host_pattern, host_match_type })],
    [/^its path/, (_, { path_pattern, match_type }) => ({ path_pattern, match_type })],
    [/its id/, () => null],
  ];
  fc.assert(
    fc.property(fields, fields, (...pair) => {
      const [first, second] = pair
        .map(({ where, host, ...rest }) => route({ ...where, ...host, ...rest }))
        .toSorted((a, b) => compareRoutes(compileRoute(a), compileRoute(b)));
      const words = preferenceInWords(compileRoute(first!), compileRoute(second!));
      const [, even] = rules.find(([pattern]) => pattern.test(words))!;
      const evened = even(second!, first!);
      // Evened out in that, another criterion decides, and it is one that comes later.
      if (evened === null) return;
      const order = compareRoutes(compileRoute(first!), compileRoute({ ...second!, ...evened }));
      const at = (text: string): number => rules.findIndex(([pattern]) => pattern.test(text));
      const next =
        order < 0
          ? preferenceInWords(compileRoute(first!), compileRoute({ ...second!, ...evened }))
          : preferenceInWords(compileRoute({ ...second!, ...evened }), compileRoute(first!));
      assert.ok(at(next) > at(words), `${words} / ${next}`);
    }),
    { numRuns: runs },
  );
});

test('of very many routes the nearest are told of, the winner among them, and the rest is counted', () => {
  const many = Array.from({ length: 5_000 }, (_, at) =>
    route({ path_pattern: '/a', headers: [{ name: 'X-N', value: String(at), is_regex: false, required: true }], priority: 9 }),
  );
  const last = route({ path_pattern: '/a' });
  const tables = compiledTables([...many, last, route({ path_pattern: '/b' }), route({ path_pattern: '/a', enabled: false })]);
  const { candidates, others } = surveyRoutes(tables, request('GET', '/a/x'), last, null);
  assert.equal(candidates.length, 20);
  assert.equal(candidates.at(-1)?.outcome, 'wins');
  assert.deepEqual(
    others.toSorted((a, b) => b.count - a.count),
    [
      { outcome: 'header', count: 4_981 },
      { outcome: 'disabled', count: 1 },
      { outcome: 'path', count: 1 },
    ],
  );
});

test('a header that holds a credential is not repeated', () => {
  const condition = { name: 'Authorization', value: 'Bearer x', is_regex: false, required: true };
  const tables = compiledTables([route({ path_pattern: '/', headers: [condition] })]);
  const { candidates } = surveyRoutes(tables, request('GET', '/', 'a.test', { authorization: 'Bearer secret' }), null, null);
  assert.equal(candidates[0]?.detail, 'header Authorization has another value, wants "Bearer x"');
});
