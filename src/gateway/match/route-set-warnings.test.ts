import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RouteConfig } from '../../model/gateway-config.ts';
import { compareRoutes, compileRoute } from './compile-route.ts';
import { route } from './route-fixture.ts';
import { routeSetWarnings } from './route-set-warnings.ts';
import { covers } from './route-warnings.ts';

const anyRoute = fc
  .record({
    path: fc.constantFrom('/', '/a', '/a/b', '/a/{x}', '/{x}', '/{x}/b', '/a/{x}/c', '/a/b/c', '/é'),
    match_type: fc.constantFrom('exact', 'prefix', 'regex'),
    host: fc.constantFrom('', 'x.test', 'y.x.test', '*.x.test', '~^y', '~test$'),
    methods: fc.constantFrom([], ['GET'], ['GET', 'PURGE']),
    priority: fc.constantFrom(0, 1),
    enabled: fc.constantFrom(true, true, true, false),
    changed: fc.boolean(),
  })
  .map(({ path, host, changed, match_type, ...rest }) => ({
    changed,
    fields: {
      ...rest,
      match_type,
      path_pattern: match_type === 'regex' ? '^/a' : path,
      host_pattern: host.replace('~', ''),
      host_match_type: host.startsWith('~') ? 'regex' : host.startsWith('*') ? 'wildcard' : 'exact',
    } satisfies Partial<RouteConfig>,
  }));

/** Takes no rest. */
const atOnce = { rest: () => Promise.resolve() };

test('finds exactly the routes that comparing all with all finds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyRoute, { minLength: 2, maxLength: 8 }), async (drawn) => {
      const all = drawn.map(({ fields }) => route(fields));
      const changed = new Set(all.filter((_, index) => drawn[index]!.changed).map(({ id }) => id));
      const compiled = all.filter(({ enabled }) => enabled).map((each) => compileRoute(each));
      const beaten = new Set<string>();
      for (const one of compiled) {
        const told = compiled.some(
          (other) =>
            other !== one &&
            (changed.has(one.route.id) || changed.has(other.route.id)) &&
            compareRoutes(other, one) < 0 &&
            covers(other, one),
        );
        if (told) beaten.add(one.route.name);
      }
      const found = new Set<string>();
      for (const [id, warnings] of await routeSetWarnings(all, changed, atOnce)) {
        assert.ok(changed.has(id));
        for (const warning of warnings) {
          if (warning.startsWith('This route never gets a request: route')) found.add(all.find((each) => each.id === id)!.name);
          const other = /^Route "(.*)" never/.exec(warning)?.[1];
          if (other !== undefined) found.add(other);
        }
      }
      assert.deepEqual([...found].toSorted(), [...beaten].toSorted());
    }),
    { numRuns: 2_000 },
  );
});

test('a pair that changes together is told once, to the one that is beaten', async () => {
  const [winner, beaten] = [route({ path_pattern: '/a', priority: 1, name: 'w' }), route({ path_pattern: '/a/b', name: 'b' })];
  const warnings = await routeSetWarnings([winner, beaten], new Set([winner.id, beaten.id]), atOnce);
  assert.deepEqual(warnings.get(winner.id), []);
  assert.deepEqual(warnings.get(beaten.id), ['This route never gets a request: route "w" always beats it.']);
});

test('routes that stay and lose are told to the new winner, a few by name', async () => {
  const others = Array.from({ length: 8 }, (_, index) => route({ path_pattern: `/a/${index}`, name: `r${index}` }));
  const winner = route({ path_pattern: '/a', priority: 1 });
  const warnings = (await routeSetWarnings([...others, winner], new Set([winner.id]), atOnce)).get(winner.id) ?? [];
  assert.equal(warnings.length, 6);
  assert.match(warnings[5] ?? '', /^3 more routes/);
});

test('what shows without a look at others is told too, of disabled routes as well', async () => {
  const own = route({ path_pattern: '/admin/x', enabled: false });
  assert.match((await routeSetWarnings([own], new Set([own.id]), atOnce)).get(own.id)?.join() ?? '', /belongs to the gateway/);
});

test('ten thousand routes that are all alike take seconds at most', async () => {
  const all = Array.from({ length: 10_000 }, (_, index) =>
    route({ path_pattern: '/a', headers: [{ name: 'x', value: String(index), is_regex: false, required: true }] }),
  );
  const started = performance.now();
  await routeSetWarnings(all, new Set(all.map(({ id }) => id)), atOnce);
  assert.ok(performance.now() - started < 5_000, `${performance.now() - started} ms`);
});
