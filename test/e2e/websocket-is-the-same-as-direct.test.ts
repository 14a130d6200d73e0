import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type http from 'node:http';
import { suite, test } from 'node:test';
import { unlessPeers } from '../support/peers.ts';
import { useWebSocketRoute, type Way } from '../support/websocket-route.ts';
import { nextEvent, startWsServer, wsClient, type WsPeerServer, type WsSocket } from '../support/ws-peer.ts';

const skip = unlessPeers();
const route = await useWebSocketRoute();
const mebibyte = 1024 * 1024;

/** One message as `ws` reports it. */
type Message = [data: Buffer, isBinary: boolean];

function serve(onConnection: (socket: WsSocket, request: http.IncomingMessage) => void, options: object = {}): Promise<WsPeerServer> {
  return startWsServer(route.upstreamPort, route.path, onConnection, options);
}

function echo(socket: WsSocket): void {
  socket.on('message', (...[data, isBinary]: Message) => socket.send(isBinary ? data : data.toString()));
}

async function connect(way: Way, protocols: readonly string[] = [], options: object = {}): Promise<WsSocket> {
  const client = wsClient(route.address(way, 'ws'), protocols, options);
  await nextEvent(client, 'open');
  return client;
}

/** Does the same on both ways to the server, and answers what came of it where it was the same. */
async function sameOnBothWays<Outcome>(act: (way: Way) => Promise<Outcome>): Promise<Outcome> {
  const direct = await act('direct');
  assert.deepEqual(await act('gateway'), direct, 'through the gateway as direct');
  return direct;
}

suite('ws as client and server', { skip }, () => {
  for (const perMessageDeflate of [false, { threshold: 0 }]) {
    const how = perMessageDeflate === false ? 'as they are' : 'compressed';
    test(`text and binary messages from empty to 1 MiB arrive whole and in order, ${how}`, async () => {
      await using _server = await serve(echo, { perMessageDeflate });
      const client = await connect('gateway', [], { perMessageDeflate });
      assert.equal(client.extensions, perMessageDeflate === false ? '' : 'permessage-deflate');
      const sent: Message[] = [];
      for (const size of [0, 1, 125, 126, 65_535, 65_536, mebibyte]) {
        sent.push([randomBytes(size), true], [Buffer.from('ß€𝄞 '.repeat(size / 10)), false]);
      }
      const received: Message[] = [];
      const all = new Promise<void>((done) => {
        client.on('message', (...message: Message) => {
          if (received.push(message) === sent.length) done();
        });
      });
      for (const [data, isBinary] of sent) client.send(isBinary ? data : data.toString());
      await Promise.race([all, nextEvent(client, 'close').then(() => assert.fail('closed before all was there'))]);
      for (const [i, [data, isBinary]] of sent.entries()) {
        assert.equal(received[i]![1], isBinary, `kind of message ${i}`);
        assert.ok(data.equals(received[i]![0]), `message ${i} of ${data.length} bytes`);
      }
      client.terminate();
    });
  }

  test('permessage-deflate is negotiated between the two sides, and what goes over the wire is small both ways', async () => {
    await using server = await serve(echo, { perMessageDeflate: { threshold: 0 } });
    const counts = await sameOnBothWays(async (way) => {
      const accepted = nextEvent<[WsSocket]>(server.ws, 'connection');
      const client = await connect(way);
      const [socket] = await accepted;
      const before = [client._socket.bytesRead, socket._socket.bytesRead] as const;
      client.send(Buffer.alloc(mebibyte, 'compressible '));
      const [data] = await nextEvent<Message>(client, 'message');
      assert.equal(data.length, mebibyte);
      const wire = { toClient: client._socket.bytesRead - before[0], toServer: socket._socket.bytesRead - before[1] };
      const extensions = client.extensions;
      client.terminate();
      return { wire, extensions };
    });
    assert.equal(counts.extensions, 'permessage-deflate');
    assert.ok(counts.wire.toServer > 0 && counts.wire.toServer < mebibyte / 50, JSON.stringify(counts));
    assert.ok(counts.wire.toClient > 0 && counts.wire.toClient < mebibyte / 50, JSON.stringify(counts));
  });

  test('the server chooses the subprotocol, and one that chooses none is seen to choose none', async () => {
    await using server = await serve(echo, { handleProtocols: (offered: Set<string>) => (offered.has('b.v2') ? 'b.v2' : false) });
    const chosen = await sameOnBothWays(async (way) => {
      const client = await connect(way, ['a', 'b.v2', 'c']);
      const { protocol } = client;
      client.terminate();
      return protocol;
    });
    assert.equal(chosen, 'b.v2');
    const none = await sameOnBothWays(async (way) => {
      const accepted = nextEvent<[WsSocket]>(server.ws, 'connection');
      const client = wsClient(route.address(way, 'ws'), ['a']);
      const [error] = await nextEvent<[Error]>(client, 'error');
      const [socket] = await accepted;
      socket.terminate();
      return error.message;
    });
    assert.equal(none, 'Server sent no subprotocol');
  });

  const codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 4999];
  for (const closing of ['client', 'server'] as const) {
    test(`codes and reasons with which the ${closing} closes arrive at the other side, and its answer at the first`, async () => {
      await using server = await serve(echo);
      const close = async (way: Way, code?: number, reason?: string): Promise<unknown[]> => {
        const accepted = nextEvent<[WsSocket]>(server.ws, 'connection');
        const client = await connect(way);
        const [socket] = await accepted;
        const ends = [nextEvent<[number, Buffer]>(client, 'close'), nextEvent<[number, Buffer]>(socket, 'close')];
        (closing === 'client' ? client : socket).close(code, reason);
        return (await Promise.all(ends)).map(([seen, why]) => [seen, why.toString()]);
      };
      for (const code of codes) {
        const reason = `because of ${code} €`;
        const seen = await sameOnBothWays((way) => close(way, code, reason));
        assert.deepEqual(seen, [
          [code, reason],
          [code, reason],
        ]);
      }
      const wordless = await sameOnBothWays((way) => close(way));
      assert.deepEqual(wordless, [
        [1005, ''],
        [1005, ''],
      ]);
    });

    test(`a ${closing} that breaks off without closing is seen to break off`, async () => {
      await using server = await serve(echo);
      const code = await sameOnBothWays(async (way) => {
        const accepted = nextEvent<[WsSocket]>(server.ws, 'connection');
        const client = await connect(way);
        const [socket] = await accepted;
        const [leaving, staying] = closing === 'client' ? [client, socket] : [socket, client];
        const end = nextEvent<[number]>(staying, 'close');
        leaving.terminate();
        return (await end)[0];
      });
      assert.equal(code, 1006);
    });
  }

  test('pings and pongs go to the other side and back, payload and all', async () => {
    await using server = await serve(echo);
    await sameOnBothWays(async (way) => {
      const accepted = nextEvent<[WsSocket]>(server.ws, 'connection');
      const client = await connect(way);
      const [socket] = await accepted;
      for (const [from, to] of [
        [client, socket],
        [socket, client],
      ] as const) {
        for (const payload of ['', 'are you there?', 'x'.repeat(125)]) {
          const arrived = nextEvent<[Buffer]>(to, 'ping');
          const answered = nextEvent<[Buffer]>(from, 'pong');
          from.ping(payload);
          assert.equal((await arrived)[0].toString(), payload);
          assert.equal((await answered)[0].toString(), payload);
        }
      }
      client.terminate();
    });
  });

  test('a server that refuses the upgrade is heard with its own status, headers and body', async () => {
    const refuse = (_info: unknown, answer: (ok: boolean, status: number, reason: string, headers: object) => void): void =>
      answer(false, 403, 'members only', { 'X-Refused-By': 'the server' });
    await using _server = await serve(echo, { verifyClient: refuse });
    const refusal = await sameOnBothWays(async (way) => {
      const client = wsClient(route.address(way, 'ws'));
      const [request, response] = await nextEvent<[http.ClientRequest, http.IncomingMessage]>(client, 'unexpected-response');
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      await once(response, 'end');
      request.destroy();
      return { status: response.statusCode, by: response.headers['x-refused-by'], type: response.headers['content-type'], body };
    });
    assert.deepEqual(refusal, { status: 403, by: 'the server', type: 'text/html', body: 'members only' });
  });

  test('the handshake’s own headers arrive on both sides; what admitted the client does not', async () => {
    await using server = await serve(echo);
    server.ws.on('headers', (headers: string[]) => headers.push('Set-Cookie: session=1', 'X-Served-By: s1'));
    const seen = await sameOnBothWays(async (way) => {
      const accepted = nextEvent<[WsSocket, http.IncomingMessage]>(server.ws, 'connection');
      const client = wsClient(route.address(way, 'ws'), [], {
        origin: 'https://app.example',
        headers: { Cookie: 'a=1', 'User-Agent': 'u/1' },
      });
      const [response] = await nextEvent<[http.IncomingMessage]>(client, 'upgrade');
      const [, request] = await accepted;
      client.terminate();
      const { origin, cookie, 'user-agent': agent, 'x-api-key': key, authorization } = request.headers;
      return {
        url: request.url,
        origin,
        cookie,
        agent,
        key,
        authorization,
        answer: [response.headers['set-cookie'], response.headers['x-served-by']],
      };
    });
    assert.deepEqual(seen, {
      url: route.path,
      origin: 'https://app.example',
      cookie: 'a=1',
      agent: 'u/1',
      key: undefined,
      authorization: undefined,
      answer: [['session=1'], 's1'],
    });
  });

  test('a hundred connections at once each get their own messages', async () => {
    await using _server = await serve(echo);
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const client = await connect('gateway');
        for (let round = 0; round < 10; round += 1) {
          const text = `${i}.${round} `.repeat(1 + i * 10);
          client.send(text);
          assert.equal(String((await nextEvent<Message>(client, 'message'))[0]), text);
        }
        const closed = nextEvent<[number]>(client, 'close');
        client.close(1000);
        assert.equal((await closed)[0], 1000);
      }),
    );
  });

  test('a connection leaves one record, of a switch of protocols, when it has ended', async () => {
    await using _server = await serve(echo);
    const client = wsClient(route.address('gateway', 'ws'));
    client.once('open', () => client.close(1000));
    const closed = nextEvent(client, 'close');
    const [response] = await nextEvent<[http.IncomingMessage]>(client, 'upgrade');
    await closed;
    const record = await route.harness.gateway.record((each) => each.request_id === response.headers['x-request-id']);
    assert.deepEqual([record.status, record.outcome, record.path], [101, 'ok', route.path]);
  });
});
