import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { BrokenMessage, fetchRaw, RawClient, type RawResponse } from '../support/raw-client.ts';
import type { Script } from '../support/scripted-upstream.ts';
import { residentMemoryOf } from '../support/tcp-sockets.ts';

/*
 * Everything at once: upstreams and clients that behave, break off, reset, send too much or too little, on
 * connections that are reused throughout. What each request asks for stands in its target, so that each answer
 * can be judged by itself: it is the asker's own, or an honest failure.
 */

// Small heaps, so that memory that is merely not collected yet does not look like a leak.
const harness = useGateway({ workers: 2, concurrent: true, env: { NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=2' } });
const seconds = process.env['APIGATE_TEST_LONG'] === '1' ? 120 : 5;
const seed = Number(process.env['APIGATE_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** mulberry32: small, seeded, good enough to choose with. */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const honest = ['length', 'chunked', 'close', 'interim', 'extra', 'early', 'slow', 'last', 'pieces'] as const;
const broken = ['fin-before', 'reset-before', 'garbage', 'short', 'reset-mid', 'chunk-short', 'bad-chunk'] as const;
type Behaviour = (typeof honest)[number] | (typeof broken)[number];

/** The body of an honest answer: names its request, and has a length of its own. */
function answerBody(id: string): string {
  return `${id}:${'abcdefghij'.repeat((Number.parseInt(id, 36) % 97) * 13)}:${id}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const script: Script = async (request, connection) => {
  const [, , behaviour, id] = request.target.split('/') as [string, string, Behaviour, string];
  if (behaviour !== 'early' && behaviour !== 'reset-before' && !(await request.complete)) return;
  const body = answerBody(id ?? '0');
  const content = request.method === 'HEAD' ? '' : body;
  // To HEAD a body that ends with the connection, or breaks, is a whole answer and then a close: announced, or it would race with the next request.
  const closing =
    request.method === 'HEAD' && (behaviour === 'close' || (broken as readonly string[]).includes(behaviour))
      ? 'Connection: close\r\n'
      : '';
  const head = `HTTP/1.1 200 OK\r\n${request.nonceEcho}X-For: ${id}\r\n${closing}`;
  const chunks = (text: string): string => (request.method === 'HEAD' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`);
  switch (behaviour) {
    case 'chunked':
      await connection.write(`${head}Transfer-Encoding: chunked\r\n\r\n${chunks(body.slice(0, 5))}`);
      return await connection.write(request.method === 'HEAD' ? '' : `${chunks(body.slice(5))}0\r\n\r\n`);
    case 'close':
      await connection.write(`${head}\r\n${content}`);
      return connection.end();
    case 'interim':
      return await connection.write(
        `HTTP/1.1 103 Early Hints\r\nLink: </${id}>\r\n\r\n${head}Content-Length: ${body.length}\r\n\r\n${content}`,
      );
    case 'extra':
      return await connection.write(
        `${head}Content-Length: ${body.length}\r\n\r\n${content}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`,
      );
    case 'slow':
      await pause(20);
      return await connection.write(`${head}Content-Length: ${body.length}\r\n\r\n${content}`);
    case 'last':
      await connection.write(`${head}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${content}`);
      return connection.end();
    case 'pieces': {
      const bytes = `${head}Content-Length: ${body.length}\r\n\r\n${content}`;
      for (let at = 0; at < bytes.length; at += 37) {
        await connection.write(bytes.slice(at, at + 37));
        if (at % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      return;
    }
    case 'fin-before':
      return connection.end();
    case 'reset-before':
      return connection.reset();
    case 'garbage':
      return await connection.write(`HTTQ/1.1 200 poison\r\nContent-Length: 0\r\n\r\n`);
    case 'short':
      await connection.write(`${head}Content-Length: ${body.length + 10}\r\n\r\n${content}`);
      return connection.end();
    case 'reset-mid':
      await connection.write(`${head}Content-Length: ${body.length + 10}\r\n\r\n${content}`);
      await pause(3);
      return connection.reset();
    case 'chunk-short':
      await connection.write(`${head}Transfer-Encoding: chunked\r\n\r\n${chunks(body)}`);
      return connection.end();
    case 'bad-chunk':
      await connection.write(`${head}Transfer-Encoding: chunked\r\n\r\n${chunks(body)}xyz\r\n`);
      return;
    default:
      return await connection.write(`${head}Content-Length: ${body.length}\r\n\r\n${content}`);
  }
};

/** An answer is its request's own and whole, or a failure that fits how its upstream behaved. */
function judge(method: string, behaviour: Behaviour, id: string, answer: RawResponse | Error): void {
  const context = `${method} ${behaviour} ${id} (seed ${seed})`;
  if (answer instanceof BrokenMessage) {
    assert.ok((broken as readonly string[]).includes(behaviour), `${context}: ${answer.message}`);
    assert.deepEqual(answer.response.values('x-for'), [id], context);
    assert.ok(answerBody(id).startsWith(answer.response.body.latin1Slice()), context);
    return;
  }
  if (answer instanceof Error) throw new Error(`${context}: ${answer.message}`, { cause: answer });
  if (answer.status === 200) {
    if (method !== 'HEAD') assert.ok(!(broken as readonly string[]).includes(behaviour), `${context}: a clean end of a broken answer`);
    assert.deepEqual(answer.values('x-for'), [id], context);
    assert.equal(answer.body.latin1Slice(), method === 'HEAD' ? '' : answerBody(id), context);
    return;
  }
  assert.equal(answer.status, 502, `${context}: ${answer.status} ${answer.body.toString()}`);
  assert.ok((broken as readonly string[]).includes(behaviour), `${context}: ${answer.body.toString()}`);
}

let ids = 0;

async function clientLoop(random: () => number, until: number): Promise<void> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  while (performance.now() < until) {
    using client = await RawClient.connect(harness.port);
    for (let turn = 0; turn < 8 && performance.now() < until; turn += 1) {
      const id = (ids += 1).toString(36);
      const behaviour: Behaviour = random() < 0.7 ? pick(honest) : pick(broken);
      const method = pick(['GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE']);
      const body = method === 'POST' || method === 'PUT' ? `${id}-${'0123456789'.repeat(Math.floor(random() * 400))}` : undefined;
      const chunked = body !== undefined && random() < 0.5;
      const wire = body === undefined ? '' : chunked ? `${body.length.toString(16)};ext=1\r\n${body}\r\n0\r\n\r\n` : body;
      const framing = body === undefined ? '' : chunked ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${body.length}\r\n`;
      const bytes = `${method} /c/${behaviour}/${id} HTTP/1.1\r\nHost: a.test\r\nX-Test-Nonce: ${id}\r\n${framing}\r\n${wire}`;
      const conduct = random();
      if (conduct < 0.06) {
        await client.send(bytes.slice(0, Math.floor(bytes.length * random())));
        return random() < 0.5 ? client.reset() : client.destroy();
      }
      if (conduct < 0.16) await client.sendPieces(bytes.match(/[^]{1,61}/g) ?? []);
      else await client.send(bytes);
      if (conduct > 0.95) {
        if (random() < 0.5) await pause(random() * 10);
        return random() < 0.5 ? client.reset() : client.destroy();
      }
      const answer = await client.response({ method, timeoutMs: 8_000 }).catch((error: Error) => error);
      judge(method, behaviour, id, answer);
      if (answer instanceof Error || answer.value('connection')?.toLowerCase() === 'close') break;
    }
  }
}

test(`I1 I2 whatever clients and upstreams do, each answer is its asker's own or an honest failure (${seconds} s, seed ${seed})`, async () => {
  harness.upstream.script = script;
  const random = randomFrom(seed);
  const until = performance.now() + seconds * 1_000;
  let half = 0;
  setTimeout(() => (half = residentMemoryOf(harness.gateway.pid)), seconds * 500).unref();
  const loops = await Promise.allSettled(
    Array.from({ length: 32 }, async () => {
      const own = randomFrom(Math.floor(random() * 2 ** 31));
      while (performance.now() < until) await clientLoop(own, until);
    }),
  );
  const failures = loops.filter((loop) => loop.status === 'rejected').map((loop) => loop.reason as Error);
  if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('\n'));
  assert.ok(ids > seconds * 100, `only ${ids} requests`);
  assert.ok(residentMemoryOf(harness.gateway.pid) - half < 48 * 1024 * 1024, 'memory does not grow without end');
  for (const request of harness.upstream.requests) {
    if (!request.settled || !(await request.complete) || (request.method !== 'POST' && request.method !== 'PUT')) continue;
    const id = request.target.split('/')[3]!;
    assert.match(request.body.latin1Slice(), new RegExp(`^${id}-(0123456789)*$`), `the body of ${request.target} is its own`);
  }
  harness.upstream.script = async (request, connection) => {
    await connection.write(`HTTP/1.1 200 OK\r\n${request.nonceEcho}Content-Length: 2\r\n\r\nok`);
  };
  for (let round = 0; round < 50; round += 1)
    assert.equal((await fetchRaw(harness.port, 'GET', { target: `/after/${round}` })).body.toString(), 'ok');
  await harness.upstream.dropConnections();
  await eventually(() => harness.upstream.open.length === 0, 'all closed');
});
