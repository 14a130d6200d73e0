import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { residentMemoryOf } from '../support/tcp-sockets.ts';

/* What a peer can make cost more than in proportion to its bytes. Times are CPU times of the gateway. */

// A small heap, so that memory that is merely not collected yet does not look like a leak.
const harness = useGateway({ env: { NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=2' } });

/** User and system time of the gateway so far, in milliseconds. */
function cpuTime(): number {
  const fields = readFileSync(`/proc/${harness.gateway.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function cpuOf(work: () => Promise<void>): Promise<number> {
  const before = cpuTime();
  await work();
  return cpuTime() - before;
}

async function sendInPieces(bytes: string, size: number): Promise<void> {
  using client = await RawClient.connect(harness.port);
  for (let at = 0; at < bytes.length; at += size) {
    await client.send(bytes.slice(at, at + size));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await client.response()).status, 200);
}

function requestHead(bytes: number): string {
  const begin = 'GET /cost HTTP/1.1\r\nHost: a.test\r\n';
  const lines =
    'X-Filler: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n';
  let head = begin;
  while (head.length + lines.length + 2 < bytes) head += lines;
  return `${head}\r\n`;
}

test('A21 a 16 KiB head that dribbles in costs in proportion to its pieces, not to their square', async () => {
  const small = requestHead(2_000);
  const big = requestHead(16_000);
  await cpuOf(() => sendInPieces(small, 4));
  const smallCost = await cpuOf(async () => {
    for (let round = 0; round < 8; round += 1) await sendInPieces(small, 4);
  });
  const bigCost = await cpuOf(() => sendInPieces(big, 4));
  // Both send 4,000 pieces; re-reading the whole head for each piece would make the big one eight times dearer.
  assert.ok(bigCost <= Math.max(smallCost, 60) * 3, `8 heads of 2 KB cost ${smallCost} ms, one of 16 KB ${bigCost} ms`);
});

test('B05 a 60 KiB response head that dribbles in costs in proportion', async () => {
  const respond = (filler: number): void => {
    harness.upstream.script = async (_request, connection) => {
      const head = `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${`X: ${'y'.repeat(197)}\r\n`.repeat(filler)}\r\n`;
      for (let at = 0; at < head.length; at += 16) {
        await connection.write(head.slice(at, at + 16));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
  };
  respond(30);
  await fetchRaw(harness.port, 'GET', { timeoutMs: 10_000 });
  const small = await cpuOf(async () => {
    for (let round = 0; round < 10; round += 1) await fetchRaw(harness.port, 'GET', { timeoutMs: 10_000 });
  });
  respond(300);
  const big = await cpuOf(async () => void (await fetchRaw(harness.port, 'GET', { timeoutMs: 10_000 })));
  assert.ok(big <= Math.max(small, 60) * 3, `10 heads of 6 KB cost ${small} ms, one of 60 KB ${big} ms`);
});

test('O07 pathological paths are matched in under a millisecond', async () => {
  for (const path of [
    `/${'/'.repeat(8_000)}`,
    `/${'%25'.repeat(2_600)}`,
    `/${'a/'.repeat(4_000)}`,
    `/${'%61'.repeat(2_600)}`,
    `/${';'.repeat(8_000)}`,
    `/?${'&'.repeat(8_000)}`,
    `/${'.a'.repeat(4_000)}`,
  ]) {
    using client = await RawClient.connect(harness.port);
    const plain = await cpuOf(async () => {
      for (let round = 0; round < 200; round += 1) assert.equal((await client.request('GET', { target: '/plain' })).status, 200);
    });
    const odd = await cpuOf(async () => {
      for (let round = 0; round < 200; round += 1) assert.equal((await client.request('GET', { target: path })).status, 200);
    });
    assert.ok(odd - plain < 200, `${path.slice(0, 12)}…: ${(odd - plain) / 200} ms more each`);
  }
});

test('A16 5,000 requests pipelined in one go are answered in order at the cost of 5,000 requests', async () => {
  using client = await RawClient.connect(harness.port);
  const sending = client.send(Array.from({ length: 5_000 }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  for (let index = 0; index < 5_000; index += 1) assert.equal((await client.response()).body.toString(), `GET /${index} 0`);
  await sending;
});

test('a client that pipelines and never reads is bounded in memory and in upstream requests', async () => {
  harness.upstream.script = async (request, connection) => {
    await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`);
    void request;
  };
  const memory = residentMemoryOf(harness.gateway.pid);
  const before = harness.upstream.requests.length;
  using client = await RawClient.connect(harness.port);
  client.socket.pause();
  void client.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20_000)).catch(() => {});
  let last = -1;
  await eventually(
    async () => {
      const still = last === harness.upstream.requests.length && last > before;
      last = harness.upstream.requests.length;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return still;
    },
    'the gateway stops asking',
    10_000,
  );
  assert.ok(last - before < 500, `${last - before} requests for a client that reads none of the answers`);
  assert.ok(residentMemoryOf(harness.gateway.pid) - memory < 32 * 1024 * 1024);
  client.reset();
});

const comings = process.env['APIGATE_TEST_LONG'] === '1' ? 20_000 : 2_000;
test(`${comings} connections that come and go leave no memory behind`, async () => {
  const round = async (count: number): Promise<void> => {
    for (let made = 0; made < count; made += 50) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const client = await RawClient.connect(harness.port);
          if (index % 3 === 0) await client.request('GET');
          else if (index % 3 === 1) await client.send('GET / HTTP/1.1\r\nHo');
          client.destroy();
        }),
      );
    }
  };

  await round(comings / 2);
  const half = residentMemoryOf(harness.gateway.pid);
  await round(comings / 2);
  const grown = residentMemoryOf(harness.gateway.pid) - half;
  assert.ok(grown < 16 * 1024 * 1024, `grew by ${Math.round(grown / 1024)} KiB`);
});
