import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteConfig } from '../../model/gateway-config.ts';
import { normalisePath } from '../normalise-path.ts';
import { emptyRouteTable, type RouteTable } from './route-table.ts';
import { request, route } from './route-fixture.ts';

function table(...routes: RouteConfig[]): RouteTable<RouteConfig> {
  return emptyRouteTable<RouteConfig>().with(routes);
}

/** Which of the routes wins, by its name. */
function winner(
  routes: RouteTable<RouteConfig>,
  method: string,
  path: string,
  host?: string,
  headers?: Record<string, string>,
): string | undefined {
  return routes.match(request(method, path, host, headers))?.name;
}

test('a prefix matches by segment', () => {
  const routes = table(route({ name: 'v1', path_pattern: '/api/v1' }));
  for (const path of ['/api/v1', '/api/v1/', '/api/v1/x', '/api/v1/x/y']) assert.equal(winner(routes, 'GET', path), 'v1', path);
  for (const path of ['/api/v10', '/api', '/', '/api/v1x/y', '/x/api/v1', '/API/V1'])
    assert.equal(winner(routes, 'GET', path), undefined, path);
});

test('/x/* equals the prefix /x, a slash at its end changes nothing, and /* matches all', () => {
  for (const pattern of ['/x/*', '/x', '/x/']) {
    const routes = table(route({ name: 'x', path_pattern: pattern }));
    for (const path of ['/x', '/x/', '/x/y']) assert.equal(winner(routes, 'GET', path), 'x', `${pattern} ${path}`);
    assert.equal(winner(routes, 'GET', '/xy'), undefined);
  }
  for (const pattern of ['/*', '/']) {
    for (const path of ['/', '/a', '/a/b/']) assert.equal(winner(table(route({ name: 'all', path_pattern: pattern })), 'GET', path), 'all');
  }
});

test('exact /users is not /users/', () => {
  const routes = table(route({ name: 'users', path_pattern: '/users', match_type: 'exact' }));
  assert.equal(winner(routes, 'GET', '/users'), 'users');
  for (const path of ['/users/', '/users/1', '/user', '/']) assert.equal(winner(routes, 'GET', path), undefined);
  assert.equal(winner(table(route({ name: 'slash', path_pattern: '/users/', match_type: 'exact' })), 'GET', '/users/'), 'slash');
  assert.equal(winner(table(route({ name: 'root', path_pattern: '/', match_type: 'exact' })), 'GET', '/a'), undefined);
});

test('{id} stands for one segment that is not empty; a literal segment beats it', () => {
  const routes = table(
    route({ name: 'user', path_pattern: '/users/{id}', match_type: 'exact' }),
    route({ name: 'me', path_pattern: '/users/me', match_type: 'exact' }),
    route({ name: 'orders', path_pattern: '/users/{id}/orders' }),
  );
  assert.equal(winner(routes, 'GET', '/users/7'), 'user');
  assert.equal(winner(routes, 'GET', '/users/me'), 'me');
  assert.equal(winner(routes, 'GET', '/users/7/orders'), 'orders');
  assert.equal(winner(routes, 'GET', '/users/7/orders/1/x'), 'orders');
  for (const path of ['/users', '/users/', '/users/7/', '/users/7/x', '/users//orders'])
    assert.equal(winner(routes, 'GET', path), undefined, path);
});

test('order: managed last, priority, host, path type, longer pattern, id', () => {
  const host = { host_pattern: 'example.com' };
  const steps: RouteConfig[] = [
    route({ name: 'priority', path_pattern: '/', priority: 5 }),
    route({ name: 'exact host', path_pattern: '/', ...host }),
    route({ name: 'wildcard host', path_pattern: '/', host_pattern: '*.com' }),
    route({ name: 'regex host', path_pattern: '/', host_pattern: '.*', host_match_type: 'regex' }),
    route({ name: 'exact path', path_pattern: '/a/b', match_type: 'exact' }),
    route({ name: 'longer prefix', path_pattern: '/a/b' }),
    route({ name: 'shorter prefix', path_pattern: '/a', id: 'rt_1000000000000000' }),
    route({ name: 'later id', path_pattern: '/a', id: 'rt_2000000000000000' }),
    route({ name: 'root prefix', path_pattern: '/' }),
    route({ name: 'longer regex', path_pattern: '^/a/b$', match_type: 'regex' }),
    route({ name: 'shorter regex', path_pattern: '^/a', match_type: 'regex' }),
    route({ name: 'managed', path_pattern: '/', priority: 1000, managed: true, ...host }),
  ];
  let left = table(...steps.toReversed());
  for (const step of steps) {
    assert.equal(winner(left, 'GET', '/a/b'), step.name);
    assert.equal(left.inOrder()[0]!.name, step.name);
    left = left.with([], [step.id]);
  }
  assert.equal(left.size, 0);
  assert.equal(left.match(request('GET', '/a/b')), null);
});

test('hosts: exact in any case, wildcard for exactly one label, regex whole, empty for any', () => {
  const routes = table(
    route({ name: 'exact', path_pattern: '/', host_pattern: 'API.Example.com.' }),
    route({ name: 'wildcard', path_pattern: '/', host_pattern: '*.Example.com', host_match_type: 'wildcard' }),
    route({ name: 'regex', path_pattern: '/', host_pattern: 'Shop[0-9]+\\.test', host_match_type: 'regex' }),
    route({ name: 'v6', path_pattern: '/', host_pattern: '[2001:DB8::1]' }),
  );
  assert.equal(winner(routes, 'GET', '/', 'api.example.com'), 'exact');
  assert.equal(winner(routes, 'GET', '/', 'www.example.com'), 'wildcard');
  assert.equal(winner(routes, 'GET', '/', 'shop12.test'), 'regex');
  assert.equal(winner(routes, 'GET', '/', '2001:db8::1'), 'v6');
  for (const host of ['example.com', 'a.b.example.com', 'shop1.test.evil.org', 'evil-shop1.test', '.example.com', '']) {
    assert.equal(winner(routes, 'GET', '/', host), undefined, host);
  }
});

test('methods: empty means all, HEAD follows GET, a less specific route that allows the method wins', () => {
  const routes = table(
    route({ name: 'read', path_pattern: '/a/b', methods: ['GET'] }),
    route({ name: 'write', path_pattern: '/a', methods: ['POST', 'FOO'] }),
    route({ name: 'head', path_pattern: '/head', methods: ['HEAD'] }),
    route({ name: 'any', path_pattern: '/any' }),
  );
  assert.equal(winner(routes, 'GET', '/a/b'), 'read');
  assert.equal(winner(routes, 'HEAD', '/a/b'), 'read');
  assert.equal(winner(routes, 'POST', '/a/b'), 'write');
  assert.equal(winner(routes, 'FOO', '/a/b'), 'write');
  assert.equal(winner(routes, 'GET', '/head'), undefined);
  assert.equal(winner(routes, 'get', '/a/b'), undefined);
  assert.equal(winner(routes, 'BAR', '/any'), 'any');
  assert.deepEqual(routes.allowedMethods(request('DELETE', '/a/b')), ['GET', 'HEAD', 'POST', 'FOO']);
  assert.deepEqual(routes.allowedMethods(request('DELETE', '/nowhere')), []);
  assert.equal(winner(routes, 'POST', '/a/b'), 'write', 'gathering methods leaves nothing behind');
});

test('header conditions: all must hold, names in any case, exact or by expression, optional ones only when present', () => {
  const condition = (name: string, value: string, is_regex = false, required = true) => ({ name, value, is_regex, required });
  const routes = table(
    route({ name: 'v2', path_pattern: '/', headers: [condition('X-API-Version', '2'), condition('Accept', 'json', true)] }),
    route({ name: 'optional', path_pattern: '/opt', headers: [condition('X-Tier', 'gold', false, false)] }),
  );
  assert.equal(winner(routes, 'GET', '/', 'h', { 'x-api-version': '2', accept: 'application/json' }), 'v2');
  assert.equal(winner(routes, 'GET', '/', 'h', { 'x-api-version': '22', accept: 'application/json' }), undefined);
  assert.equal(winner(routes, 'GET', '/', 'h', { 'x-api-version': '2', accept: 'text/html' }), undefined);
  assert.equal(winner(routes, 'GET', '/', 'h', { 'x-api-version': '2' }), undefined);
  assert.equal(winner(routes, 'GET', '/opt'), 'optional');
  assert.equal(winner(routes, 'GET', '/opt', 'h', { 'x-tier': 'gold' }), 'optional');
  assert.equal(winner(routes, 'GET', '/opt', 'h', { 'x-tier': 'tin' }), undefined);
  assert.deepEqual(
    table(route({ path_pattern: '/', methods: ['GET'], headers: [condition('a', 'b')] })).allowedMethods(request('POST', '/')),
    [],
  );
});

test('disabled routes do not exist, and a change replaces a route whole', () => {
  const a = route({ name: 'a', path_pattern: '/a' });
  const before = table(a);
  const moved = before.with([{ ...a, path_pattern: '/b' }]);
  assert.equal(winner(moved, 'GET', '/a'), undefined);
  assert.equal(winner(moved, 'GET', '/b'), 'a');
  assert.equal(winner(before, 'GET', '/a'), 'a', 'the old table is as it was');
  assert.equal(moved.with([{ ...a, enabled: false }]).size, 0);
  assert.equal(before.get(a.id), a);
  assert.equal(before.with([], ['rt_ffffffffffffffff']).size, 1);
});

test('an encoded or doubled path reaches the route that guards it', () => {
  const routes = table(route({ name: 'guarded', path_pattern: '/private' }), route({ name: 'open', path_pattern: '/' }));
  for (const raw of ['/private', '/%70rivate', '//private', '/private//x', '/priv%61te/'])
    assert.equal(winner(routes, 'GET', normalisePath(raw)!), 'guarded', raw);
  assert.equal(winner(table(route({ name: 'é', path_pattern: '/café' })), 'GET', normalisePath('/caf%c3%a9/x')!), 'é');
});

test('one change among ten thousand routes is less than a fiftieth of the work of building them', () => {
  const many = Array.from({ length: 10_000 }, (_, i) =>
    route({ path_pattern: `/svc${i}/v1/items`, match_type: i % 2 === 0 ? 'prefix' : 'exact' }),
  );
  let [build, change] = [Infinity, Infinity];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    const built = emptyRouteTable<RouteConfig>().with(many);
    build = Math.min(build, performance.now() - start);
    const between = performance.now();
    built.with([{ ...many[5000]!, path_pattern: '/elsewhere' }]);
    change = Math.min(change, performance.now() - between);
  }
  assert.ok(change < build / 50, `a change took ${change} ms, all of them ${build} ms`);
});

test('pathological paths take under 1 ms, regular expressions included', () => {
  const routes = table(
    ...['^(a+)+$', '(/[a-z]+)*/(x|y)/[0-9]+$', '(.*)(.*)(.*)(.*)z', '(x+x+)+y'].map((source) =>
      route({ path_pattern: source, match_type: 'regex' }),
    ),
    ...Array.from({ length: 64 }, (_, i) =>
      route({ path_pattern: `/${Array.from({ length: 6 }, (_unused, bit) => ((i >> bit) & 1 ? `{p${bit}}` : 'a')).join('/')}/end` }),
    ),
    route({ path_pattern: `/${'a/'.repeat(400)}end` }),
  );
  const paths = [`/${'a/'.repeat(4095)}`, `/${'a'.repeat(8191)}`, '/%25'.repeat(2048), `/${'a/'.repeat(400)}`, `/${'x'.repeat(8190)}`];
  for (const path of paths) {
    let best = Infinity;
    for (let i = 0; i < 20; i++) {
      const start = performance.now();
      routes.match(request('GET', path));
      best = Math.min(best, performance.now() - start);
    }
    assert.ok(best < 1, `${path.slice(0, 20)}… took ${best} ms`);
  }
});
