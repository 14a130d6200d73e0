import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteConfig } from '../../model/gateway-config.ts';
import { route } from './route-fixture.ts';
import { routeWarnings } from './route-warnings.ts';

test('a route below a reserved path is told, on segment boundaries', () => {
  for (const path_pattern of ['/admin', '/admin/x', '/ui/*', '/healthz', '/metrics/', '/version', '/readyz/{x}']) {
    assert.match(routeWarnings(route({ path_pattern }), []).join(), /belongs to the gateway/, path_pattern);
  }
  for (const path_pattern of ['/administrator', '/uix', '/', '/api/admin', '/{any}'])
    assert.deepEqual(routeWarnings(route({ path_pattern }), []), [], path_pattern);
});

test('an expression without an anchor is told', () => {
  assert.match(routeWarnings(route({ path_pattern: '/v[0-9]', match_type: 'regex' }), []).join(), /middle of a path/);
  assert.deepEqual(routeWarnings(route({ path_pattern: '^/v[0-9]', match_type: 'regex' }), []), []);
});

/** The first route always beats the second. */
const beats: [Partial<RouteConfig>, Partial<RouteConfig>][] = [
  [{ path_pattern: '/a' }, { path_pattern: '/a' }],
  [{ path_pattern: '/a', priority: 1 }, { path_pattern: '/a/b/c' }],
  [
    { path_pattern: '/', priority: 1 },
    { path_pattern: '^/x', match_type: 'regex' },
  ],
  [
    { path_pattern: '/*', priority: 1 },
    { path_pattern: '/a/{id}', match_type: 'exact', host_pattern: 'x.test' },
  ],
  [
    { path_pattern: '/a/{id}', priority: 1 },
    { path_pattern: '/a/b/c', match_type: 'exact' },
  ],
  [
    { path_pattern: '/a', priority: 1, host_pattern: '*.x.test' },
    { path_pattern: '/a', host_pattern: 'y.x.test' },
  ],
  [
    { path_pattern: '/a', priority: 1, methods: ['GET', 'POST'] },
    { path_pattern: '/a', methods: ['HEAD'] },
  ],
  [
    { path_pattern: '^/a', match_type: 'regex', priority: 1 },
    { path_pattern: '/a/b', match_type: 'exact' },
  ],
  [
    { path_pattern: '/a', headers: [{ name: 'X-A', value: '1', is_regex: false, required: true }], priority: 1 },
    {
      path_pattern: '/a',
      headers: [
        { name: 'x-a', value: '1', is_regex: false, required: true },
        { name: 'y', value: '', is_regex: false, required: true },
      ],
    },
  ],
];

for (const [stronger, weaker] of beats) {
  test(`always beaten: ${JSON.stringify(weaker)} by ${JSON.stringify(stronger)}`, () => {
    const [strong, weak] = [route({ name: 'strong', ...stronger }), route({ name: 'weak', ...weaker })];
    assert.deepEqual(
      routeWarnings(weak, [strong, weak]).filter((w) => !w.includes('middle')),
      ['This route never gets a request: route "strong" always beats it.'],
    );
    assert.match(routeWarnings(strong, [strong, weak]).join(), /Route "weak" never gets a request any more/);
    assert.deepEqual(
      routeWarnings(weak, [{ ...strong, enabled: false }]).filter((w) => !w.includes('middle')),
      [],
    );
  });
}

/** Neither always beats the other. */
const coexist: [Partial<RouteConfig>, Partial<RouteConfig>][] = [
  [{ path_pattern: '/a' }, { path_pattern: '/a/b' }],
  [{ path_pattern: '/a', priority: 1 }, { path_pattern: '/ab' }],
  [{ path_pattern: '/a', priority: 1, methods: ['GET'] }, { path_pattern: '/a' }],
  [{ path_pattern: '/a', priority: 1, host_pattern: 'x.test' }, { path_pattern: '/a' }],
  [
    { path_pattern: '/a', priority: 1, host_pattern: '*.x.test' },
    { path_pattern: '/a', host_pattern: 'x.test' },
  ],
  [{ path_pattern: '/a', match_type: 'exact', priority: 1 }, { path_pattern: '/a' }],
  [{ path_pattern: '/a/{id}', priority: 1 }, { path_pattern: '/a' }],
  [{ path_pattern: '/a', priority: 1, headers: [{ name: 'x', value: '1', is_regex: false, required: true }] }, { path_pattern: '/a' }],
  [{ path_pattern: '/', priority: 1, managed: true }, { path_pattern: '/a' }],
];

for (const [a, b] of coexist) {
  test(`both get requests: ${JSON.stringify(a)} and ${JSON.stringify(b)}`, () => {
    const [x, y] = [route(a), route(b)];
    assert.deepEqual([...routeWarnings(x, [x, y]), ...routeWarnings(y, [x, y])], []);
  });
}

test('many beaten routes are summed up', () => {
  const others = Array.from({ length: 9 }, (_, i) => route({ name: `w${i}`, path_pattern: `/a/${i}` }));
  const warnings = routeWarnings(route({ path_pattern: '/a', priority: 1 }), others);
  assert.equal(warnings.length, 6);
  assert.match(warnings[5]!, /^4 more/);
});

test('the work of looking at other routes grows with their number, not faster', () => {
  const quickest = (count: number): number => {
    const others = Array.from({ length: count }, (_, i) => route({ path_pattern: `/svc${i}/x` }));
    let best = Infinity;
    for (let round = 0; round < 7; round++) {
      const start = performance.now();
      routeWarnings(route({ path_pattern: '/svc8/x/y' }), others);
      best = Math.min(best, performance.now() - start);
    }
    return best;
  };
  quickest(1_000);
  const [few, many] = [quickest(1_000), quickest(20_000)];
  assert.ok(many < few * 20 * 4, `1,000 took ${few} ms, 20,000 ${many} ms`);
});
