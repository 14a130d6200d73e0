import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { useGateway } from '../support/harness.ts';
import { RawClient } from '../support/raw-client.ts';

const harness = useGateway();
const runs = process.env['APIGATE_TEST_LONG'] === '1' ? 3_000 : 120;

interface Message {
  readonly head: string;
  /** The body on the wire. */
  readonly wire: string;
  /** The body it stands for. */
  readonly body: string;
}

const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/);
const value = fc.stringMatching(/^([\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]{0,30}[\x21-\x7e\x80-\xff])?)?$/);
const fields = fc
  .array(fc.tuple(token, value), { maxLength: 8 })
  .map((list) => list.map(([name, text]) => `X-${name}: ${text}\r\n`).join(''));
const bodyText = fc.stringMatching(/^[\x00-\xff]{0,300}$/);
const chunkSizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });

function chunkedWire(body: string, sizes: readonly number[], extension: string): string {
  let wire = '';
  for (let at = 0, turn = 0; at < body.length; turn += 1) {
    const piece = body.slice(at, at + sizes[turn % sizes.length]!);
    wire += `${piece.length.toString(16)}${extension}\r\n${piece}\r\n`;
    at += piece.length;
  }
  return `${wire}0\r\n\r\n`;
}

const framed: fc.Arbitrary<{ framing: string; wire: string; body: string }> = fc.oneof(
  bodyText.map((body) => ({ framing: `Content-Length: ${body.length}\r\n`, wire: body, body })),
  fc
    .tuple(bodyText, chunkSizes, fc.constantFrom('', ';a', ';a=b', ';a="b c"'))
    .map(([body, sizes, extension]) => ({ framing: 'Transfer-Encoding: chunked\r\n', wire: chunkedWire(body, sizes, extension), body })),
);

const request: fc.Arbitrary<Message> = fc
  .tuple(
    fc.constantFrom('GET', 'POST', 'PUT', 'FOO'),
    fc.stringMatching(/^([A-Za-z0-9_~=&-]|%[46][0-9A-F]|%C3%[89A-B][0-9A-F]){0,30}$/),
    fields,
    framed,
  )
  .map(([method, path, lines, { framing, wire, body }]) => ({
    head: `${method} /${path} HTTP/1.1\r\nHost: a.test\r\n${lines}${framing}\r\n`,
    wire,
    body,
  }));
const response: fc.Arbitrary<Message> = fc
  .tuple(fc.integer({ min: 200, max: 599 }), fields, framed)
  .map(([status, lines, { framing, wire, body }]) => ({
    head: `HTTP/1.1 ${status === 204 || status === 205 || status === 304 ? 200 : status} Reason\r\n${lines}${framing}\r\n`,
    wire,
    body,
  }));
/** Where to cut: as fractions, so that they fit every length. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

function pieces(bytes: string, fractions: readonly number[]): string[] {
  const places = [...new Set(fractions.map((fraction) => Math.floor(fraction * bytes.length)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.slice(from, places[index] ?? bytes.length)).filter((piece) => piece !== '');
}

/** What must be equal however the bytes were cut: everything but what names this very exchange. */
function stable(list: readonly (readonly [string, string])[]): string {
  return JSON.stringify(list.filter(([name]) => !/^(x-request-id|traceparent|date)$/i.test(name)));
}

async function exchange(bytes: readonly string[]): Promise<{ upstream: string; client: string }> {
  const index = harness.upstream.requests.length;
  using client = await RawClient.connect(harness.port);
  await client.sendPieces(bytes);
  const answer = await client.response();
  const got = harness.upstream.requests[index]!;
  assert.equal(await got.ended(), true);
  return {
    upstream: `${got.method} ${got.target} ${stable(got.fields)} ${got.body.toString('hex')}`,
    client: `${answer.status} ${stable(answer.fields)} ${answer.body.toString('hex')}`,
  };
}

test('however a valid request is cut into segments, the upstream and the client get the same', async () => {
  await fc.assert(
    fc.asyncProperty(request, cuts, async ({ head, wire, body }, fractions) => {
      const bytes = head + wire;
      const whole = await exchange([bytes]);
      assert.ok(whole.upstream.endsWith(` ${Buffer.from(body, 'latin1').toString('hex')}`), 'the body is what was sent');
      assert.deepEqual(await exchange(pieces(bytes, fractions)), whole);
    }),
    { numRuns: runs },
  );
});

test('a request sent byte by byte is the same request', async () => {
  const bytes =
    'POST /bytes?x=1 HTTP/1.1\r\nHost: a.test\r\nX-One: 1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-T: t\r\n\r\n';
  assert.deepEqual(await exchange(bytes.split('')), await exchange([bytes]));
});

test('however a valid response is cut into segments, the client gets the same', async () => {
  await fc.assert(
    fc.asyncProperty(response, cuts, async ({ head, wire, body }, fractions) => {
      const answers: string[] = [];
      for (const parts of [[head + wire], pieces(head + wire, fractions)]) {
        harness.upstream.script = async (_request, connection) => {
          for (const part of parts) {
            await connection.write(part);
            await new Promise((resolve) => setImmediate(resolve));
          }
        };
        using client = await RawClient.connect(harness.port);
        await client.send('GET /cut HTTP/1.1\r\nHost: a.test\r\n\r\n');
        const answer = await client.response();
        assert.equal(answer.body.latin1Slice(), body);
        answers.push(`${answer.status} ${answer.reason} ${stable(answer.fields)}`);
      }
      assert.equal(answers[1], answers[0]);
    }),
    { numRuns: runs },
  );
});
