import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BodyDecoder, bodyBroken, bodyOpen, forbiddenTrailer } from './body-decoder.ts';
import { HeaderFields } from './header-fields.ts';

interface Decoded {
  readonly body: string;
  /** Offset behind the body in the whole text, bodyOpen or bodyBroken. */
  readonly end: number;
  readonly trailers: readonly string[];
}

function decode(start: (decoder: BodyDecoder) => void, text: string, pieces: readonly number[] = []): Decoded {
  const decoder = new BodyDecoder();
  const fields = new HeaderFields(100);
  start(decoder);
  let body = '';
  const sink = { onBody: (bytes: Buffer, from: number, to: number): void => void (body += bytes.latin1Slice(from, to)) };
  const bytes = Buffer.from(text, 'latin1');
  let at = 0;
  let end = bodyOpen;
  for (const piece of [...pieces, bytes.length]) {
    const to = Math.min(bytes.length, Math.max(at, piece));
    // A copy with other bytes around, so that reading outside the range shows.
    const part = Buffer.concat([Buffer.from('0\r\n\r\n'), bytes.subarray(at, to), Buffer.from('\r\n0\r\n\r\n')]);
    const result = decoder.decode(part, 5, 5 + to - at, sink, fields);
    if (result === bodyBroken) return { body, end: bodyBroken, trailers: [] };
    if (result !== bodyOpen) {
      end = at + result - 5;
      break;
    }
    at = to;
  }
  const trailers =
    decoder.trailers === null
      ? []
      : Array.from({ length: decoder.trailers.count }, (_, index) => `${decoder.trailers!.name(index)}=${decoder.trailers!.value(index)}`);
  return { body, end, trailers };
}

const chunked = (decoder: BodyDecoder): void => decoder.startChunked();

test('a chunked body ends behind its empty line and what follows is left alone', () => {
  const text = '5\r\nhello\r\n6;a=b;c="d;\\"e"\r\n world\r\n0\r\n\r\nGET /';
  assert.deepEqual(decode(chunked, text), { body: 'hello world', end: text.length - 5, trailers: [] });
});

test('trailers are found, also in pieces of one byte', () => {
  const text = '1\r\na\r\n0\r\nX-Sum: 1\r\nX-Two:  b \r\n\r\n';
  const every = Array.from({ length: text.length }, (_, index) => index);
  for (const pieces of [[], every])
    assert.deepEqual(decode(chunked, text, pieces), { body: 'a', end: text.length, trailers: ['X-Sum=1', 'X-Two=b'] });
});

for (const [name, text] of Object.entries({
  'no size': '\r\n',
  'size with 0x': '0x5\r\nhello\r\n0\r\n\r\n',
  'signed size': '+5\r\nhello\r\n0\r\n\r\n',
  'size of 16 digits': '0000000000000005\r\nhello\r\n0\r\n\r\n',
  'size over 2^53': 'fffffffffffffff\r\n',
  'space behind the size': '5 \r\nhello\r\n0\r\n\r\n',
  'bare LF in the chunk line': '5\nhello\r\n0\r\n\r\n',
  'bare CR in the chunk line': '5\rhello\r\n0\r\n\r\n',
  'data longer than its size': '4\r\nhello\r\n0\r\n\r\n',
  'no CR LF behind the data': '5\r\nhelloxx0\r\n\r\n',
  'extension without a name': '5;\r\nhello\r\n0\r\n\r\n',
  'extension with an open quote': '5;a="b\r\nhello\r\n0\r\n\r\n',
  'extension of 2 KiB': `5;${'a'.repeat(2048)}\r\nhello\r\n0\r\n\r\n`,
  'extensions of 20 KiB in all': `${`1;${'a'.repeat(1000)}\r\nx\r\n`.repeat(20)}0\r\n\r\n`,
  'bare LF behind a trailer': '0\r\nX: y\n\r\n',
  'trailers of 9 KiB': `0\r\nX: ${'a'.repeat(9000)}\r\n\r\n`,
})) {
  test(`a broken chunked body is refused: ${name}`, () => {
    assert.equal(decode(chunked, text).end, bodyBroken);
  });
}

test('a body with a length ends after it', () => {
  assert.deepEqual(
    decode((decoder) => decoder.startLength(3), 'abcdef', [1, 2]),
    { body: 'abc', end: 3, trailers: [] },
  );
  assert.equal(decode((decoder) => decoder.startLength(7), 'abcdef').end, bodyOpen);
});

test('fields that rule framing, routing or authentication are no trailers', () => {
  const fields = new HeaderFields(10);
  for (const [line, index] of [
    ['X-A: 1', -1],
    ['Content-Length: 1', 0],
    ['authorization: x', 0],
    ['Host: a', 0],
    ['Transfer-Encoding: chunked', 0],
  ] as const) {
    const bytes = Buffer.from(`${line}\r\n\r\n`);
    fields.parse(bytes, 0, bytes.length);
    assert.equal(forbiddenTrailer(fields), index, line);
  }
});

test('any split of a chunked body into reads gives the same result as the whole', () => {
  const chunk = fc.tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.constantFrom('', ';a', ';a=b', ';a="b c"'));
  fc.assert(
    fc.property(
      fc.array(chunk, { maxLength: 6 }),
      fc.constantFrom('', 'X-T: v\r\n', 'X-T: v\r\nX-U:\r\n'),
      fc.array(fc.nat(200), { maxLength: 8 }),
      (chunks, trailers, cuts) => {
        const parts = chunks.map(([data, extension]) => [Buffer.from(data).toString('latin1'), extension] as const);
        const text = `${parts.map(([data, extension]) => `${data.length.toString(16)}${extension}\r\n${data}\r\n`).join('')}0\r\n${trailers}\r\nREST`;
        const whole = decode(chunked, text);
        assert.equal(whole.body, parts.map(([data]) => data).join(''));
        assert.equal(whole.end, text.length - 4);
        assert.deepEqual(
          decode(
            chunked,
            text,
            cuts.toSorted((a, b) => a - b),
          ),
          whole,
        );
      },
    ),
  );
});
