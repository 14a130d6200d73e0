import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { deadlineIn } from '../support/byte-stream.ts';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { startGateway } from '../support/start-gateway.ts';
import { residentMemoryOf } from '../support/tcp-sockets.ts';
import { echo, frame, handshake, handshakeAccept, handshakeKey, openTunnel, switching, tunnel } from '../support/websocket.ts';

// The managed default route takes WebSocket too.
const harness = useGateway();

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test('W01 frames pass both ways byte for byte, small and large', async () => {
  harness.upstream.script = echo;
  using client = await openTunnel(harness.port);
  for (const size of [0, 1, 125, 126, 5_000, 60_000]) {
    const sent = frame('x'.repeat(size), true);
    await client.send(sent);
    assert.ok(sent.equals(await client.stream.exactly(sent.length, deadlineIn(3_000), `the echo of ${size}`)));
  }
  const big = Buffer.concat([Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0]), randomBytes(0x800000)]);
  const sending = client.send(big);
  assert.ok(big.equals(await client.stream.exactly(big.length, deadlineIn(10_000), 'the echo of 8 MiB')));
  await sending;
});

test('W09 Origin, subprotocols, extensions and cookies pass unchanged; hop-by-hop ones do not', async () => {
  harness.upstream.script = tunnel(async () => {}, 'Sec-WebSocket-Protocol: chat\r\nConnection: x-hop\r\nX-Hop: 1\r\nSet-Cookie: s=1\r\n');
  const client = await RawClient.connect(harness.port);
  await client.send(
    handshake(
      'Origin: https://app.example\r\nSec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nCookie: a=1\r\nKeep-Alive: 5\r\n',
    ),
  );
  const response = await client.response();
  const request = harness.upstream.requests.at(-1)!;
  assert.equal(request.value('origin'), 'https://app.example');
  assert.equal(request.value('sec-websocket-protocol'), 'chat, superchat');
  assert.equal(request.value('sec-websocket-extensions'), 'permessage-deflate; client_max_window_bits');
  assert.equal(request.value('cookie'), 'a=1');
  assert.equal(request.value('sec-websocket-key'), handshakeKey);
  assert.equal(request.value('upgrade')?.toLowerCase(), 'websocket');
  assert.equal(request.value('connection')?.toLowerCase(), 'upgrade');
  assert.deepEqual(request.values('keep-alive'), []);
  assert.equal(response.status, 101);
  assert.equal(response.value('sec-websocket-accept'), handshakeAccept);
  assert.equal(response.value('sec-websocket-protocol'), 'chat');
  assert.equal(response.value('set-cookie'), 's=1');
  assert.deepEqual(response.values('x-hop'), []);
  client.destroy();
});

test('no client byte goes upstream after the head before the 101 is there', async () => {
  let seen = '';
  harness.upstream.script = async (_request, connection) => {
    await pause(150);
    seen = connection.stream.peek().latin1Slice();
    await connection.write(`${switching}\r\n`);
    const early = await connection.stream.exactly(7, deadlineIn(2_000), 'the early frame');
    await connection.write(early);
    await pause(50);
    connection.socket.destroy();
  };
  using client = await RawClient.connect(harness.port);
  const early = frame('e', true);
  await client.send(Buffer.concat([Buffer.from(handshake()), early]));
  assert.equal((await client.response()).status, 101);
  assert.ok(early.equals(await client.stream.exactly(7, deadlineIn(2_000), 'the echo')));
  assert.equal(seen, '');
});

describe('W03 upgrades that are refused', () => {
  for (const status of [401, 403, 404, 426, 200]) {
    test(`W03 ${status} with a body is an ordinary response, and what the client sent early is no request`, async () => {
      harness.upstream.script = (request, connection) =>
        connection.write(`HTTP/1.1 ${status} No\r\n${request.nonceEcho}Content-Length: 2\r\n\r\nno`);
      using client = await RawClient.connect(harness.port);
      const before = harness.upstream.requests.length;
      await client.send(`${handshake()}GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      const response = await client.response();
      assert.equal(response.status, status);
      assert.equal(response.body.toString(), 'no');
      await client.ended();
      assert.equal((await fetchRaw(harness.port, 'GET', { target: '/after' })).status, status);
      assert.ok(!harness.upstream.requests.slice(before).some((request) => request.target === '/smuggled'));
    });
  }
});

describe('W04 answers that are no upgrade', () => {
  for (const [what, bytes] of [
    [
      'a wrong Sec-WebSocket-Accept',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n',
    ],
    ['no Sec-WebSocket-Accept', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
    ['no Upgrade', `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${handshakeAccept}\r\n\r\n`],
    [
      'another protocol',
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${handshakeAccept}\r\n\r\n`,
    ],
  ] as const) {
    test(`W04 a 101 with ${what} is 502, and both sides are closed`, async () => {
      harness.upstream.script = (_request, connection) => connection.write(bytes);
      using client = await RawClient.connect(harness.port);
      await client.send(handshake());
      const response = await client.response();
      assert.equal(response.status, 502);
      assert.equal(response.json()['code'], 'upstream_invalid_response');
      await eventually(() => harness.upstream.open.length === 0, 'the upstream is closed');
      await client.ended();
    });
  }
});

describe('ends of a tunnel', () => {
  test('what the upstream sent before it closed reaches the client', async () => {
    const last = frame('last words', false);
    harness.upstream.script = tunnel(async (connection) => {
      await connection.write(last);
      connection.end();
      await connection.closed;
    });
    using client = await openTunnel(harness.port);
    assert.ok(last.equals(await client.stream.exactly(last.length, deadlineIn(2_000), 'the last frame')));
    await client.ended();
  });
  for (const how of ['destroy', 'reset'] as const) {
    test(`a client that leaves (${how}) closes the upstream within 1 s`, async () => {
      harness.upstream.script = echo;
      const client = await openTunnel(harness.port);
      client[how]();
      await eventually(() => harness.upstream.open.length === 0, 'closed', 1_000);
    });
  }
  test('an upstream that resets closes the client', async () => {
    harness.upstream.script = tunnel(async (connection) => {
      await pause(30);
      connection.reset();
    });
    using client = await openTunnel(harness.port);
    await client.ended();
  });
  test('a tunnel is one record with outcome ok and status 101', async () => {
    harness.upstream.script = echo;
    const client = await RawClient.connect(harness.port);
    await client.send(handshake());
    const id = (await client.response()).value('x-request-id');
    client.destroy();
    const record = await harness.gateway.record((each) => each.request_id === id);
    assert.equal(record.status, 101);
  });
});

test('W08 a tunnel is cut when idle for APIGATE_WEBSOCKET_IDLE, with a close frame, and not while anything moves', async () => {
  const upstream = await startScriptedUpstream(echo);
  const gateway = await startGateway({ upstream: upstream.url, env: { APIGATE_WEBSOCKET_IDLE: '1500ms' } });
  try {
    using client = await openTunnel(gateway.port);
    for (let round = 0; round < 5; round += 1) {
      await pause(500);
      await client.send(frame('ping', true));
      await client.stream.exactly(6, deadlineIn(1_000), 'the echo');
      assert.equal(client.stream.takeAll().length, 4);
    }
    const idle = performance.now();
    const { rest } = await client.ended(6_000);
    const took = performance.now() - idle;
    assert.ok(took > 1_300 && took < 5_000, `${took}`);
    assert.equal(rest.toString('hex'), '880203e9');
    await eventually(() => upstream.open.length === 0, 'the upstream is closed');
    const record = await gateway.record(({ status }) => status === 101);
    assert.equal(record.outcome, 'ok');
    assert.match(String(record['reason']), /nothing was sent either way for 1500 ms/);
    assert.equal(await gateway.stop(), 0);
  } finally {
    gateway.process.kill('SIGKILL');
    await gateway.stop();
    await upstream.close();
  }
});

test('W06 a client that does not read stops a fast upstream; at most 1 MiB is held', async () => {
  let wrote = 0;
  harness.upstream.script = tunnel(async (connection) => {
    const piece = Buffer.concat([Buffer.from([0x82, 0x7f, 0, 0, 0, 0, 0, 0x01, 0, 0]), Buffer.alloc(65_536)]);
    while (!connection.socket.destroyed && wrote < 2 ** 30) {
      await connection.write(piece);
      wrote += piece.length;
    }
  });
  const memory = residentMemoryOf(harness.gateway.pid);
  using client = await openTunnel(harness.port);
  client.socket.pause();
  let last = -1;
  await eventually(
    async () => {
      const still = wrote === last;
      last = wrote;
      await pause(250);
      return still;
    },
    'the upstream is stopped',
    10_000,
  );
  assert.ok(wrote < 2 ** 30);
  assert.ok(residentMemoryOf(harness.gateway.pid) - memory < 16 * 1024 * 1024);
});

test('W07 lengths of 2^63, reserved bits and a million tiny fragments are relayed or closed; memory stays flat', async () => {
  harness.upstream.script = echo;
  const memory = residentMemoryOf(harness.gateway.pid);
  for (const bytes of [
    Buffer.from('82ffffffffffffffffff00000000aaaa', 'hex'),
    Buffer.from('f18000000000', 'hex'),
    randomBytes(10_000),
    Buffer.alloc(100_000, 0xff),
  ]) {
    const client = await openTunnel(harness.port);
    await client.send(bytes);
    await pause(50);
    client.destroy();
  }
  using client = await openTunnel(harness.port);
  const fragments = Buffer.concat(Array.from({ length: 200_000 }, () => Buffer.from('018000000000', 'hex')));
  const sending = client.send(fragments);
  let got = 0;
  while (got < fragments.length && client.stream.ending === undefined)
    got += (await client.stream.some(deadlineIn(5_000), 'fragments'))?.length ?? 0;
  await sending.catch(() => {});
  assert.ok(residentMemoryOf(harness.gateway.pid) - memory < 32 * 1024 * 1024);
});
