import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { startGateway, type Gateway } from '../support/start-gateway.ts';

interface Placed {
  readonly position: number | null;
  readonly upstream: string;
  readonly route: { readonly name: string; readonly id: string };
  readonly beaten_by: { readonly name: string } | null;
  readonly beats: readonly { readonly name: string }[];
  readonly beats_count: number;
  readonly warnings: readonly string[];
}

suite('GET /admin/route-order', () => {
  let gateway: Gateway;
  let upstream: NodeServer;

  before(async () => {
    upstream = await startNodeServer((request, response) => response.end(request.headers['x-route'] ?? ''));
    gateway = await startGateway({ admin: true });
    await gateway.admin.must('POST', '/upstreams', { name: 'one', base_url: upstream.url });
    await gateway.admin.must('POST', '/upstreams', { name: 'two', base_url: upstream.url });
    for (const fields of [
      { name: 'everything', path_pattern: '/*', upstream_id: 'two' },
      { name: 'orders', path_pattern: '/orders' },
      { name: 'order', path_pattern: '/orders/{id}', match_type: 'exact' },
      { name: 'never', path_pattern: '/orders/deep/down', priority: -1, auth_required: true },
      { name: 'shop host', path_pattern: '/', host_pattern: 'shop.example.com', protocol: 'websocket' },
      { name: 'off', path_pattern: '/off', enabled: false },
      { name: 'reserved', path_pattern: '/metrics/x' },
    ]) {
      const set = { headers: { set: { 'X-Route': fields.name } } };
      await gateway.admin.must('POST', '/routes', { upstream_id: 'one', auth_required: false, request_transform: set, ...fields });
    }
  });

  after(async () => {
    await gateway.stop();
    await upstream[Symbol.asyncDispose]();
  });

  const ordered = async (query = ''): Promise<Placed[]> => (await gateway.admin.must('GET', `/route-order${query}`))['data'] as Placed[];
  const names = async (query: string): Promise<string[]> => (await ordered(query)).map(({ route }) => route.name);

  test('is the order in which the gateway prefers them, with places, upstreams and what shadows what', async () => {
    const all = await ordered();
    assert.deepEqual(
      all.map(({ position, route, upstream: name, beaten_by }) => [position, route.name, name, beaten_by?.name ?? null]),
      [
        [1, 'shop host', 'one', null],
        [2, 'order', 'one', null],
        [3, 'reserved', 'one', null],
        [4, 'orders', 'one', null],
        [null, 'off', 'one', null],
        [5, 'everything', 'two', null],
        [6, 'never', 'one', 'orders'],
      ],
    );
    assert.deepEqual(all[3]!.beats, [{ id: all[6]!.route.id, name: 'never' }]);
    assert.deepEqual(all[6]!.warnings, ['Never gets a request: route "orders" always beats it.']);
    assert.match(all[2]!.warnings.join(), /belongs to the gateway/);
    // What the list says is what happens.
    for (const [path, name] of [
      ['/orders/1', 'order'],
      ['/orders/deep/down', 'orders'],
      ['/off', 'everything'],
    ] as const)
      assert.equal(await (await fetch(gateway.url + path)).text(), name);
  });

  test('filters leave routes out and change no place', async () => {
    assert.deepEqual(await names('?upstream=two'), ['everything']);
    assert.deepEqual(await names('?q=SHOP.exa'), ['shop host']);
    assert.deepEqual(await names('?q=deep'), ['never']);
    assert.deepEqual(await names('?enabled=false'), ['off']);
    assert.deepEqual(await names('?auth_required=true'), ['never']);
    assert.deepEqual(await names('?protocol=websocket'), ['shop host']);
    assert.deepEqual(await names('?warned=true'), ['reserved', 'never']);
    assert.equal((await ordered('?q=deep'))[0]!.position, 6);
    for (const query of ['?upstream=none', '?cursor=x', '?warned=maybe', '?limit=0', '?order=name'])
      assert.equal((await gateway.admin.call('GET', `/route-order${query}`)).status, 422, query);
  });

  test('pages go on where they stopped, also when the last route shown is gone', async () => {
    const whole = await names('');
    const first = await gateway.admin.must('GET', '/route-order?limit=3');
    assert.equal(first['total'], 7);
    const rest = await gateway.admin.must('GET', `/route-order?limit=5&cursor=${String(first['next_cursor'])}`);
    assert.deepEqual(
      (rest['data'] as Placed[]).map(({ route }) => route.name),
      whole.slice(3),
    );
    assert.equal(rest['next_cursor'], null);
    await gateway.admin.must('DELETE', '/routes/reserved');
    const after = await gateway.admin.must('GET', `/route-order?limit=5&cursor=${String(first['next_cursor'])}`);
    assert.equal((after['data'] as Placed[]).length, 3);
    assert.equal((await gateway.admin.must('GET', '/route-order'))['total'], 6);
  });
});
