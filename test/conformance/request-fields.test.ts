import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useGateway } from '../support/harness.ts';
import { assertRefused, passes, refuses } from '../support/request-cases.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { residentMemoryOf } from '../support/tcp-sockets.ts';

const harness = useGateway();
const malformed = { status: 400, code: 'request_malformed' } as const;
const start = 'GET /f HTTP/1.1\r\nHost: a.test\r\n';

for (const [what, lines] of [
  ['a bare LF after a field', 'X: y\nZ: z\r\n\r\n'],
  ['a bare LF after an empty value', 'X:\nZ: z\r\n\r\n'],
  ['a bare LF for the empty line', 'X: y\r\n\n'],
  ['a bare CR after a field', 'X: y\rZ: z\r\n\r\n'],
  ['a bare CR inside a value', 'X: a\rb\r\n\r\n'],
  ['a bare CR inside a name', 'X\ry: b\r\n\r\n'],
  ['CR CR LF', 'X: y\r\r\n\r\n'],
  ['a CR without LF for the empty line', 'X: y\r\n\rZZ\r\n\r\n'],
  ['obs-fold with a space', 'X: a\r\n b\r\n\r\n'],
  ['obs-fold with a tab', 'X: a\r\n\tb\r\n\r\n'],
  ['obs-fold that hides Content-Length', 'X: a\r\n Content-Length: 5\r\n\r\nhello'],
  ['a space before the colon', 'X : y\r\n\r\n'],
  ['a tab before the colon', 'X\t: y\r\n\r\n'],
  ['a space before the colon of Content-Length', 'Content-Length : 5\r\n\r\nhello'],
  ['a space before the colon of Transfer-Encoding', 'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n'],
  ['an empty name', ': y\r\n\r\n'],
  ['a name of one space', ' : y\r\n\r\n'],
  ['no colon', 'X\r\n\r\n'],
  ['a space inside a name', 'X y: z\r\n\r\n'],
  ['an @ in a name', 'X@y: z\r\n\r\n'],
  ['quotes in a name', '"x": z\r\n\r\n'],
  ['parentheses in a name', '(x): z\r\n\r\n'],
  ['a byte above 0x7F in a name', 'X\xe9: z\r\n\r\n'],
  ['a NUL in a name', 'X\0: z\r\n\r\n'],
  ['a NUL in a value', 'X: a\0b\r\n\r\n'],
  ['a control byte 0x01 in a value', 'X: a\x01b\r\n\r\n'],
  ['BEL in a value', 'X: a\x07b\r\n\r\n'],
  ['a vertical tab in a value', 'X: a\x0bb\r\n\r\n'],
  ['a form feed in a value', 'X: a\x0cb\r\n\r\n'],
  ['ESC in a value', 'X: a\x1bb\r\n\r\n'],
  ['DEL in a value', 'X: a\x7fb\r\n\r\n'],
  ['a NUL as the whole value', 'X: \0\r\n\r\n'],
] as const) {
  refuses(harness, `A06 ${what} is 400 and closes, nothing upstream`, `${start}${lines}`, malformed);
}

refuses(harness, 'A06 white space before the first field is 400', 'GET /f HTTP/1.1\r\n Host: a.test\r\n\r\n', malformed);
refuses(harness, 'A06 bare LFs throughout are 400', 'GET /f HTTP/1.1\nHost: a.test\n\n', malformed);

passes(harness, 'A06 obs-text in a value passes byte for byte', `${start}X: D\xfcsseldorf \xff\x80\r\n\r\n`, (request) =>
  assert.equal(request.value('x'), 'D\xfcsseldorf \xff\x80'),
);
passes(harness, 'A06 tabs and spaces inside a value stay', `${start}X:\t a \t b\t \r\n\r\n`, (request) =>
  assert.equal(request.value('x'), 'a \t b'),
);
passes(harness, 'A06 an empty value passes', `${start}X:\r\nY: \r\n\r\n`, (request) =>
  assert.deepEqual([request.value('x'), request.value('y')], ['', '']),
);
passes(harness, 'A06 every token character may stand in a name', `${start}!#$%&'*+-.^_\`|~09azAZ: y\r\n\r\n`, (request) =>
  assert.ok(request.fields.some(([name, value]) => name === "!#$%&'*+-.^_`|~09azAZ" && value === 'y')),
);

passes(
  harness,
  'A27 names of JavaScript objects are ordinary headers',
  `${start}__proto__: a\r\nconstructor: b\r\ntoString: c\r\nhasOwnProperty: d\r\nvalueOf: e\r\n\r\n`,
  (request) => {
    assert.deepEqual(
      ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'].map((name) => request.values(name)),
      [['a'], ['b'], ['c'], ['d'], ['e']],
    );
  },
);

passes(
  harness,
  'B18 repeated request headers keep count, order and case',
  `${start}X-Dup: 1\r\nAccept: a\r\nx-dup: 2\r\nX-DUP: 1\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n`,
  (request) => {
    assert.deepEqual(
      request.fields.filter(([name]) => /^(x-dup|accept|cookie)$/i.test(name)),
      [
        ['X-Dup', '1'],
        ['Accept', 'a'],
        ['x-dup', '2'],
        ['X-DUP', '1'],
        ['Cookie', 'a=1'],
        ['Cookie', 'b=2'],
      ],
    );
  },
);

// ---- A09: limits. A head is all bytes from the request line's first to the empty line's last.
function headOf(bytes: number): string {
  const begin = `${start}X: `;
  return `${begin}${'y'.repeat(bytes - begin.length - 4)}\r\n\r\n`;
}
function fieldsOf(count: number): string {
  return `${start}${Array.from({ length: count - 1 }, (_, index) => `X-${index}: y\r\n`).join('')}\r\n`;
}
function targetOf(bytes: number): string {
  return `GET /${'a'.repeat(bytes - 1)} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
}
const tooLarge = { status: 431, code: 'headers_too_large' } as const;
const tooLong = { status: 414, code: 'target_too_long' } as const;

passes(harness, 'A09 a head of exactly 16384 bytes passes', () => headOf(16_384));
refuses(harness, 'A09 a head of 16385 bytes is 431', () => headOf(16_385), tooLarge);
refuses(harness, 'A09 one header of 64 KiB is 431', () => headOf(65_536), tooLarge);
passes(harness, 'A09 exactly 100 fields pass', () => fieldsOf(100));
refuses(harness, 'A09 101 fields are 431', () => fieldsOf(101), tooLarge);
refuses(
  harness,
  'A09 2,500 fields are 431 and hide nothing',
  () => `POST /f HTTP/1.1\r\nHost: a.test\r\n${'a:\r\n'.repeat(2_500)}Content-Length: 5\r\n\r\nhello`,
  tooLarge,
);
passes(harness, 'A09 a target of exactly 8192 bytes passes', () => targetOf(8_192));
refuses(harness, 'A09 a target of 8193 bytes is 414', () => targetOf(8_193), tooLong);
refuses(harness, 'A09 a target of 16 KiB is 414', () => targetOf(16_384), tooLong);
refuses(harness, 'A09 a target that never ends is 414 before its line does', () => `GET /${'a'.repeat(40_000)}`, tooLong);

test('A09 a head that never ends is 431 once it is too large, and costs no memory', async () => {
  const before = residentMemoryOf(harness.gateway.pid);
  for (let round = 0; round < 20; round += 1) await assertRefused(harness, `${start}X: ${'y'.repeat(200_000)}`, tooLarge);
  assert.ok(residentMemoryOf(harness.gateway.pid) - before < 24 * 1024 * 1024, 'resident memory grew by less than 24 MiB');
});

test('A09 a method that never ends is refused', async () => {
  using client = await RawClient.connect(harness.port);
  await client.send('G'.repeat(40_000));
  const response = await client.response();
  assert.ok([400, 414, 431].includes(response.status), String(response.status));
  await client.ended();
  assert.equal((await fetchRaw(harness.port, 'GET')).status, 200);
});
