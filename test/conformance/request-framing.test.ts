// Over 300 lines: tables of rules about where a request ends, on one gateway.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { assertRefused, passes, refuses } from '../support/request-cases.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk } from '../support/scripted-upstream.ts';

const harness = useGateway({ env: { APIGATE_MAX_BODY: '65536' } });
const malformed = { status: 400, code: 'request_malformed' } as const;
const post = 'POST /p HTTP/1.1\r\nHost: a.test\r\n';

refuses(
  harness,
  'A01 Content-Length with Transfer-Encoding is 400 and closes',
  `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  malformed,
);
refuses(
  harness,
  'A01 Transfer-Encoding with Content-Length is 400 and closes',
  `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  malformed,
);
refuses(harness, 'A02 two equal Content-Lengths are 400', `${post}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, malformed);
refuses(harness, 'A02 two differing Content-Lengths are 400', `${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`, malformed);
refuses(harness, 'A02 a Content-Length list is 400', `${post}Content-Length: 1, 1\r\n\r\nx`, malformed);
for (const value of [
  '+1',
  '1_0',
  '0x1',
  '-1',
  '1 0',
  '1.0',
  '1e1',
  '12345678901234567890',
  '9007199254740992',
  '',
  '٣',
  '1;',
  '1,',
  ',1',
  '"1"',
  '\x0b1',
  'chunked',
]) {
  refuses(
    harness,
    `A03 Content-Length: ${JSON.stringify(value)} is 400`,
    `${post}Content-Length: ${Buffer.from(value).latin1Slice()}\r\n\r\nx`,
    malformed,
  );
}
for (const value of [
  'gzip, chunked',
  'identity',
  '',
  'chunked, chunked',
  '\x0bchunked',
  'chunked\t',
  'chunked \t',
  'chunked;a=b',
  'xchunked',
  'chunked,',
  ', chunked',
  '"chunked"',
  'chunked gzip',
  'gzip',
]) {
  refuses(
    harness,
    `A04 Transfer-Encoding: ${JSON.stringify(value)} is 400`,
    `${post}Transfer-Encoding: ${value}\r\n\r\n0\r\n\r\n`,
    malformed,
  );
}
refuses(
  harness,
  'A04 two Transfer-Encodings are 400',
  `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  malformed,
);
refuses(
  harness,
  'A04 Transfer-Encoding: identity before chunked in a field of its own is 400',
  `${post}Transfer-Encoding: identity\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  malformed,
);
refuses(
  harness,
  'A05 Transfer-Encoding on HTTP/1.0 is 400',
  'POST /p HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  malformed,
);

passes(harness, 'A03 a Content-Length with white space around it is one value', `${post}Content-Length: \t5 \t\r\n\r\nhello`, (request) =>
  assert.equal(request.body.toString(), 'hello'),
);
passes(harness, 'A03 Content-Length: 0 is an empty body', `${post}Content-Length: 0\r\n\r\n`, (request) => {
  assert.equal(request.bodyLength, 0);
  assert.equal(request.value('content-length'), '0');
});
passes(harness, 'a request without framing has no body', 'GET /g HTTP/1.1\r\nHost: a.test\r\n\r\n', (request) => {
  assert.equal(request.value('content-length'), undefined);
  assert.equal(request.value('transfer-encoding'), undefined);
});
passes(harness, 'a GET with a body keeps it', 'GET /g HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc', (request) =>
  assert.equal(request.body.toString(), 'abc'),
);

const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`;

describe('A12 chunks that are accepted', () => {
  for (const [what, body, expected] of [
    ['one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['no chunk', '0\r\n\r\n', ''],
    ['several chunks', '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n', 'hello world'],
    ['upper and lower case hex', 'a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n', '01234567890123456789a'],
    ['leading zeros', '00000005\r\nhello\r\n000\r\n\r\n', 'hello'],
    ['15 hex digits', '000000000000005\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['an extension', '5;name\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['an extension with a value', '5;name=value;b=c\r\nhello\r\n0;last=1\r\n\r\n', 'hello'],
    ['an extension with a quoted value', '5;name="a b;\\" c"\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['data that looks like framing', '7\r\n0\r\n\r\nGE\r\n0\r\n\r\n', '0\r\n\r\nGE'],
  ] as const) {
    // The upstream's reader refuses chunk extensions, so that they are seen to be dropped.
    passes(harness, `A12 ${what}`, `${chunked}${body}`, (request) => assert.equal(request.body.toString(), expected));
  }
});

describe('A12 chunks that are refused', () => {
  for (const [what, body] of [
    ['a chunk size line that ends in a bare LF', '5\nhello\r\n0\r\n\r\n'],
    ['a chunk size of 1 with a bare LF', '1\nA\r\n0\r\n\r\n'],
    ['a chunk size line that ends in a bare CR', '5\rhello\r\n0\r\n\r\n'],
    ['a size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['a size of 16 digits', '0000000000000005\r\nhello\r\n0\r\n\r\n'],
    ['a size of 2^64', '10000000000000000\r\nhello\r\n0\r\n\r\n'],
    ['a size of 2^64+5', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
    ['a negative size', '-5\r\nhello\r\n0\r\n\r\n'],
    ['a size with a plus', '+5\r\nhello\r\n0\r\n\r\n'],
    ['an empty size', '\r\nhello\r\n0\r\n\r\n'],
    ['only an extension', ';a=b\r\nhello\r\n0\r\n\r\n'],
    ['a space before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
    ['a space after the size', '5 \r\nhello\r\n0\r\n\r\n'],
    ['a size that is no hex number', 'G\r\nhello\r\n0\r\n\r\n'],
    ['words without a semicolon', '5 ext\r\nhello\r\n0\r\n\r\n'],
    ['data longer than its size', '5\r\nhelloX\r\n0\r\n\r\n'],
    ['data shorter than its size', '6\r\nhello\r\n0\r\n\r\n'],
    ['no CRLF after the data', '5\r\nhello0\r\n\r\n'],
    ['a bare LF after the data', '5\r\nhello\n0\r\n\r\n'],
    ['another byte for the CR after the data', '5\r\nhelloX\n0\r\n\r\n'],
    ['another byte for the LF after the data', '5\r\nhello\rX0\r\n\r\n'],
    ['two LFs after the data', '5\r\nhello\n\n0\r\n\r\n'],
    ['a bare CR after the data', '5\r\nhello\r0\r\n\r\n'],
    ['a NUL in an extension', '5;a=\0\r\nhello\r\n0\r\n\r\n'],
    ['a bare LF in an extension', '5;a=b\nhello\r\n0\r\n\r\n'],
    ['a bare CR in an extension', '5;a\rb\r\nhello\r\n0\r\n\r\n'],
    ['an extension of 64 KiB', `5;${'a'.repeat(65_536)}\r\nhello\r\n0\r\n\r\n`],
    ['a last chunk that ends in bare LFs', '5\r\nhello\r\n0\n\n'],
    ['text where the last CRLF should be', '5\r\nhello\r\n0\r\nX\r\n\r\n'],
  ] as const) {
    refuses(harness, `A12 ${what} is 400 and aborts the upstream request`, `${chunked}${body}`, { ...malformed, mayHaveBegun: true });
  }

  test('A12 a bad chunk after the head went upstream aborts it and answers 400', async () => {
    using client = await RawClient.connect(harness.port);
    const index = harness.upstream.requests.length;
    await client.send(`${chunked}5\r\nhello\r\n`);
    const request = await harness.upstream.request(index);
    await client.send('zz\r\n');
    const response = await client.response();
    assert.equal(response.status, 400);
    assert.equal(await request.ended(), false, 'the upstream sees an incomplete message');
    await client.ended();
  });
});

describe('A13 trailers', () => {
  passes(
    harness,
    'A13 allowed trailers are forwarded as trailers',
    `${chunked}5\r\nhello\r\n0\r\nX-Checksum: abc\r\nX-Other: d\r\n\r\n`,
    (request) => {
      assert.deepEqual(request.trailers, [
        ['X-Checksum', 'abc'],
        ['X-Other', 'd'],
      ]);
      assert.deepEqual(request.values('x-checksum'), [], 'never merged into the head');
    },
  );
  for (const name of [
    'Content-Length',
    'Transfer-Encoding',
    'Host',
    'Authorization',
    'Trailer',
    'Content-Type',
    'Content-Encoding',
    'Cookie',
    'Proxy-Authorization',
    'X-Forwarded-For',
    'TE',
    'X-API-Key',
  ]) {
    const framingRoutingOrAuth =
      /^(Content-Length|Transfer-Encoding|Host|Authorization|Proxy-Authorization|Cookie|X-API-Key|X-Forwarded-For)$/.test(name);
    if (framingRoutingOrAuth)
      refuses(harness, `A13 ${name} in the trailers is 400`, `${chunked}5\r\nhello\r\n0\r\n${name}: 1\r\n\r\n`, {
        ...malformed,
        mayHaveBegun: true,
      });
  }
  for (const [what, trailers] of [
    ['a bare LF', 'X: y\n\r\n'],
    ['a space before the colon', 'X : y\r\n\r\n'],
    ['an empty name', ': y\r\n\r\n'],
    ['a NUL', 'X: \0\r\n\r\n'],
    ['obs-fold', 'X: y\r\n z\r\n\r\n'],
  ] as const) {
    refuses(harness, `A13 trailers with ${what} are 400`, `${chunked}5\r\nhello\r\n0\r\n${trailers}`, { ...malformed, mayHaveBegun: true });
  }
  passes(
    harness,
    'A13 trailers of just under 8 KiB pass',
    () => `${chunked}5\r\nhello\r\n0\r\nX: ${'y'.repeat(8_180)}\r\n\r\n`,
    (request) => assert.equal(request.trailers[0]?.[1].length, 8_180),
  );
  refuses(harness, 'A13 one trailer of more than 8 KiB is 400', () => `${chunked}5\r\nhello\r\n0\r\nX: ${'y'.repeat(8_192)}\r\n\r\n`, {
    ...malformed,
    mayHaveBegun: true,
  });
  test('A13 a trailer that never ends is refused as soon as it is too long', async () => {
    await assertRefused(harness, `${chunked}5\r\nhello\r\n0\r\nX: ${'y'.repeat(9_000)}`, { ...malformed, mayHaveBegun: true });
  });
  test('A13 endless trailers are refused', async () => {
    await assertRefused(harness, `${chunked}5\r\nhello\r\n0\r\n${'X: y\r\n'.repeat(20_000)}`, { status: [400, 431], mayHaveBegun: true });
  });
});

describe('A16 pipelining', () => {
  test('A16 pipelined requests are answered in order', async () => {
    using client = await RawClient.connect(harness.port);
    await client.send(Array.from({ length: 20 }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: a.test\r\n\r\n`).join(''));
    for (let index = 0; index < 20; index += 1) assert.equal((await client.response()).body.toString(), `GET /${index} 0`);
    assert.ok(client.open);
  });

  test('A16 pipelined requests with bodies keep their borders', async () => {
    using client = await RawClient.connect(harness.port);
    const before = harness.upstream.requests.length;
    await client.send(
      `${post}Content-Length: 5\r\n\r\nhello\r\n${chunked}3\r\nabc\r\n0\r\n\r\n${post}Content-Length: 0\r\n\r\nGET /end HTTP/1.1\r\nHost: a.test\r\n\r\n`,
    );
    for (const expected of ['POST /p 5', 'POST /p 3', 'POST /p 0', 'GET /end 0'])
      assert.equal((await client.response()).body.toString(), expected);
    assert.deepEqual(
      harness.upstream.requests.slice(before).map((request) => request.body.toString()),
      ['hello', 'abc', '', ''],
    );
  });

  test('A16 of three pipelined GETs with the second malformed: 200, 400, close, the third never forwarded', async () => {
    using client = await RawClient.connect(harness.port);
    const before = harness.upstream.requests.length;
    await client.send('GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\0\r\n\r\nGET /3 HTTP/1.1\r\nHost: a.test\r\n\r\n');
    assert.equal((await client.response()).body.toString(), 'GET /1 0');
    assert.equal((await client.response()).status, 400);
    assert.equal((await client.ended()).rest.latin1Slice(), '');
    assert.equal((await fetchRaw(harness.port, 'GET', { target: '/barrier' })).status, 200);
    assert.deepEqual(
      harness.upstream.requests.slice(before).map((request) => request.target),
      ['/1', '/barrier'],
    );
  });

  test('A16 one exchange at a time: the second request is not forwarded before the first is answered', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    harness.upstream.script = async (request, connection) => {
      if (request.target === '/slow') await gate;
      await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${request.target.length}\r\n\r\n${request.target}`);
    };
    using client = await RawClient.connect(harness.port);
    const before = harness.upstream.requests.length;
    await client.send('GET /slow HTTP/1.1\r\nHost: a.test\r\n\r\nGET /fast HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await harness.upstream.request(before);
    assert.equal((await fetchRaw(harness.port, 'GET', { target: '/other' })).status, 200);
    assert.deepEqual(
      harness.upstream.requests.slice(before).map((request) => request.target),
      ['/slow', '/other'],
    );
    release();
    assert.equal((await client.response()).body.toString(), '/slow');
    assert.equal((await client.response()).body.toString(), '/fast');
  });

  test('A16 pipelined bytes behind a slow exchange are bounded', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    harness.upstream.script = async (_request, connection) => {
      await gate;
      await connection.write('HTTP/1.1 204 No Content\r\n\r\n');
    };
    using client = await RawClient.connect(harness.port);
    const request = Buffer.from(`GET /x HTTP/1.1\r\nHost: a.test\r\nX: ${'y'.repeat(900)}\r\n\r\n`);
    const flood = Buffer.concat(Array.from({ length: 1_000 }, () => request));
    const total = 60 * flood.length;
    for (let round = 0; round < 60; round += 1) client.socket.write(flood);
    // What the kernels hold between the two is all that goes: then nothing moves any more.
    let waits = -1;
    await eventually(
      async () => {
        const before = waits;
        waits = client.socket.writableLength;
        await new Promise((resolve) => setTimeout(resolve, 400));
        return waits > 0 && waits === before;
      },
      'the gateway to stop reading',
      10_000,
    );
    client.reset();
    release();
    assert.ok(waits > total / 3, `the gateway stopped reading; it took ${total - waits} bytes`);
  });

  test('Connection: close ends the connection after the answer, and pipelined bytes are not served', async () => {
    using client = await RawClient.connect(harness.port);
    const before = harness.upstream.requests.length;
    await client.send('GET /last HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\nGET /never HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const response = await client.response();
    assert.equal(response.body.toString(), 'GET /last 0');
    assert.equal(response.value('connection')?.toLowerCase(), 'close');
    assert.equal((await client.ended()).rest.latin1Slice(), '');
    assert.deepEqual(
      harness.upstream.requests.slice(before).map((request) => request.target),
      ['/last'],
    );
  });

  test('HTTP/1.0 closes after one exchange, and stays with Connection: keep-alive', async () => {
    using one = await RawClient.connect(harness.port);
    await one.send('GET /a HTTP/1.0\r\nHost: a.test\r\n\r\n');
    assert.equal((await one.response()).body.toString(), 'GET /a 0');
    await one.ended();
    using two = await RawClient.connect(harness.port);
    for (const target of ['/b', '/c']) {
      await two.send(`GET ${target} HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n`);
      const response = await two.response();
      assert.equal(response.body.toString(), `GET ${target} 0`);
      if (response.value('connection')?.toLowerCase() !== 'keep-alive') break;
    }
  });
});

describe('A17 Expect', () => {
  test('A17 100 Continue comes before the body, and only once', async () => {
    // An origin that reads the body says so when it is asked; whether the gateway asks it or answers itself is the same to the client.
    harness.upstream.script = async (request, connection) => {
      if (request.values('expect').length > 0) await connection.write('HTTP/1.1 100 Continue\r\n\r\n');
      await answerOk(request, connection);
    };
    using client = await RawClient.connect(harness.port);
    await client.send(`${post}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
    const line = await client.stream.line(performance.now() + 2_000, '100');
    assert.match(line, /^HTTP\/1\.1 100 /);
    await client.stream.line(performance.now() + 2_000, 'end of 100');
    await client.send('hello');
    const response = await client.response();
    assert.equal(response.status, 200);
    assert.equal(response.body.toString(), 'POST /p 5');
    assert.deepEqual(response.interim, []);
  });

  test('A17 a client that does not wait gets its answer', async () => {
    using client = await RawClient.connect(harness.port);
    await client.send(`${post}Expect: 100-Continue\r\nContent-Length: 5\r\n\r\nhello`);
    assert.equal((await client.response()).body.toString(), 'POST /p 5');
    assert.equal((await client.request('GET', { target: '/next' })).body.toString(), 'GET /next 0');
  });

  for (const status of [417, 401]) {
    test(`A17 an upstream's ${status} to Expect is passed; the unread body's connection is closed`, async () => {
      harness.upstream.script = async (request, connection) => {
        await connection.write(`HTTP/1.1 ${status} No\r\n${request.nonceEcho}Content-Length: 2\r\n\r\nno`);
      };
      using client = await RawClient.connect(harness.port);
      await client.send(`${post}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
      const response = await client.response();
      assert.equal(response.status, status);
      assert.equal(response.body.toString(), 'no');
      if (response.interim.length === 0) {
        assert.equal(response.value('connection')?.toLowerCase(), 'close');
        await client.ended();
      }
    });
  }

  refuses(harness, 'A17 an unknown expectation is 417', `${post}Expect: 200-ok\r\nContent-Length: 0\r\n\r\n`, {
    status: 417,
    code: 'expectation_failed',
    mayKeep: true,
  });
  refuses(harness, 'A17 a second expectation is 417', `${post}Expect: 100-continue, x\r\nContent-Length: 0\r\n\r\n`, {
    status: 417,
    code: 'expectation_failed',
    mayKeep: true,
  });
  passes(
    harness,
    'A17 an HTTP/1.0 client gets no 100',
    'POST /p HTTP/1.0\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello',
    (_request, response) => assert.deepEqual(response.interim, []),
  );
});

describe('A24 a body over APIGATE_MAX_BODY', () => {
  passes(
    harness,
    'A24 a body of exactly the limit passes',
    () => `${post}Content-Length: 65536\r\n\r\n${'x'.repeat(65_536)}`,
    (request) => assert.equal(request.bodyLength, 65_536),
  );
  passes(
    harness,
    'A24 a chunked body of exactly the limit passes',
    () => `${chunked}10000\r\n${'x'.repeat(65_536)}\r\n0\r\n\r\n`,
    (request) => assert.equal(request.bodyLength, 65_536),
  );
  refuses(harness, 'A24 a longer Content-Length is 413 before anything goes upstream', `${post}Content-Length: 65537\r\n\r\n`, {
    status: 413,
    code: 'body_too_large',
  });
  refuses(
    harness,
    'A24 a longer chunked body is 413 at the limit, and the upstream request never completes',
    () => `${chunked}10001\r\n${'x'.repeat(65_537)}\r\n0\r\n\r\n`,
    { status: 413, code: 'body_too_large', mayHaveBegun: true },
  );
  test('A24 with Expect: 100-continue a body too large is 413 and no 100', async () => {
    using client = await RawClient.connect(harness.port);
    await client.send(`${post}Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n`);
    const response = await client.response();
    assert.equal(response.status, 413);
    assert.deepEqual(response.interim, []);
  });
});
