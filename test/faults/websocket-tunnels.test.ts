import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { deadlineIn } from '../support/byte-stream.ts';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk, type Script, startScriptedUpstream, type UpstreamConnection } from '../support/scripted-upstream.ts';
import { startGateway } from '../support/start-gateway.ts';
import { residentMemoryOf } from '../support/tcp-sockets.ts';

// The managed default route takes WebSocket too.
const harness = useGateway();
const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
const handshake = (extra = ''): string =>
  `GET /socket HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${extra}\r\n`;
const switching = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n`;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A text frame; frames of clients are masked (with zeros, so that they stay readable). */
function frame(text: string, masked: boolean): Buffer {
  const payload = Buffer.from(text);
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
  length[0] = length[0]! | (masked ? 0x80 : 0);
  return Buffer.concat([Buffer.from([0x81, ...length]), Buffer.alloc(masked ? 4 : 0), payload]);
}

/** Switches, and then hands the bytes of the tunnel to `serve` until it ends. */
function tunnel(serve: (connection: UpstreamConnection) => Promise<void>, fields = ''): Script {
  return async (request, connection) => {
    if (request.values('upgrade').length === 0) return await answerOk(request, connection);
    await connection.write(`${switching}${fields}\r\n`);
    await serve(connection);
    connection.socket.destroy();
  };
}

const echo = tunnel(async (connection) => {
  for (;;) {
    const piece = await connection.stream.some(deadlineIn(60_000), 'bytes of the tunnel');
    if (piece === undefined) return;
    await connection.write(piece);
  }
});

async function open(port = harness.port): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.send(handshake());
  assert.equal((await client.response()).status, 101);
  return client;
}

test('W01 frames pass both ways byte for byte, small and large', async () => {
  harness.upstream.script = echo;
  using client = await open();
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
  assert.equal(request.value('sec-websocket-key'), key);
  assert.equal(request.value('upgrade')?.toLowerCase(), 'websocket');
  assert.equal(request.value('connection')?.toLowerCase(), 'upgrade');
  assert.deepEqual(request.values('keep-alive'), []);
  assert.equal(response.status, 101);
  assert.equal(response.value('sec-websocket-accept'), accept);
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
    ['no Upgrade', `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`],
    [
      'another protocol',
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
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
    using client = await open();
    assert.ok(last.equals(await client.stream.exactly(last.length, deadlineIn(2_000), 'the last frame')));
    await client.ended();
  });
  for (const how of ['destroy', 'reset'] as const) {
    test(`a client that leaves (${how}) closes the upstream within 1 s`, async () => {
      harness.upstream.script = echo;
      const client = await open();
      client[how]();
      await eventually(() => harness.upstream.open.length === 0, 'closed', 1_000);
    });
  }
  test('an upstream that resets closes the client', async () => {
    harness.upstream.script = tunnel(async (connection) => {
      await pause(30);
      connection.reset();
    });
    using client = await open();
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

test(
  'W08 a tunnel is cut when idle for APIGATE_WEBSOCKET_IDLE, and not while anything moves',
  { todo: 'the setting comes with the work on protocols' },
  async () => {
    const upstream = await startScriptedUpstream(echo);
    try {
      const gateway = await startGateway({ upstream: upstream.url, env: { APIGATE_WEBSOCKET_IDLE: '1500ms' } });
      try {
        using client = await open(gateway.port);
        for (let round = 0; round < 5; round += 1) {
          await pause(500);
          await client.send(frame('ping', true));
          await client.stream.exactly(10, deadlineIn(1_000), 'the echo');
        }
        const idle = performance.now();
        await eventually(() => client.stream.ending !== undefined, 'the cut', 4_000);
        const took = performance.now() - idle;
        assert.ok(took > 1_300 && took < 3_500, `${took}`);
      } finally {
        await gateway.stop();
      }
    } finally {
      await upstream.close();
    }
  },
);

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
  using client = await open();
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
    const client = await open();
    await client.send(bytes);
    await pause(50);
    client.destroy();
  }
  using client = await open();
  const fragments = Buffer.concat(Array.from({ length: 200_000 }, () => Buffer.from('018000000000', 'hex')));
  const sending = client.send(fragments);
  let got = 0;
  while (got < fragments.length && client.stream.ending === undefined)
    got += (await client.stream.some(deadlineIn(5_000), 'fragments'))?.length ?? 0;
  await sending.catch(() => {});
  assert.ok(residentMemoryOf(harness.gateway.pid) - memory < 32 * 1024 * 1024);
});

test(
  'a shutdown ends an idle tunnel with a close frame 1001 at the drain deadline',
  { todo: 'comes with the work on protocols' },
  async () => {
    const upstream = await startScriptedUpstream(echo);
    const gateway = await startGateway({ upstream: upstream.url, env: { APIGATE_DRAIN_TIMEOUT: '700ms' } });
    try {
      using client = await RawClient.connect(gateway.port);
      await client.send(handshake());
      assert.equal((await client.response()).status, 101);
      const sent = frame('hello', true);
      await client.send(sent);
      await client.stream.exactly(sent.length, deadlineIn(1_000), 'the echo');
      gateway.process.kill('SIGTERM');
      const { rest } = await client.ended(4_000);
      assert.equal(rest.subarray(0, 4).toString('hex'), '880203e9');
      assert.equal(await gateway.exited, 0);
    } finally {
      await gateway.stop();
      await upstream.close();
    }
  },
);
