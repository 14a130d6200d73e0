import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RouteConfig } from '../../model/gateway-config.ts';
import { compareRoutes, compileRoute } from './compile-route.ts';
import { request, route } from './route-fixture.ts';
import { routeOrder } from './route-order.ts';
import { emptyRouteTable } from './route-table.ts';
import { covers } from './route-warnings.ts';

const paths = ['/a', '/a/b', '/a/1', '/1/b', '/a/1/c', '/'];
const hosts = ['x.test', 'y.x.test', 'z.test'];

const anyRoute = fc
  .record({
    path_pattern: fc.constantFrom('/', '/a', '/a/b', '/a/{x}', '/{x}', '/{x}/b', '/a/{x}/c', '~^/a'),
    exact: fc.boolean(),
    host_pattern: fc.constantFrom('', 'x.test', 'y.x.test', '*.x.test'),
    methods: fc.constantFrom([], ['GET'], ['GET', 'PURGE']),
    priority: fc.constantFrom(0, 1),
    enabled: fc.constantFrom(true, true, true, false),
  })
  .map(({ path_pattern: path, exact, ...rest }) =>
    route({
      ...rest,
      host_match_type: rest.host_pattern.startsWith('*') ? 'wildcard' : 'exact',
      path_pattern: path.replace('~', ''),
      match_type: path.startsWith('~') ? 'regex' : exact ? 'exact' : 'prefix',
    } satisfies Partial<RouteConfig> & { path_pattern: string }),
  );

test('the first route of the order that fits a request is the one that the gateway takes', () => {
  fc.assert(
    fc.property(
      fc.array(anyRoute, { maxLength: 8 }),
      fc.constantFrom(...paths),
      fc.constantFrom(...hosts),
      fc.constantFrom('GET', 'POST', 'PURGE'),
      (all, path, host, method) => {
        const asked = request(method, path, host);
        const first = routeOrder(all).find(({ route: one }) => emptyRouteTable<RouteConfig>().with([one]).match(asked) !== null);
        const taken = emptyRouteTable<RouteConfig>().with(all).match(asked);
        assert.equal(first?.route.id, taken?.id);
      },
    ),
  );
});

test('a route is beaten where some enabled route before it takes everything that it could, and never else', () => {
  fc.assert(
    fc.property(fc.array(anyRoute, { maxLength: 8 }), (all) => {
      const compiled = all.filter(({ enabled }) => enabled).map((one) => compileRoute(one));
      for (const { route: own, beatenBy } of routeOrder(all)) {
        const winners = own.enabled
          ? compiled.filter(
              (other) => other.route.id !== own.id && compareRoutes(other, compileRoute(own)) < 0 && covers(other, compileRoute(own)),
            )
          : [];
        assert.equal(beatenBy !== null, winners.length > 0, own.name);
        if (beatenBy !== null) assert.equal(beatenBy, winners.toSorted(compareRoutes)[0]?.route);
      }
    }),
  );
});

test('what surprises by itself is told too, and 10,000 routes are ordered at once and the same list only once', () => {
  const all = Array.from({ length: 10_000 }, (_, index) => route({ path_pattern: `/tenant-${index % 5_000}/${index}` }));
  all.push(route({ path_pattern: '/admin/x' }));
  const started = performance.now();
  const order = routeOrder(all);
  assert.ok(performance.now() - started < 5_000, `${performance.now() - started} ms`);
  assert.equal(routeOrder(all), order);
  assert.equal(order.length, 10_001);
  assert.deepEqual(
    order.flatMap(({ warnings }) => warnings),
    ['This route never gets a request: /admin belongs to the gateway itself.'],
  );
});
