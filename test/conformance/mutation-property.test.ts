import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { type Mutation, mutate, requestSeeds, responseSeeds } from '../support/message-mutations.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';

const harness = useGateway({ concurrent: true });
const long = process.env['APIGATE_TEST_LONG'] === '1';
const batches = long ? 600 : 30;
const batchSize = 12;

interface Seen {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

/** node:http as the second opinion: what it takes for whole requests, by connection. */
let judge: http.Server;
const judged = new Map<number, Seen[]>();

before(async () => {
  judge = http.createServer((request, response) => {
    const port = request.socket.remotePort!;
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('error', () => {});
    request.on('end', () => {
      const list = judged.get(port) ?? [];
      list.push({ method: request.method ?? '', target: request.url ?? '', body: Buffer.concat(pieces).latin1Slice() });
      judged.set(port, list);
      response.end();
    });
  });
  await new Promise<void>((resolve) => judge.listen(0, '127.0.0.1', resolve));
  judge.unref();
});
after(() => {
  judge.closeAllConnections();
  judge.close();
});

const step: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.constantFrom('flip', 'delete', 'insert', 'insert', 'copy'),
  pick: fc.nat(1 << 16),
});
const mutated = fc
  .tuple(fc.constantFrom(...requestSeeds), fc.array(step, { minLength: 1, maxLength: 4 }))
  .map(([seed, steps]) => steps.reduce(mutate, seed));

/** Sends bytes and waits until the connection is quiet: answered, closed, or waiting for more. */
async function quietAfter(port: number, bytes: string): Promise<number> {
  using client = await RawClient.connect(port);
  const localPort = client.socket.localPort!;
  await client.send(bytes);
  let size = -1;
  await eventually(
    async () => {
      if (client.stream.ending !== undefined) return true;
      const quiet = size === client.stream.size;
      size = client.stream.size;
      if (!quiet) await new Promise((resolve) => setTimeout(resolve, 40));
      return quiet;
    },
    'quiet',
    10_000,
  );
  return localPort;
}

test('mutated requests never crash the gateway, never go upstream malformed, and never have other borders than node:http sees', async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(mutated, { minLength: batchSize, maxLength: batchSize }), async (batch) => {
      await Promise.all(
        batch.map(async (raw) => {
          // A mark in the targets tells which mutation a request at the upstream belongs to.
          const mark = `m${(number += 1)}m`;
          const bytes = raw.replaceAll(/ \/([a-z])/g, ` /${mark}$1`).replaceAll('/smuggled', `/${mark}smuggled`);
          const [, judgePort] = await Promise.all([
            quietAfter(harness.port, bytes),
            quietAfter((judge.address() as AddressInfo).port, bytes),
          ]);
          const forwarded: Seen[] = [];
          for (const request of harness.upstream.requests.filter(({ target }) => target.includes(mark))) {
            if (request.settled && (await request.complete))
              forwarded.push({ method: request.method, target: request.target, body: request.body.latin1Slice() });
          }
          const second = judged.get(judgePort) ?? [];
          // Where both take a message for whole, it must be the same message.
          for (let index = 0; index < Math.min(forwarded.length, second.length); index += 1) {
            assert.deepEqual(forwarded[index], second[index], `borders differ for ${JSON.stringify(bytes)}`);
          }
        }),
      );
      harness.upstream.requests.length = 0;
      judged.clear();
      harness.invariants.afterTest();
    }),
    { numRuns: batches, endOnFailure: true },
  );
  assert.equal((await fetchRaw(harness.port, 'GET', { target: '/alive' })).status, 200);
});

test('random bytes never crash the gateway', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 600 }), { minLength: batchSize, maxLength: batchSize }), async (batch) => {
      await Promise.all(batch.map((bytes) => quietAfter(harness.port, Buffer.from(bytes).latin1Slice())));
      assert.equal((await fetchRaw(harness.port, 'GET', { target: '/alive' })).status, 200);
    }),
    { numRuns: Math.ceil(batches / 3) },
  );
});

test('mutated responses never crash the gateway, and the next client gets its own answer', async () => {
  const mutatedAnswer = fc
    .tuple(fc.constantFrom(...responseSeeds), fc.array(step, { minLength: 1, maxLength: 3 }))
    .map(([seed, steps]) => steps.reduce(mutate, seed));
  await fc.assert(
    fc.asyncProperty(fc.array(mutatedAnswer, { minLength: batchSize, maxLength: batchSize }), async (batch) => {
      harness.upstream.script = async (request, connection) => {
        const index = Number(/^\/answer\/(\d+)$/.exec(request.target)?.[1] ?? -1);
        if (index < 0)
          return await connection.write(
            `HTTP/1.1 200 OK\r\n${request.nonceEcho}Content-Length: ${request.target.length}\r\n\r\n${request.target}`,
          );
        await connection.write(batch[index]!);
        // What waits for more gets an end instead.
        setTimeout(() => connection.end(), 60);
      };
      await Promise.all(
        batch.map(async (_answer, index) => {
          using client = await RawClient.connect(harness.port);
          await client.send(`GET /answer/${index} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
          // Whatever comes must be a message or a broken one, in good grammar: anything else rejects otherwise.
          await client
            .response({ timeoutMs: 3_000 })
            .catch((error: Error) => assert.equal(error.name, 'BrokenMessage', `${error.message} for ${JSON.stringify(batch[index])}`));
          const next = await fetchRaw(harness.port, 'GET', { target: `/next/${index}` });
          assert.equal(next.body.toString(), `/next/${index}`);
        }),
      );
      harness.invariants.afterTest();
    }),
    { numRuns: batches, endOnFailure: true },
  );
});
