// Over 300 lines: tables of rules about responses, on one gateway.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { BrokenMessage, fetchRaw, RawClient, type RawResponse, type RequestOptions } from '../support/raw-client.ts';
import { assertOneOf } from '../support/request-cases.ts';

const harness = useGateway();

/** The upstream answers the next requests with these bytes, and closes after them when asked. */
function upstreamSends(bytes: string | Uint8Array, end: 'keep' | 'fin' | 'rst' = 'keep'): void {
  harness.upstream.script = async (request, connection) => {
    if (!(await request.complete)) return;
    await connection.write(bytes);
    if (end === 'fin') connection.end();
    if (end === 'rst') connection.reset();
  };
}

async function get(options: RequestOptions & { readonly method?: string } = {}): Promise<RawResponse> {
  return await fetchRaw(harness.port, options.method ?? 'GET', { target: '/r', ...options });
}

/** A test that this answer is refused as a whole: 502, nothing of it shown, its connection never used again. */
function invalid(
  name: string,
  bytes: string | (() => string),
  end: 'keep' | 'fin' = 'keep',
  codes: string[] = ['upstream_invalid_response'],
): void {
  test(name, async () => {
    upstreamSends(typeof bytes === 'function' ? bytes() : bytes, end);
    const response = await get();
    assert.equal(response.status, 502, response.body.toString());
    assertOneOf(response.json()['code'] as string, codes, 'code');
    assert.ok(!JSON.stringify([response.fields, response.body.toString()]).includes('leak'), 'nothing of the upstream response is shown');
    await assertNotReused();
  });
}

/** The connections used so far are closed by the gateway, and the next request comes on a new one. */
async function assertNotReused(): Promise<void> {
  const before = harness.upstream.connections.length;
  await eventually(() => harness.upstream.open.length === 0, 'the gateway closes the connection');
  upstreamSends('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext');
  assert.equal((await get()).body.toString(), 'next');
  assert.equal(harness.upstream.connections.length, before + 1);
}

/** A test that this answer is passed on. */
function valid(
  name: string,
  bytes: string | Uint8Array,
  check: (response: RawResponse) => void,
  end: 'keep' | 'fin' = 'keep',
  options: RequestOptions & { readonly method?: string } = {},
): void {
  test(name, async () => {
    upstreamSends(bytes, end);
    check(await get(options));
  });
}

const ok = 'HTTP/1.1 200 OK\r\nX-Leak: leak\r\n';

describe('B05 the head', () => {
  for (const [what, bytes] of [
    ['garbage', 'hello, this is no HTTP\r\n\r\n'],
    ['a TLS alert', '\x15\x03\x01\x00\x02\x02\x46\r\n\r\n'],
    ['an SSH banner', 'SSH-2.0-OpenSSH_9\r\n\r\n'],
    ['status 099', 'HTTP/1.1 099 leak\r\nContent-Length: 0\r\n\r\n'],
    ['status 000', 'HTTP/1.1 000 leak\r\nContent-Length: 0\r\n\r\n'],
    ['status 600', 'HTTP/1.1 600 leak\r\nContent-Length: 0\r\n\r\n'],
    ['status 999', 'HTTP/1.1 999 leak\r\nContent-Length: 0\r\n\r\n'],
    ['a two-digit status', 'HTTP/1.1 20 leak\r\nContent-Length: 0\r\n\r\n'],
    ['a four-digit status', 'HTTP/1.1 2000 leak\r\nContent-Length: 0\r\n\r\n'],
    ['a status with a sign', 'HTTP/1.1 +20 leak\r\nContent-Length: 0\r\n\r\n'],
    ['two spaces before the status', 'HTTP/1.1  200 leak\r\nContent-Length: 0\r\n\r\n'],
    ['a tab before the status', 'HTTP/1.1\t200 leak\r\nContent-Length: 0\r\n\r\n'],
    ['version HTTP/2.0', 'HTTP/2.0 200 leak\r\nContent-Length: 0\r\n\r\n'],
    ['version HTTP/5.6', 'HTTP/5.6 200 leak\r\nContent-Length: 0\r\n\r\n'],
    ['a lower-case version', 'http/1.1 200 leak\r\nContent-Length: 0\r\n\r\n'],
    ['a NUL in the reason', 'HTTP/1.1 200 l\0eak\r\nContent-Length: 0\r\n\r\n'],
    ['a bare LF after the status line', 'HTTP/1.1 200 leak\nContent-Length: 0\r\n\r\n'],
    ['bare LFs throughout', 'HTTP/1.1 200 leak\nContent-Length: 0\n\n'],
    ['a bare LF in a value', `${ok}X: a\nSet-Cookie: leak=1\r\nContent-Length: 0\r\n\r\n`],
    ['a bare CR in a value', `${ok}X: a\rleak\r\nContent-Length: 0\r\n\r\n`],
    ['a NUL in a value', `${ok}X: a\0b\r\nContent-Length: 0\r\n\r\n`],
    ['a control byte in a value', `${ok}X: a\x01b\r\nContent-Length: 0\r\n\r\n`],
    ['DEL in a value', `${ok}X: a\x7fb\r\nContent-Length: 0\r\n\r\n`],
    ['obs-fold', `${ok}X: a\r\n b\r\nContent-Length: 0\r\n\r\n`],
    ['a space before the colon', `${ok}X : a\r\nContent-Length: 0\r\n\r\n`],
    ['an empty name', `${ok}: a\r\nContent-Length: 0\r\n\r\n`],
    ['a name with a space', `${ok}X y: a\r\nContent-Length: 0\r\n\r\n`],
    ['a line without a colon', `${ok}leak\r\nContent-Length: 0\r\n\r\n`],
    ['501 fields', () => `HTTP/1.1 200 OK\r\n${'X: leak\r\n'.repeat(500)}Content-Length: 0\r\n\r\n`],
    ['1,000 fields', () => `HTTP/1.1 200 OK\r\n${'X: leak\r\n'.repeat(1_000)}Content-Length: 0\r\n\r\n`],
    ['a head of 64 KiB and one byte', () => headOf(65_537)],
    ['a header of 1 MiB', () => headOf(1_048_576)],
  ] as const) {
    invalid(`B05 ${what} is 502 upstream_invalid_response and the connection is not reused`, bytes);
  }
  invalid('B04 half a status line and a close is 502', 'HTTP/1.1 20', 'fin', ['upstream_invalid_response', 'upstream_reset']);
  invalid('B04 half a head and a close is 502', 'HTTP/1.1 200 OK\r\nX-Leak: leak\r\n', 'fin', [
    'upstream_invalid_response',
    'upstream_reset',
  ]);
  invalid('a close without a byte is 502 upstream_reset', '', 'fin', ['upstream_reset']);

  valid('B05 exactly 500 fields pass', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(499)}Content-Length: 0\r\n\r\n`, (response) =>
    assert.equal(response.values('x').length, 499),
  );
  valid('B05 a head of exactly 64 KiB passes', headOf(65_536), (response) => assert.equal(response.status, 200));
  valid('an empty reason passes', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', (response) => assert.equal(response.status, 200));
  valid('obs-text in reason and value passes', 'HTTP/1.1 200 \xdcber\r\nX: \xff\r\nContent-Length: 0\r\n\r\n', (response) =>
    assert.equal(response.value('x'), '\xff'),
  );
  valid('a status of 299 or 599 passes as it is', 'HTTP/1.1 599 Odd\r\nContent-Length: 0\r\n\r\n', (response) =>
    assert.equal(response.status, 599),
  );
});

function headOf(bytes: number): string {
  const begin = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ';
  return `${begin}${'y'.repeat(bytes - begin.length - 4)}\r\n\r\n`;
}

describe('B07 framing', () => {
  for (const [what, fields] of [
    ['Content-Length and Transfer-Encoding', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
    ['Transfer-Encoding and Content-Length', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'],
    ['two differing Content-Lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n'],
    ['a differing Content-Length list', 'Content-Length: 5, 6\r\n'],
    ['a signed Content-Length', 'Content-Length: +5\r\n'],
    ['a negative Content-Length', 'Content-Length: -5\r\n'],
    ['a hex Content-Length', 'Content-Length: 0x5\r\n'],
    ['an empty Content-Length', 'Content-Length:\r\n'],
    ['a Content-Length of 20 digits', 'Content-Length: 12345678901234567890\r\n'],
    ['Transfer-Encoding: gzip', 'Transfer-Encoding: gzip\r\n'],
    ['Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['Transfer-Encoding: chunked, gzip', 'Transfer-Encoding: chunked, gzip\r\n'],
    ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'],
    ['an empty Transfer-Encoding', 'Transfer-Encoding:\r\n'],
  ] as const) {
    invalid(`B07 ${what} is 502 and the connection is never reused`, `${ok}${fields}\r\n5\r\nhello\r\n0\r\n\r\n`);
  }
  invalid('B07 Transfer-Encoding on HTTP/1.0 is 502', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n');

  valid(
    'no framing is read to the close, and a 1.1 client gets chunks',
    'HTTP/1.1 200 OK\r\n\r\nhello',
    (response) => {
      assert.equal(response.body.toString(), 'hello');
      assert.equal(response.framing, 'chunked');
    },
    'fin',
  );
  test('no framing is read to the close, and a 1.0 client gets a close', async () => {
    upstreamSends('HTTP/1.1 200 OK\r\n\r\nhello', 'fin');
    using client = await RawClient.connect(harness.port);
    const response = await client.request('GET', { version: 'HTTP/1.0', fields: [['Connection', 'keep-alive']] });
    assert.equal(response.body.toString(), 'hello');
    assert.equal(response.framing, 'close');
    assert.notEqual(response.value('connection')?.toLowerCase(), 'keep-alive');
  });
  test('G07 an HTTP/1.0 client gets a chunked response without chunks, ended by a close', async () => {
    upstreamSends('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n');
    const response = await get({ version: 'HTTP/1.0' });
    assert.equal(response.body.toString(), 'hello world');
    assert.deepEqual(response.values('transfer-encoding'), []);
  });
  valid(
    'chunk extensions of the upstream are dropped, the body is intact',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b;c="d"\r\nhello\r\n0;z\r\n\r\n',
    (response) => assert.equal(response.body.toString(), 'hello'),
  );
  valid(
    'trailers pass, never merged into the head',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: abc\r\n\r\n',
    (response) => {
      assert.deepEqual(response.trailers, [['X-Sum', 'abc']]);
      assert.deepEqual(response.values('x-sum'), []);
    },
  );
  valid('an HTTP/1.0 response with Content-Length passes', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello', (response) => {
    assert.equal(response.body.toString(), 'hello');
    assert.equal(response.version, 'HTTP/1.1', "the gateway's own version, RFC 9110 section 2.5");
  });
  test('an HTTP/1.0 response without keep-alive ends its connection', async () => {
    upstreamSends('HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    assert.equal((await get()).status, 200);
    await assertNotReused();
  });
});

describe('A26 messages without a body', () => {
  const cases: [string, string, number, string?][] = [
    ['HEAD with Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\nX-Ours: y\r\n\r\n', 200, 'HEAD'],
    ['HEAD with chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 200, 'HEAD'],
    ['HEAD without framing', 'HTTP/1.1 200 OK\r\n\r\n', 200, 'HEAD'],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', 204],
    ['204 with Content-Length', 'HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n', 204],
    ['204 with chunked', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', 204],
    ['304', 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n', 304],
    ['304 with Content-Length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n', 304],
    ['304 with chunked', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n', 304],
    ['205 with Content-Length: 0', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n', 205],
  ];
  for (const [what, bytes, status, method = 'GET'] of cases) {
    test(`A26 ${what} has no body, and both connections go on`, async () => {
      upstreamSends(bytes);
      using client = await RawClient.connect(harness.port);
      const before = harness.upstream.connections.length;
      for (let round = 0; round < 3; round += 1) {
        const response = await client.request(method);
        assert.equal(response.status, status);
        assert.equal(response.body.length, 0);
        if (status === 204)
          assert.deepEqual(
            [response.values('content-length'), response.values('transfer-encoding')],
            [[], []],
            'RFC 9110 section 8.6, RFC 9112 section 6.1',
          );
      }
      assert.ok(client.open, 'no byte follows');
      assert.equal(harness.upstream.connections.length, before + 1, 'the upstream connection is reused');
    });
  }
  valid(
    'A26 HEAD keeps the Content-Length of the GET',
    'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n',
    (response) => assert.equal(response.value('content-length'), '500'),
    'keep',
    { method: 'HEAD' },
  );
  test('A26 a body sent to HEAD kills the connection instead of answering the next request', async () => {
    upstreamSends('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    const response = await get({ method: 'HEAD' });
    assert.equal(response.status, 200);
    await assertNotReused();
  });
});

describe('B08 bytes beyond the message', () => {
  for (const [what, bytes] of [
    ['bytes beyond Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloEXTRA'],
    ['a second response unasked', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'],
    ['bytes beyond the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nEXTRA'],
    ['one CRLF beyond', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello\r\n'],
  ] as const) {
    test(`B08 ${what}: the answer is right and the connection is discarded`, async () => {
      upstreamSends(bytes);
      assert.equal((await get()).body.toString(), 'hello');
      await assertNotReused();
    });
  }
});

describe('B10 interim responses', () => {
  const final = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfinal';
  test('B10 103 ×3 are forwarded with their fields and do not end the exchange', async () => {
    upstreamSends(
      `HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n${'HTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n'.repeat(2)}${final}`,
    );
    const response = await get();
    assert.equal(response.body.toString(), 'final');
    assert.deepEqual(
      response.interim.map(({ status, fields }) => [status, fields.filter(([name]) => name === 'Link').map(([, value]) => value)]),
      [
        [103, ['</a>; rel=preload']],
        [103, ['</b>']],
        [103, ['</b>']],
      ],
    );
    assert.ok(!response.interim[0]!.fields.some(([name]) => /^x-hop$/i.test(name)), 'hop-by-hop fields of a 1xx go too');
  });
  test('B10 a 103 reaches the client before the final response is there', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    harness.upstream.script = async (_request, connection) => {
      await connection.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
      await gate;
      await connection.write(final);
    };
    using client = await RawClient.connect(harness.port);
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match(await client.stream.line(performance.now() + 2_000, 'the 103'), /^HTTP\/1\.1 103 /);
    while ((await client.stream.line(performance.now() + 2_000, 'the head of the 103')) !== '');
    release();
    assert.equal((await client.response()).body.toString(), 'final');
  });
  for (const [what, bytes] of [
    ['an unasked 100', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['a 102', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['an unknown 1xx', 'HTTP/1.1 199 Odd\r\n\r\n'],
  ] as const) {
    test(`B10 ${what} does not end the exchange`, async () => {
      upstreamSends(bytes + final);
      using client = await RawClient.connect(harness.port);
      for (let round = 0; round < 2; round += 1) assert.equal((await client.request('GET')).body.toString(), 'final');
    });
  }
  test('B10 framing fields of a 1xx never reach the client (RFC 9110 section 8.6, RFC 9112 section 6.1)', async () => {
    upstreamSends(`HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nLink: </a>\r\n\r\n${final}`);
    const response = await get();
    if (response.status === 502) return;
    assert.equal(response.body.toString(), 'final');
    for (const { fields } of response.interim)
      assert.ok(!fields.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name)), JSON.stringify(fields));
  });
  test('B10 no 1xx goes to an HTTP/1.0 client', async () => {
    upstreamSends(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${final}`);
    const response = await get({ version: 'HTTP/1.0' });
    assert.deepEqual(response.interim, []);
    assert.equal(response.body.toString(), 'final');
  });
  invalid(
    'B10 an unasked 101 is 502 and its socket is destroyed',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: leak\r\nConnection: upgrade\r\n\r\nleak',
  );
  invalid('B10 a malformed head after a 103 is 502', 'HTTP/1.1 103 Early Hints\r\n\r\nleak\r\n\r\n');
});

describe('B11 hop-by-hop headers of a response', () => {
  valid(
    'B11 Connection-listed and hop-by-hop names are removed',
    'HTTP/1.1 200 OK\r\nConnection: x-secret, X-Other, keep-alive\r\nX-Secret: s\r\nx-other: t\r\nKeep-Alive: timeout=99\r\nProxy-Connection: keep-alive\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\nAlt-Svc: h3=":443"\r\nX-Stays: y\r\nContent-Length: 0\r\n\r\n',
    (response) => {
      for (const name of ['x-secret', 'x-other', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'upgrade', 'alt-svc'])
        assert.deepEqual(response.values(name), [], name);
      assert.equal(response.value('x-stays'), 'y');
      assert.ok(response.values('connection').every((value) => /^(close|keep-alive)$/i.test(value)));
    },
  );
  valid(
    'B11 Connection cannot take away framing',
    'HTTP/1.1 200 OK\r\nConnection: content-length, x-request-id\r\nContent-Length: 5\r\n\r\nhello',
    (response) => assert.equal(response.body.toString(), 'hello'),
  );
  valid(
    'B18 repeated response headers keep count, order and case',
    'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Dup: 1\r\nset-cookie: b=2; Path=/\r\nVia: 1.0 one\r\nX-DUP: 2\r\nSet-Cookie: a=1\r\nVia: 1.1 two\r\nContent-Length: 0\r\n\r\n',
    (response) => {
      assert.deepEqual(
        response.fields.filter(([name]) => /^(set-cookie|x-dup)$/i.test(name)),
        [
          ['Set-Cookie', 'a=1'],
          ['X-Dup', '1'],
          ['set-cookie', 'b=2; Path=/'],
          ['X-DUP', '2'],
          ['Set-Cookie', 'a=1'],
        ],
      );
      assert.match(response.values('via').join(', '), /^1\.0 one, 1\.1 two(, 1\.1 \S+)?$/, "the gateway's own comes last, if at all");
    },
  );
  valid(
    'A27 names of JavaScript objects pass in responses',
    'HTTP/1.1 200 OK\r\n__proto__: a\r\nconstructor: b\r\nContent-Length: 0\r\n\r\n',
    (response) => {
      assert.equal(response.value('__proto__'), 'a');
      assert.equal(response.value('constructor'), 'b');
    },
  );
  valid(
    "the origin's Date and Server pass untouched",
    'HTTP/1.1 200 OK\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\nServer: origin/1\r\nContent-Length: 0\r\n\r\n',
    (response) => {
      assert.equal(response.value('date'), 'Tue, 15 Nov 1994 08:12:31 GMT');
      assert.equal(response.value('server'), 'origin/1');
    },
  );
  valid('a Date is added where the origin sent none (RFC 9110 section 6.6.1)', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', (response) =>
    assert.ok(Math.abs(Date.parse(response.value('date') ?? '') - Date.now()) < 5_000, response.value('date')),
  );
  valid(
    "the upstream's own X-Request-Id does not make two",
    'HTTP/1.1 200 OK\r\nX-Request-Id: upstreams-own\r\nContent-Length: 0\r\n\r\n',
    (response) => assert.equal(response.values('x-request-id').length, 1),
  );
});

describe('B12 connection-bound authentication', () => {
  for (const scheme of ['NTLM', 'Negotiate', 'Negotiate oYG2', 'negotiate']) {
    test(`B12 after WWW-Authenticate: ${scheme} the connection is not shared`, async () => {
      upstreamSends(`HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ${scheme}\r\nContent-Length: 0\r\n\r\n`);
      using one = await RawClient.connect(harness.port);
      assert.equal((await one.request('GET')).value('www-authenticate'), scheme);
      const first = harness.upstream.connections.at(-1)!;
      using two = await RawClient.connect(harness.port);
      assert.equal((await two.request('GET')).status, 401);
      assert.equal(first.requests.length, 1, 'another client never gets that connection');
    });
  }
});

describe('B13 a final response before the upload ends', () => {
  for (const status of [413, 401, 200]) {
    for (const framing of ['length', 'chunked'] as const) {
      test(`B13 an early ${status} to a ${framing} upload is delivered; the upload stops; nothing is reused`, async () => {
        harness.upstream.script = async (request, connection) => {
          await connection.write(`HTTP/1.1 ${status} Early\r\n${request.nonceEcho}Content-Length: 5\r\n\r\nearly`);
        };
        using client = await RawClient.connect(harness.port);
        await client.send(
          `POST /u HTTP/1.1\r\nHost: a\r\n${framing === 'length' ? 'Content-Length: 10000000' : 'Transfer-Encoding: chunked'}\r\n\r\n`,
        );
        await client.send(framing === 'length' ? 'x'.repeat(1_000) : '3e8\r\n' + 'x'.repeat(1_000) + '\r\n');
        const response = await client.response();
        assert.equal(response.status, status);
        assert.equal(response.body.toString(), 'early');
        assert.equal(response.value('connection')?.toLowerCase(), 'close', 'announced, since the rest of the request is not read');
        await client.ended();
        assert.equal(await harness.upstream.requests.at(-1)!.ended(), false);
        await assertNotReused();
      });
    }
  }
});

test('B13 an early answer of an upstream that then closes reaches a client that is still in the middle of a large upload', async () => {
  for (let round = 0; round < 10; round += 1) {
    harness.upstream.script = async (_request, connection) => {
      await connection.write('HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig');
      // As RFC 9112 section 9.6 tells servers to: half a close first, reading on for a while, or a reset may overtake the answer.
      connection.end();
      await new Promise((resolve) => setTimeout(resolve, 150));
      connection.socket.destroy();
    };
    using client = await RawClient.connect(harness.port);
    const sending = client
      .send(Buffer.concat([Buffer.from('POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n'), Buffer.alloc(20_000_000)]))
      .catch(() => {});
    const response = await client.response();
    assert.equal(response.status, 413);
    assert.equal(response.body.toString(), 'big');
    client.destroy();
    await sending;
  }
});

test('B13 an early answer of an upstream that closes hard, with bytes unread, reaches the client', async () => {
  for (let round = 0; round < 20; round += 1) {
    harness.upstream.script = async (_request, connection) => {
      connection.socket.pause();
      await connection.write('HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig');
      connection.socket.destroy();
    };
    using client = await RawClient.connect(harness.port);
    const sending = client
      .send(Buffer.concat([Buffer.from('POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n'), Buffer.alloc(5_000_000)]))
      .catch(() => {});
    const response = await client.response();
    client.destroy();
    await sending;
    assert.equal(response.status, 413, `round ${round}: ${response.body.toString()}`);
  }
});

describe('what passes untouched', () => {
  for (const status of [500, 502, 503, 504, 429, 404, 401, 407, 418]) {
    valid(
      `B14 the upstream's own ${status} passes, told apart by the missing Proxy-Status`,
      `HTTP/1.1 ${status} Own\r\nContent-Type: text/html\r\nRetry-After: 7\r\nContent-Length: 3\r\n\r\nown`,
      (response) => {
        assert.equal(response.status, status);
        assert.equal(response.body.toString(), 'own');
        assert.equal(response.value('content-type'), 'text/html');
        assert.equal(response.value('retry-after'), '7');
        assert.deepEqual(response.values('proxy-status'), []);
      },
    );
  }
  test('B15 a redirect to a forbidden address is passed and never followed', async () => {
    upstreamSends('HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n');
    const before = harness.upstream.requests.length;
    const response = await get();
    assert.equal(response.status, 302);
    assert.equal(response.value('location'), 'http://169.254.169.254/latest');
    assert.equal(harness.upstream.requests.length, before + 1);
  });
  const zipped = gzipSync(Buffer.from('x'.repeat(5_000)));
  for (const [what, body] of [
    ['a gzip body', zipped],
    ['a body that is not what Content-Encoding says', Buffer.from('not gzip at all')],
  ] as const) {
    valid(
      `B16 ${what} passes byte for byte`,
      Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`), body]),
      (response) => {
        assert.deepEqual(response.body, body);
        assert.equal(response.value('content-encoding'), 'gzip');
        assert.equal(response.value('content-length'), String(body.length));
      },
    );
  }
});

describe('a broken body becomes a broken message', () => {
  const cases: [string, string, 'fin' | 'rst'][] = [
    ['a short Content-Length and a FIN', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', 'fin'],
    ['a short Content-Length and a reset', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', 'rst'],
    ['chunks without the last and a FIN', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'fin'],
    ['half a chunk and a FIN', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell', 'fin'],
    ['chunks and a reset', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'rst'],
    ['no final CRLF after the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n', 'fin'],
    ['a malformed chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nleak', 'fin'],
    ['a chunk size of 2^64', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10000000000000000\r\nx', 'fin'],
    ['a read-to-close body and a reset', 'HTTP/1.1 200 OK\r\n\r\nhello', 'rst'],
  ];
  for (const [what, bytes, end] of cases) {
    for (const version of ['HTTP/1.1', 'HTTP/1.0'] as const) {
      test(`${what}: the ${version} client sees a broken message, never a clean end`, async () => {
        const [head, body] = [bytes.slice(0, bytes.indexOf('\r\n\r\n') + 4), bytes.slice(bytes.indexOf('\r\n\r\n') + 4)];
        let failNow = (): void => {};
        const gate = new Promise<void>((resolve) => (failNow = resolve));
        harness.upstream.script = async (_request, connection) => {
          await connection.write(head + body.slice(0, 2));
          await gate;
          await connection.write(body.slice(2));
          // Let the bytes arrive before a reset can overtake them in the receiver.
          if (end === 'rst') await new Promise((resolve) => setTimeout(resolve, 20));
          if (end === 'rst') connection.reset();
          else connection.end();
        };
        using client = await RawClient.connect(harness.port);
        await client.send(`GET /b ${version}\r\nHost: a\r\n\r\n`);
        // The head must be at the client before the fault, or the gateway may still answer 502.
        await eventually(() => client.stream.size > 0, 'the head');
        failNow();
        await assert.rejects(client.response(), (error: unknown) => {
          assert.ok(error instanceof BrokenMessage, String(error));
          assert.ok(!error.response.body.includes('leak'));
          if (error.response.framing === 'close')
            assert.equal(error.ending, 'reset', 'a body that ends with the connection must not end with a FIN');
          return true;
        });
      });
    }
  }
});
