import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw, RawClient, type RawResponse } from '../support/raw-client.ts';
import { residentMemoryOf } from '../support/tcp-sockets.ts';

const harness = useGateway();
const mebibyte = 1024 * 1024;
/** Size of the large bodies: 5 GiB in the long run, enough to show a leak in the short one. */
const large = process.env['APIGATE_TEST_LONG'] === '1' ? 5 * 1024 * mebibyte : 256 * mebibyte;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Samples the gateway's resident memory until told to stop; answers the highest. */
function watchMemory(): { stop(): number } {
  let highest = residentMemoryOf(harness.gateway.pid);
  const timer = setInterval(() => (highest = Math.max(highest, residentMemoryOf(harness.gateway.pid))), 50);
  return {
    stop: () => {
      clearInterval(timer);
      return highest;
    },
  };
}

async function warmUp(): Promise<number> {
  for (let round = 0; round < 200; round += 1) await fetchRaw(harness.port, 'POST', { target: '/warm', body: 'x'.repeat(65_536) });
  return residentMemoryOf(harness.gateway.pid);
}

describe('G01 server-sent events', () => {
  test('G01 each event reaches the client within 50 ms of its writing, byte for byte', async () => {
    const events = [
      'data: one\n\n',
      'retry: 100\rdata: zw\xc3\xb6',
      'lf\r\n\r\n',
      ': comment\n\n',
      'id: 5\ndata: \xf0\x9f',
      '\x98\x80\n\n',
    ];
    const wrote: number[] = [];
    harness.upstream.script = async (request, connection) => {
      await connection.write(
        `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\nCache-Control: no-cache\r\n${request.nonceEcho}Transfer-Encoding: chunked\r\n\r\n`,
      );
      for (const event of events) {
        await pause(120);
        wrote.push(performance.now());
        await connection.write(`${event.length.toString(16)}\r\n${event}\r\n`);
      }
      await connection.write('0\r\n\r\n');
    };
    // Late is one where this machine has other things to do, or most of a whole round; buffering would make most of each late.
    const rounds: number[][] = [];
    let response: RawResponse;
    do {
      wrote.length = 0;
      using client = await RawClient.connect(harness.port);
      const arrived: [number, Buffer][] = [];
      await client.send(
        'GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nAccept-Encoding: gzip, br\r\nLast-Event-ID: 4\r\n\r\n',
      );
      response = await client.response({ onData: (piece) => arrived.push([performance.now(), piece]) });
      assert.equal(Buffer.concat(arrived.map(([, piece]) => piece)).latin1Slice(), events.join(''));
      const delays = arrived.map(([when], index) => when - (wrote[index] ?? 0)).sort((left, right) => left - right);
      rounds.push(arrived.length === events.length ? delays : [Infinity, Infinity]);
    } while (rounds.length < 4 && rounds.at(-1)!.at(-2)! >= 50);
    assert.ok(rounds.at(-1)!.at(-2)! < 50, `delays in ms: ${rounds.map((delays) => delays.join()).join('; ')}`);
    assert.equal(response.value('x-accel-buffering'), 'no');
    assert.equal(response.value('content-type'), 'text/event-stream');
    assert.deepEqual(response.values('content-encoding'), []);
    const request = harness.upstream.requests.at(-1)!;
    assert.equal(request.value('last-event-id'), '4');
    assert.equal(request.value('accept-encoding'), 'gzip, br');
  });

  test('G01 the head of a stream reaches the client before its first event', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    harness.upstream.script = async (_request, connection) => {
      await connection.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
      await gate;
      await connection.write('data: x\n\n');
      connection.end();
    };
    using client = await RawClient.connect(harness.port);
    await client.send('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match(await client.stream.line(performance.now() + 10_000, 'the status line'), /^HTTP\/1\.1 200 /);
    release();
    client.destroy();
  });

  test('G01 an upload is streamed too: the first bytes are upstream before the last are sent', async () => {
    using client = await RawClient.connect(harness.port);
    const index = harness.upstream.requests.length;
    await client.send('POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
    const request = await harness.upstream.request(index, 10_000);
    await eventually(() => request.bodyLength >= 5, 'the first bytes');
    await client.send('4\r\nlast\r\n0\r\n\r\n');
    assert.equal((await client.response()).status, 200);
  });
});

describe('G06 large bodies', () => {
  for (const framing of ['length', 'chunked'] as const) {
    test(`G06 a download of ${large / mebibyte} MiB (${framing}) is byte-exact and costs less than 32 MiB`, async () => {
      const before = await warmUp();
      const piece = randomBytes(mebibyte);
      const expected = createHash('sha256');
      for (let sent = 0; sent < large; sent += piece.length) expected.update(piece);
      harness.upstream.script = async (_request, connection) => {
        await connection.write(
          `HTTP/1.1 200 OK\r\n${framing === 'length' ? `Content-Length: ${large}` : 'Transfer-Encoding: chunked'}\r\n\r\n`,
        );
        for (let sent = 0; sent < large; sent += piece.length) {
          if (framing === 'chunked') await connection.write(`${piece.length.toString(16)}\r\n`);
          await connection.write(piece);
          if (framing === 'chunked') await connection.write('\r\n');
        }
        if (framing === 'chunked') await connection.write('0\r\n\r\n');
      };
      const memory = watchMemory();
      const hash = createHash('sha256');
      let length = 0;
      using client = await RawClient.connect(harness.port);
      await client.send('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.response({
        timeoutMs: 20_000,
        onData: (data) => {
          hash.update(data);
          length += data.length;
        },
      });
      const grown = memory.stop() - before;
      assert.equal(length, large);
      assert.equal(hash.digest('hex'), expected.digest('hex'));
      assert.ok(grown < 32 * mebibyte, `memory grew by ${Math.round(grown / mebibyte)} MiB`);
    });

    test(`G06 an upload of ${large / mebibyte} MiB (${framing}) is byte-exact and costs less than 32 MiB`, async () => {
      const before = await warmUp();
      const piece = randomBytes(mebibyte);
      const expected = createHash('sha256');
      const hash = createHash('sha256');
      harness.upstream.script = async (request, connection) => {
        request.onData = (data) => void hash.update(data);
        if (await request.complete) await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`);
      };
      const memory = watchMemory();
      using client = await RawClient.connect(harness.port);
      await client.send(
        `POST /large HTTP/1.1\r\nHost: a\r\n${framing === 'length' ? `Content-Length: ${large}` : 'Transfer-Encoding: chunked'}\r\n\r\n`,
      );
      for (let sent = 0; sent < large; sent += piece.length) {
        expected.update(piece);
        if (framing === 'chunked') await client.send(`${piece.length.toString(16)}\r\n`);
        await client.send(piece);
        if (framing === 'chunked') await client.send('\r\n');
      }
      if (framing === 'chunked') await client.send('0\r\n\r\n');
      assert.equal((await client.response({ timeoutMs: 20_000 })).status, 200);
      const grown = memory.stop() - before;
      assert.equal(hash.digest('hex'), expected.digest('hex'));
      assert.ok(grown < 32 * mebibyte, `memory grew by ${Math.round(grown / mebibyte)} MiB`);
    });
  }
});

describe('G08 many small pieces', () => {
  /** User and system time of the gateway so far, in milliseconds. */
  function cpuTime(): number {
    const fields = readFileSync(`/proc/${harness.gateway.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  async function download(chunks: number): Promise<number> {
    harness.upstream.script = async (request, connection) => {
      if (request.target !== '/tiny') return await connection.write(`HTTP/1.1 200 OK\r\n${request.nonceEcho}Content-Length: 2\r\n\r\nok`);
      await connection.write(`HTTP/1.1 200 OK\r\nX-Large: ${'y'.repeat(60_000)}\r\nTransfer-Encoding: chunked\r\n\r\n`);
      const batch = '1\r\nx\r\n'.repeat(1_000);
      for (let sent = 0; sent < chunks; sent += 1_000) await connection.write(batch);
      await connection.write('0\r\n\r\n');
    };
    const before = cpuTime();
    using client = await RawClient.connect(harness.port);
    await client.send('GET /tiny HTTP/1.1\r\nHost: a\r\n\r\n');
    let length = 0;
    await client.response({ timeoutMs: 20_000, onData: (piece) => (length += piece.length) });
    assert.equal(length, chunks);
    return cpuTime() - before;
  }

  test('G08 one-byte chunks cost no more than in proportion', async () => {
    await download(20_000);
    const small = await download(50_000);
    const big = await download(400_000);
    assert.ok(big < Math.max(small, 30) * 8 * 2.5, `50,000 chunks took ${small} ms, 400,000 took ${big} ms`);
  });

  test('A12 a request of one-byte chunks is forwarded whole', async () => {
    using client = await RawClient.connect(harness.port);
    const before = harness.upstream.requests.length;
    await client.send(`POST /tiny HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(50_000)}0\r\n\r\n`);
    assert.equal((await client.response({ timeoutMs: 10_000 })).status, 200);
    assert.equal(harness.upstream.requests[before]!.bodyLength, 50_000);
  });
});
