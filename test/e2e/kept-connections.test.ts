import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { text } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { useGateway } from '../support/harness.ts';
import { startNodeServer, type NodeServer } from '../support/node-server.ts';
import { unlessPeers } from '../support/peers.ts';
import { undiciClient } from '../support/undici-peer.ts';

const harness = useGateway({ admin: true, script: false, workers: 2 });

/** Tells what it was asked; the later requests of a pipeline are answered sooner than the earlier ones. */
function startTeller(): Promise<NodeServer> {
  return startNodeServer((request, response) => {
    void (async () => {
      const body = await text(request);
      const delay = Number(new URL(request.url ?? '/', 'http://x').searchParams.get('delay'));
      await new Promise((resolve) => setTimeout(resolve, delay));
      const answer = JSON.stringify({ method: request.method, url: request.url, body });
      // Some with Content-Length, some in chunks; Node's client closes after an answer to HEAD that has neither.
      if (delay % 2 === 0 || request.method === 'HEAD') response.setHeader('content-length', Buffer.byteLength(answer));
      response.write(answer);
      response.end();
    })();
  });
}

suite('undici as client', { skip: unlessPeers() }, () => {
  test('requests sent ahead on one connection are answered in order, each with its own answer', async () => {
    await using teller = await startTeller();
    const { path } = await harness.gateway.admin.expose({ base_url: teller.url });
    const client = undiciClient(harness.gateway.url, 10);
    let connects = 0;
    client.on('connect', () => (connects += 1));
    const arrived: number[] = [];
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const target = `${path}/${i}?delay=${(10 - (i % 10)) * 2 + (i % 3)}`;
        const { statusCode, body } = await client.request({ method: 'GET', path: target });
        arrived.push(i);
        assert.equal(statusCode, 200);
        assert.deepEqual(JSON.parse(await body.text()), { method: 'GET', url: target, body: '' });
      }),
    );
    assert.deepEqual(
      arrived,
      Array.from({ length: 100 }, (_, i) => i),
    );
    assert.equal(connects, 1);
    await client.destroy();
  });

  test('an answer that the gateway makes itself keeps its place in the pipeline', async () => {
    await using teller = await startTeller();
    const { path } = await harness.gateway.admin.expose({ base_url: teller.url });
    const client = undiciClient(harness.gateway.url, 6);
    let connects = 0;
    client.on('connect', () => (connects += 1));
    const targets = [`${path}/a?delay=30`, '/no-such-route', '/healthz', `${path}/b?delay=1`, '/no-such-route', `${path}/c?delay=0`];
    const answers = await Promise.all(
      targets.map(async (target) => {
        const { statusCode, body } = await client.request({ method: 'GET', path: target });
        return { statusCode, text: await body.text() };
      }),
    );
    assert.deepEqual(
      answers.map((answer) => answer.statusCode),
      [200, 404, 200, 200, 404, 200],
    );
    for (const i of [0, 3, 5]) assert.equal((JSON.parse(answers[i]!.text) as { url: string }).url, targets[i]);
    assert.equal((JSON.parse(answers[1]!.text) as { code: string }).code, 'route_not_found');
    assert.equal(connects, 1);
    await client.destroy();
  });
});

suite('http.Agent of Node.js with keep-alive', () => {
  for (const maxSockets of [1, 8]) {
    test(`300 requests of all kinds share ${maxSockets === 1 ? 'one connection' : `${maxSockets} connections`}`, async () => {
      await using teller = await startTeller();
      const { path } = await harness.gateway.admin.expose({ base_url: teller.url });
      const agent = new http.Agent({ keepAlive: true, maxSockets });
      const sockets = new Set<net.Socket>();
      const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'];
      await Promise.all(
        Array.from({ length: 300 }, async (_, i) => {
          const method = methods[i % methods.length]!;
          const body = method === 'POST' || method === 'PUT' || method === 'PATCH' ? `body ${i} `.repeat(i) : '';
          const request = http.request(harness.gateway.url + path + `/${i}?delay=${i % 2}`, { method, agent });
          request.once('socket', (socket) => sockets.add(socket));
          // Half of the bodies with Content-Length, half in chunks.
          if (i % 2 === 0 && body !== '') request.write(body);
          request.end(i % 2 === 0 ? '' : body);
          const [response] = (await once(request, 'response')) as [http.IncomingMessage];
          const answer = await text(response);
          assert.equal(response.statusCode, 200);
          if (method === 'HEAD') assert.equal(answer, '');
          else assert.deepEqual(JSON.parse(answer), { method, url: `${path}/${i}?delay=${i % 2}`, body });
        }),
      );
      assert.equal(sockets.size, maxSockets);
      agent.destroy();
    });
  }
});
