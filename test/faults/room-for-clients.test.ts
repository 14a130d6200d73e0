import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';
import { portOf, tcpSocketsOf } from '../support/tcp-sockets.ts';

const limit = 20;

function clientConnections(gateway: Gateway): number {
  return tcpSocketsOf(gateway.pid).filter((socket) => portOf(socket.local) === gateway.port && socket.state === '01').length;
}

async function withLimit(body: (gateway: Gateway) => Promise<void>): Promise<void> {
  const upstream = await startScriptedUpstream(answerOk);
  const gateway = await startGateway({ upstream: upstream.url, env: { APIGATE_MAX_CONNECTIONS: String(limit) } });
  try {
    await body(gateway);
  } finally {
    await gateway.stop();
    await upstream.close();
  }
}

test('a client that does not take its answers is not in the way when room is made for others', async () => {
  await withLimit(async (gateway) => {
    using greedy = await RawClient.connect(gateway.port);
    greedy.socket.pause();
    // Answers by the thousand, far more than the kernel holds for a client that reads nothing.
    void greedy.send('GET /healthz HTTP/1.1\r\nHost: a.example\r\n\r\n'.repeat(200_000)).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const others = await Promise.all(Array.from({ length: 4 * limit }, () => RawClient.connect(gateway.port)));
    await eventually(
      () => clientConnections(gateway) <= limit,
      () => `at most ${limit} connections; there are ${clientConnections(gateway)}`,
    );
    assert.equal((await fetchRaw(gateway.port, 'GET')).status, 200);
    for (const other of others) other.destroy();
  });
});

test('heads that were begun and not finished give way to newcomers, oldest first; requests being served do not', async () => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const upstream = await startScriptedUpstream(async (request, connection) => {
    if (request.target === '/served') await gate;
    await answerOk(request, connection);
  });
  const gateway = await startGateway({ upstream: upstream.url, env: { APIGATE_MAX_CONNECTIONS: '8' } });
  try {
    using served = await RawClient.connect(gateway.port);
    await served.send('GET /served HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await upstream.request(0);
    const halves: RawClient[] = [];
    for (let each = 0; each < 6; each += 1) {
      const client = await RawClient.connect(gateway.port);
      await client.send('GET /half HTTP/1.1\r\nHost: a.test\r\n');
      halves.push(client);
      // Read before another request is answered, and so before the next half: it is known which is the oldest.
      assert.equal((await fetchRaw(gateway.port, 'GET', { fields: [['Connection', 'close']] })).status, 200);
    }
    const before = upstream.requests.length;
    const newcomers: RawClient[] = [];
    for (let each = 0; each < 4; each += 1) {
      const client = await RawClient.connect(gateway.port);
      // Its own request under way, it is not idle: the next newcomer needs another's place.
      await client.send('GET /served HTTP/1.1\r\nHost: a.test\r\n\r\n');
      newcomers.push(client);
      await upstream.request(before + each);
    }
    for (const [index, half] of halves.entries()) {
      if (index < 3) assert.equal((await half.ended()).rest.length, 0, 'closed without an answer');
      else assert.ok(half.open, `half ${index} is younger and stays`);
    }
    release();
    for (const client of [served, ...newcomers]) assert.equal((await client.response()).status, 200);
    // A head that stayed may still be finished.
    await halves.at(-1)!.send('\r\n');
    assert.equal((await halves.at(-1)!.response()).status, 200);
    for (const client of [...halves, ...newcomers]) client.destroy();
  } finally {
    release();
    await gateway.stop();
    await upstream.close();
  }
});

test('connections whose last answer is delivered are closed to make room for others', async () => {
  await withLimit(async (gateway) => {
    const done = await Promise.all(
      Array.from({ length: limit }, async () => {
        // Half-open, so that it stays when the gateway has ended its side.
        const socket = net.connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
        const ended = new Promise((resolve) => socket.once('end', resolve));
        socket
          .on('error', () => {})
          .resume()
          .write('GET / HTTP/1.0\r\nHost: a.example\r\n\r\n');
        await ended;
        return socket;
      }),
    );
    assert.equal((await fetchRaw(gateway.port, 'GET')).status, 200);
    for (const socket of done) socket.destroy();
  });
});
