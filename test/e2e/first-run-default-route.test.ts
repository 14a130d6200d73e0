import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { refusedStart, scopedGateway } from '../support/scoped-gateway.ts';
import { answerOk, type ScriptedUpstream, type Script, startScriptedUpstream } from '../support/scripted-upstream.ts';
import type { Gateway } from '../support/start-gateway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

let upstream: ScriptedUpstream;
before(async () => {
  upstream = await startScriptedUpstream(answerOk);
});
after(async () => {
  await upstream.close();
  assert.deepEqual(upstream.violations, []);
});

/** What a path answers, once for each of several connections. */
async function statuses(gateway: Gateway, target: string): Promise<number[]> {
  return [...new Set(await Promise.all(Array.from({ length: 8 }, async () => (await fetchRaw(gateway.port, 'GET', { target })).status)))];
}

/** Upgrades, and then sends every byte back. */
const echoBytes: Script = async (request, connection) => {
  const accept = createHash('sha1')
    .update(`${request.value('sec-websocket-key')!}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  await connection.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  const { stream } = connection;
  while (stream.ending === undefined) {
    if (stream.size > 0) await connection.write(stream.takeAll());
    else await stream.change(performance.now() + 10_000, 'bytes of the WebSocket');
  }
};

const upgrade =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

describe('--upstream', () => {
  test('with --public takes every request that no other route matches, WebSocket too', async (context) => {
    const gateway = await scopedGateway(context, { upstream: upstream.url, admin: true, workers: 2 });
    for (const target of ['/', '/any/where?x=1', '/administrator']) assert.deepEqual(await statuses(gateway, target), [200]);
    assert.equal(upstream.requests.at(-1)!.target, '/administrator');

    upstream.script = echoBytes;
    using client = await RawClient.connect(gateway.port);
    await client.send(`GET /chat HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nSec-WebSocket-Protocol: superchat\r\n${upgrade}`);
    const response = await client.response();
    assert.equal(response.status, 101);
    assert.equal(response.value('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    assert.deepEqual(
      [upstream.requests.at(-1)!.values('origin'), upstream.requests.at(-1)!.values('sec-websocket-protocol')],
      [['http://a'], ['superchat']],
    );
    const bytes = Buffer.from([0x81, 0x85, 1, 2, 3, 4, 0x69, 0x67, 0x6f, 0x68, 0x6e, 0x00, 0xff, 0x0d, 0x0a]);
    for (let round = 0; round < 3; round += 1) {
      await client.send(bytes);
      let got = Buffer.alloc(0);
      const deadline = performance.now() + 3_000;
      while (got.length < bytes.length) {
        if (client.stream.size === 0) await client.stream.change(deadline, 'the echo');
        got = Buffer.concat([got, client.stream.takeAll()]);
      }
      assert.deepEqual(got, bytes);
    }
    upstream.script = answerOk;

    // A route of the user's own comes first, however low its priority and however short its path.
    const session = await AdminSession.signIn(gateway);
    await session.must('POST', '/upstreams', { name: 'refusing', base_url: 'http://127.0.0.1:9', enabled: false });
    await session.must('POST', '/routes', {
      name: 'mine',
      path_pattern: '/*',
      upstream_id: 'refusing',
      auth_required: false,
      priority: -1_000_000,
    });
    assert.deepEqual(await statuses(gateway, '/any/where'), [503]);
    await session.must('DELETE', '/routes/mine');
    assert.deepEqual(await statuses(gateway, '/any/where'), [200]);
  });

  test('is stored as an upstream and a route named default, which nobody can change or delete', async (context) => {
    const gateway = await scopedGateway(context, { upstream: upstream.url, admin: true });
    const session = await AdminSession.signIn(gateway);
    const made = await session.must('GET', '/upstreams/default');
    const route = await session.must('GET', '/routes/default');
    assert.deepEqual(
      [made['managed'], made['base_url'], route['managed'], route['upstream_id'], route['auth_required']],
      [true, upstream.url, true, made['id'], false],
    );
    for (const path of ['/upstreams/default', '/routes/default', `/upstreams/${String(made['id'])}`]) {
      for (const [method, body] of [
        ['PUT', { description: 'mine' }],
        ['PATCH', { enabled: false }],
        ['PUT', { managed: false }],
        ['DELETE', undefined],
      ] as const) {
        const answer = await session.call(method, path, { body });
        assert.deepEqual([answer.status, answer.body['code']], [409, 'conflict'], `${method} ${path}`);
        assert.match(answer.body['detail'] as string, /--upstream/);
      }
    }
    assert.equal((await session.call('DELETE', '/upstreams/default?cascade=true')).status, 409);
    assert.deepEqual([await session.must('GET', '/upstreams/default'), await session.must('GET', '/routes/default')], [made, route]);
    assert.equal(
      (await session.call('POST', '/upstreams', { body: { name: 'mine', base_url: 'http://backend.test', managed: true } })).status,
      422,
    );
  });

  test('without --public asks for an API key', async (context) => {
    const gateway = await scopedGateway(context, { admin: true, env: { APIGATE_UPSTREAM_URL: upstream.url } });
    assert.deepEqual(await statuses(gateway, '/x'), [401]);
    const { key } = await gateway.admin.must('POST', '/keys', { name: 'client' });
    assert.equal((await fetchRaw(gateway.port, 'GET', { target: '/x', fields: [['X-API-Key', key as string]] })).status, 200);
    using client = await RawClient.connect(gateway.port);
    const before = upstream.connections.length;
    await client.send(`GET /chat HTTP/1.1\r\nHost: a\r\n${upgrade}`);
    assert.equal((await client.response()).status, 401);
    assert.equal(upstream.connections.length, before, 'nothing goes upstream before the key is known');
  });

  test('follows the setting at each start, and goes when it is unset', async (context) => {
    const directory = await temporaryDirectory(context);
    const first = await scopedGateway(context, { directory, upstream: upstream.url, admin: true });
    const made = await first.admin.must('GET', '/upstreams/default');
    assert.equal(await first.stop(), 0);

    const moved = await scopedGateway(context, { directory, upstream: `${upstream.url}/v2` });
    const now = await moved.admin.must('GET', '/upstreams/default');
    assert.deepEqual([now['id'], now['base_url'], now['created_at']], [made['id'], `${upstream.url}/v2`, made['created_at']]);
    assert.deepEqual(await statuses(moved, '/x'), [200]);
    assert.equal(upstream.requests.at(-1)!.target, '/v2/x');
    await moved.admin.must('POST', '/routes', { name: 'mine', path_pattern: '/mine', upstream_id: 'default' });
    assert.equal(await moved.stop(), 0);

    const refused = await refusedStart(context, { directory });
    assert.notEqual(refused.code, 0);
    assert.match(refused.message, /"default" is used by the route "mine".*--upstream/);
    const back = await scopedGateway(context, { directory, upstream: upstream.url });
    await back.admin.must('DELETE', '/routes/mine');
    assert.equal(await back.stop(), 0);

    const without = await scopedGateway(context, { directory });
    assert.deepEqual(await statuses(without, '/x'), [404]);
    assert.deepEqual(
      [(await without.admin.must('GET', '/upstreams'))['total'], (await without.admin.must('GET', '/routes'))['total']],
      [0, 0],
    );
  });

  test("a user's own object of that name stops the start, and is left alone", async (context) => {
    const directory = await temporaryDirectory(context);
    const gateway = await scopedGateway(context, { directory, admin: true });
    const mine = await gateway.admin.must('POST', '/upstreams', { name: 'default', base_url: 'http://backend.test' });
    assert.equal(await gateway.stop(), 0);
    const refused = await refusedStart(context, { directory, upstream: upstream.url });
    assert.notEqual(refused.code, 0);
    assert.match(refused.message, /^apigate: .*needs the name "default", but your own upstream has it.*\n$/);
    const again = await scopedGateway(context, { directory });
    assert.deepEqual(await again.admin.must('GET', '/upstreams/default'), mine);
  });
});
