import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import type { RouteConfig } from '../../model/gateway-config.ts';
import { request, route } from './route-fixture.ts';
import { emptyRouteTable } from './route-table.ts';

const segment = fc.constantFrom('a', 'b', 'api', 'v1', 'v10', 'users', '%C3%A9');
const literalPath = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
const pathFields = fc.oneof(
  { weight: 4, arbitrary: literalPath.map((path) => ({ path_pattern: path, match_type: 'prefix' as const })) },
  { weight: 3, arbitrary: literalPath.map((path) => ({ path_pattern: path, match_type: 'exact' as const })) },
  literalPath.map((path) => ({ path_pattern: `${path === '/' ? '' : path}/*`, match_type: 'prefix' as const })),
  literalPath.map((path) => ({ path_pattern: `${path}/`.replace('//', '/'), match_type: 'exact' as const })),
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.array(fc.oneof(segment, fc.constant('{}')), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('exact' as const, 'prefix' as const),
      )
      .map(([parts, match_type]) => ({
        path_pattern: `/${parts.map((part, i) => (part === '{}' ? `{p${i}}` : part)).join('/')}`,
        match_type,
      })),
  },
  fc
    .constantFrom('^/api/', '/v1', '^/(a|b)/', '^/[a-z]+$', 'users')
    .map((source) => ({ path_pattern: source, match_type: 'regex' as const })),
);
const hostFields = fc.constantFrom(
  { host_pattern: '', host_match_type: 'exact' as const },
  { host_pattern: '', host_match_type: 'exact' as const },
  { host_pattern: 'a.test', host_match_type: 'exact' as const },
  { host_pattern: 'B.a.test', host_match_type: 'exact' as const },
  { host_pattern: '*.a.test', host_match_type: 'wildcard' as const },
  { host_pattern: '*.test', host_match_type: 'exact' as const },
  { host_pattern: '[ab]\\..*test', host_match_type: 'regex' as const },
  { host_pattern: '.*', host_match_type: 'regex' as const },
);
const headerCondition = fc.record({
  name: fc.constantFrom('X-A', 'x-b'),
  value: fc.constantFrom('1', '2'),
  is_regex: fc.boolean(),
  required: fc.boolean(),
});
const arbitraryRoute = fc
  .record({
    path: pathFields,
    host: hostFields,
    methods: fc.subarray(['GET', 'HEAD', 'POST', 'FOO'], { maxLength: 2 }),
    headers: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(headerCondition, { maxLength: 2 })),
    priority: fc.constantFrom(0, 0, 0, 1, -1),
    managed: fc.constantFrom(false, false, false, false, true),
    enabled: fc.constantFrom(true, true, true, true, false),
  })
  .map(({ path, host, ...rest }) => ({ ...path, ...host, ...rest }));
const arbitraryRequest = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'FOO', 'BAR'),
  host: fc.constantFrom('a.test', 'b.a.test', 'c.a.test', 'x.b.a.test', 'test', 'other.example', ''),
  path: fc.tuple(literalPath, fc.constantFrom('', '', '/')).map(([path, end]) => `${path}${end}`.replace('//', '/')),
  headers: fc.dictionary(fc.constantFrom('x-a', 'x-b'), fc.constantFrom('1', '2', '12')),
});

function fits(route: RouteConfig, method: string | null, host: string, path: string, headers: Record<string, string>): boolean {
  if (!route.enabled) return false;
  const pattern = route.host_pattern.toLowerCase();
  if (route.host_match_type === 'regex') {
    if (!RE2JS.compile(`^(?:${route.host_pattern})$`).test(host)) return false;
  } else if (pattern.startsWith('*.')) {
    if (!new RegExp(`^[^.]+${pattern.slice(1).replaceAll('.', '\\.')}$`).test(host)) return false;
  } else if (pattern !== '' && pattern !== host) return false;

  const methods = route.methods.includes('GET') ? [...route.methods, 'HEAD'] : route.methods;
  if (method !== null && methods.length > 0 && !methods.includes(method)) return false;

  if (route.match_type === 'regex') {
    if (!new RegExp(route.path_pattern).test(path)) return false;
  } else {
    const escaped = route.path_pattern.replace(/\/\*$/, '').replaceAll(/\{\w+\}/g, '[^/]+');
    const end = route.match_type === 'exact' ? '$' : '(/|$)';
    if (!new RegExp(`^${route.match_type === 'prefix' ? escaped.replace(/\/$/, '') : escaped}${end}`).test(path)) return false;
  }
  return route.headers.every(({ name, value, is_regex, required }) => {
    const actual = Object.entries(headers).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
    if (actual === undefined) return !required;
    return is_regex ? actual.includes(value) : actual === value;
  });
}

/** Sorts before: a list of numbers and finally the id. */
function rank(route: RouteConfig): [number[], string] {
  const hostRank = route.host_pattern === '' ? 3 : route.host_match_type === 'regex' ? 2 : route.host_pattern.startsWith('*.') ? 1 : 0;
  const pathRank = ['exact', 'prefix', 'regex'].indexOf(route.match_type);
  const pattern = route.match_type === 'prefix' ? route.path_pattern.replace(/\/\*?$/, '') : route.path_pattern;
  const slashes = route.match_type === 'regex' ? 0 : pattern.split('/').length - 1;
  const literal = route.match_type === 'regex' ? pattern.length : pattern.replaceAll(/\{\w+\}/g, '').length;
  return [[route.managed ? 1 : 0, -route.priority, hostRank, pathRank, -slashes, -literal], route.id];
}

function better(a: RouteConfig, b: RouteConfig): boolean {
  const [[x, idX], [y, idY]] = [rank(a), rank(b)];
  for (const [i, value] of x.entries()) if (value !== y[i]) return value < y[i]!;
  return idX < idY;
}

function referenceMatch(
  routes: readonly RouteConfig[],
  method: string,
  host: string,
  path: string,
  headers: Record<string, string>,
): RouteConfig | null {
  let best: RouteConfig | null = null;
  for (const candidate of routes) {
    if (fits(candidate, method, host, path, headers) && (best === null || better(candidate, best))) best = candidate;
  }
  return best;
}

/** Random tables; 10,000 in the long run. */
const runs = Number(process.env['FC_RUNS'] ?? (process.env['APIGATE_TEST_LONG'] === '1' ? 10_000 : 1500));

test('property: the same winner and the same Allow as a plain search through all routes', () => {
  fc.assert(
    fc.property(
      fc.array(arbitraryRoute, { minLength: 1, maxLength: 25 }),
      fc.array(arbitraryRequest, { minLength: 10, maxLength: 20 }),
      (fields, requests) => {
        const routes = fields.map((f) => route(f));
        const built = emptyRouteTable<RouteConfig>().with(routes);
        for (const { method, host, path, headers } of requests) {
          const expected = referenceMatch(routes, method, host, path, headers);
          assert.equal(built.match(request(method, path, host, headers))?.name, expected?.name);
          if (expected !== null) continue;
          const allow = new Set<string>();
          for (const candidate of routes) {
            if (!fits(candidate, null, host, path, headers)) continue;
            for (const allowed of candidate.methods) allow.add(allowed);
            if (candidate.methods.includes('GET')) allow.add('HEAD');
          }
          assert.deepEqual(new Set(built.allowedMethods(request(method, path, host, headers))), allow);
        }
      },
    ),
    { numRuns: runs },
  );
});

test('property: a table changed in steps is the table built afresh', () => {
  const change = fc.record({
    put: fc.array(fc.tuple(fc.nat(11), arbitraryRoute), { maxLength: 3 }),
    removed: fc.array(fc.nat(11), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 10 }), fc.array(arbitraryRequest, { minLength: 5, maxLength: 15 }), (changes, requests) => {
      const id = (n: number) => `rt_${n.toString(16).padStart(16, 'f')}` as const;
      let inSteps = emptyRouteTable<RouteConfig>();
      const model = new Map<string, RouteConfig>();
      for (const { put, removed } of changes) {
        const routes = put.map(([n, fields], i) => route({ ...fields, id: id(n), name: `${n}/${i}` }));
        inSteps = inSteps.with(routes, removed.map(id));
        for (const n of removed) model.delete(id(n));
        for (const r of routes) model.set(r.id, r);
      }
      const afresh = emptyRouteTable<RouteConfig>().with([...model.values()]);
      assert.equal(inSteps.size, afresh.size);
      assert.deepEqual(inSteps.inOrder(), afresh.inOrder());
      for (const { method, host, path, headers } of requests) {
        const asked = request(method, path, host, headers);
        assert.equal(inSteps.match(asked), afresh.match(asked));
        assert.deepEqual(inSteps.allowedMethods(asked), afresh.allowedMethods(asked));
      }
    }),
    { numRuns: Math.ceil(runs / 3) },
  );
});
