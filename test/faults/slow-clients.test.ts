import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk } from '../support/scripted-upstream.ts';
import { portOf, residentMemoryOf, tcpSocketsOf } from '../support/tcp-sockets.ts';

const harness = useGateway({ admin: true, concurrent: true });
/** From the first byte to the full head; the wheel that looks after it may be coarse. */
const headLimit = 10_000;
const slack = 2_500;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks a healthy path until told to stop, and answers the slowest answer in milliseconds. */
function watchHealth(stop: () => boolean): Promise<number> {
  return (async () => {
    let slowest = 0;
    while (!stop()) {
      const start = performance.now();
      assert.equal((await fetchRaw(harness.port, 'GET', { target: '/healthy' })).status, 200);
      slowest = Math.max(slowest, performance.now() - start);
      await pause(100);
    }
    return slowest;
  })();
}

describe('slow clients', { concurrency: true }, () => {
  test('A21 slowloris: 500 connections of a byte now and then are cut with 408, and others are served (I5)', async () => {
    let over = false;
    const health = watchHealth(() => over);
    const clients = await Promise.all(Array.from({ length: 500 }, () => RawClient.connect(harness.port)));
    const start = performance.now();
    await Promise.all(clients.map((client) => client.send('GET / HTTP/1.1\r\nHost: a\r\nX')));
    await pause(8_000);
    await Promise.all(clients.map((client) => client.send('y')));
    const statuses = await Promise.all(
      clients.map(async (client) => {
        await eventually(() => client.stream.ending !== undefined, 'the cut', headLimit + slack);
        return client.stream.size > 0 ? (await client.response()).status : 0;
      }),
    );
    const took = performance.now() - start;
    over = true;
    assert.ok(took > headLimit - 500, `not cut before its time: ${took}`);
    assert.ok(took < headLimit + slack, `all cut in time: ${took}`);
    assert.ok(
      statuses.every((status) => status === 408 || status === 0),
      [...new Set(statuses)].join(),
    );
    assert.ok(statuses.includes(408), 'the cut is a 408');
    const slowest = await health;
    assert.ok(slowest < 3_000, `the slowest healthy answer took ${slowest} ms`);
  });

  test('A22 a body of one byte in five seconds is cut by the minimum rate with 408, and the upstream is aborted', async () => {
    const { path, upstream } = await harness.exposed({}, answerOk);
    using client = await RawClient.connect(harness.port);
    const start = performance.now();
    await client.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n`);
    for (let sent = 0; sent < 5 && client.stream.ending === undefined && client.stream.size === 0; sent += 1) {
      await client.send('x');
      await Promise.race([
        pause(5_000),
        eventually(() => client.stream.size > 0 || client.stream.ending !== undefined, 'an answer', 5_000).catch(() => {}),
      ]);
    }
    const response = await client.response();
    const took = performance.now() - start;
    assert.equal(response.status, 408);
    assert.equal(response.json()['code'], 'request_timeout');
    assert.ok(took < 10_000 + 2 * slack, `${took}`);
    await client.ended();
    for (const request of upstream.requests) assert.equal(await request.ended(), false);
  });

  test('A22 a body of 400 bytes a second is slow but not cut', async () => {
    const { path, upstream } = await harness.exposed({ timeout_ms: 1_500 }, answerOk);
    using client = await RawClient.connect(harness.port);
    await client.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 5600\r\n\r\n`);
    for (let round = 0; round < 7; round += 1) {
      await client.send('x'.repeat(800));
      await pause(2_000);
    }
    const response = await client.response();
    assert.equal(response.status, 200, `a slow client pauses timeout_ms: ${response.body.toString()}`);
    assert.equal(upstream.requests[0]!.bodyLength, 5_600);
  });

  test('A21 a head that stops is 408 ten seconds after its first byte', async () => {
    using client = await RawClient.connect(harness.port);
    const start = performance.now();
    await client.send('GET /slow HTTP/1.1\r\nHost: a\r\n');
    const response = await client.response({ timeoutMs: headLimit + slack });
    const took = performance.now() - start;
    assert.equal(response.status, 408);
    assert.equal(response.value('connection')?.toLowerCase(), 'close');
    assert.ok(took > headLimit - 500 && took < headLimit + slack, `${took}`);
    await client.ended();
  });

  test('A21 the second head of a connection has ten seconds as well', async () => {
    using client = await RawClient.connect(harness.port);
    assert.equal((await client.request('GET')).status, 200);
    const start = performance.now();
    await client.send('GET /second HTTP/1.1\r\n');
    assert.equal((await client.response({ timeoutMs: headLimit + slack })).status, 408);
    const took = performance.now() - start;
    assert.ok(took > headLimit - 500 && took < headLimit + slack, `${took}`);
  });

  test('empty lines that some clients send behind a body are no request that is late', async () => {
    using client = await RawClient.connect(harness.port);
    await client.send('POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc\r\n');
    assert.equal((await client.response()).status, 200);
    const { rest } = await client.ended(20_000);
    assert.equal(rest.latin1Slice(), '', 'closed in silence: a 408 would be taken for the answer to the next request');
  });

  test('a client that stops reading pauses timeout_ms, and gets everything later', async () => {
    const size = 64 * 1024 * 1024;
    const { path } = await harness.exposed({ timeout_ms: 1_000 }, async (_request, connection) => {
      await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      const piece = Buffer.alloc(1024 * 1024, 'x');
      for (let sent = 0; sent < size; sent += piece.length) await connection.write(piece);
    });
    using client = await RawClient.connect(harness.port);
    await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await eventually(() => client.stream.size > 0, 'the head');
    client.socket.pause();
    await pause(3_000);
    client.socket.resume();
    let got = 0;
    await client.response({ onData: (piece) => (got += piece.length) });
    assert.equal(got, size);
  });

  test(
    'A23 a client that reads nothing of 1 GiB costs at most 1 MiB, and backpressure stops the upstream',
    { skip: hasSs() ? false : 'the ss tool is not installed' },
    async () => {
      let sent = 0;
      const { path, upstream } = await harness.exposed({}, async (_request, connection) => {
        await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${2 ** 30}\r\n\r\n`);
        const piece = Buffer.alloc(256 * 1024, 'x');
        while (sent < 2 ** 30 && !connection.socket.destroyed) {
          await connection.write(piece);
          sent += piece.length;
        }
      });
      const memory = residentMemoryOf(harness.gateway.pid);
      using client = await RawClient.connect(harness.port);
      client.socket.pause();
      await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await upstream.request(0);
      let last = -1;
      await eventually(
        async () => {
          const still = sent === last && sent > 0;
          last = sent;
          await pause(400);
          return still;
        },
        'the upstream is paused',
        15_000,
      );
      const clientPort = client.socket.localPort!;
      const buffered = bytesHeld(harness.gateway.pid, upstream.port, clientPort);
      assert.ok(buffered <= 1024 * 1024, `the gateway holds ${buffered} bytes`);
      assert.ok(residentMemoryOf(harness.gateway.pid) - memory < 16 * 1024 * 1024);
      client.destroy();
      await eventually(() => upstream.open.length === 0, 'the upstream is let go');
    },
  );
});

function hasSs(): boolean {
  try {
    execFileSync('ss', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Bytes that the process has read from its upstream socket and not yet handed to the kernel for the client. */
function bytesHeld(pid: number, upstreamPort: number, clientPort: number): number {
  assert.ok(tcpSocketsOf(pid).some(({ remote }) => portOf(remote) === upstreamPort));
  const read = (filter: string): { received: number; recvQueue: number; acked: number; sendQueue: number } => {
    const [first, second] = execFileSync('ss', ['-tinH', ...filter.split(' ')], { encoding: 'utf8' })
      .trim()
      .split('\n');
    const [, recvQueue, sendQueue] = first!.trim().split(/\s+/);
    const number = (name: string): number => Number(new RegExp(`${name}:(\\d+)`).exec(second ?? '')?.[1] ?? 0);
    return { received: number('bytes_received'), recvQueue: Number(recvQueue), acked: number('bytes_acked'), sendQueue: Number(sendQueue) };
  };
  const upstreamSide = read(`dport = :${upstreamPort}`);
  const clientSide = read(`sport != :${clientPort} and dport = :${clientPort}`);
  return upstreamSide.received - upstreamSide.recvQueue - (clientSide.acked + clientSide.sendQueue);
}
