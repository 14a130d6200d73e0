// Over 300 lines: each line of what transformations do to bodies, on one gateway with a small limit.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import zlib from 'node:zlib';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw, RawClient, requestBytes, type RawResponse } from '../support/raw-client.ts';
import { answering, jsonType, transformedRoute, type TransformedRoute } from '../support/transformed-route.ts';

const limit = 65_536;
const harness = useGateway({ admin: true, env: { APIGATE_TRANSFORM_BODY_LIMIT: String(limit) } });

const masked = { response_transform: { body: { json: { mask: ['email'] } } } };
const masking = { request_transform: { body: { json: { mask: ['email'] } } } };
const secret = 'ann@secret.example';
const document = JSON.stringify({ email: secret });
const hidden = '{"email":"a***@s***.example"}';

const codings = {
  gzip: zlib.gzipSync,
  'x-gzip': zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
  zstd: zlib.zstdCompressSync,
} as const;

function assertProblem(response: RawResponse, status: number, code = 'transform_error'): void {
  assert.equal(response.status, status, response.body.toString());
  assert.equal(response.value('Content-Type'), 'application/problem+json');
  assert.equal(response.json()['code'], code);
  assert.equal(response.json()['status'], status);
  assert.ok(!response.body.includes('secret'), 'what was to be masked is in the answer');
}

async function responding(
  fields: readonly (readonly [string, string])[],
  body: string | Uint8Array,
  status = '200 OK',
): Promise<TransformedRoute> {
  return await transformedRoute(harness, masked, answering(status, fields, body));
}

describe('a response body', () => {
  test('is masked, with its right Content-Length; ETag weakened, digests dropped', async () => {
    const route = await responding(
      [
        jsonType,
        ['ETag', '"v1"'],
        ['Content-MD5', 'x'],
        ['Digest', 'x'],
        ['Content-Digest', 'x'],
        ['Repr-Digest', 'x'],
        ['Accept-Ranges', 'bytes'],
        ['X-Kept', 'yes'],
      ],
      document,
    );
    const { response } = await route.send('GET');
    assert.equal(response.body.toString(), hidden);
    assert.equal(response.value('Content-Length'), String(hidden.length));
    assert.equal(response.value('ETag'), 'W/"v1"');
    for (const name of ['Content-MD5', 'Digest', 'Content-Digest', 'Repr-Digest', 'Accept-Ranges', 'Content-Encoding'])
      assert.deepEqual(response.values(name), [], name);
    assert.equal(response.value('X-Kept'), 'yes');
  });
  test('inject merges deeply and fills templates in; remove, rename and mask follow; missing fields do nothing', async () => {
    const route = await transformedRoute(
      harness,
      {
        response_transform: {
          body: {
            json: {
              inject: { meta: { by: '${header.X-Who} of ${method}', n: 1 }, list: ['${query.q}'] },
              remove: ['a.b', 'none.x', 'items.internal'],
              rename: { old: 'new', 'items.id': 'key', gone: 'x' },
              mask: ['items.email', 'none'],
            },
          },
        },
      },
      answering(
        '200 OK',
        [jsonType],
        JSON.stringify({
          a: { b: 1, c: 2 },
          old: 1,
          meta: { by: 'me', kept: true },
          items: [{ id: 1, email: secret, internal: 1 }, 7, [{ id: 2, email: 5 }]],
        }),
      ),
    );
    const { response } = await route.send('GET', { target: `${route.path}?q=%C3%BC`, fields: [['X-Who', 'ann']] });
    assert.deepEqual(response.json(), {
      a: { c: 2 },
      meta: { by: 'ann of GET', kept: true, n: 1 },
      items: [{ key: 1, email: 'a***@s***.example' }, 7, [{ key: 2, email: '***' }]],
      list: ['ü'],
      new: 1,
    });
  });
  for (const [coding, encode] of Object.entries(codings)) {
    test(`in ${coding} is decoded, and goes on plain`, async () => {
      const route = await responding([jsonType, ['Content-Encoding', coding]], encode(Buffer.from(document)));
      const { response } = await route.send('GET', { fields: [['Accept-Encoding', 'gzip']] });
      assert.equal(response.body.toString(), hidden);
      assert.deepEqual(response.values('Content-Encoding'), []);
    });
  }
  test('in bare deflate, which some send, is decoded too', async () => {
    const route = await responding([jsonType, ['Content-Encoding', 'deflate']], zlib.deflateRawSync(Buffer.from(document)));
    assert.equal((await route.send('GET')).response.body.toString(), hidden);
  });
  test('that came in chunks, or until the connection closes, goes on with a length', async () => {
    for (const head of ['Transfer-Encoding: chunked\r\n', '']) {
      const route = await transformedRoute(harness, masked, async (request, connection) => {
        await request.complete;
        await connection.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${request.nonceEcho}${head}\r\n`);
        if (head === '') {
          await connection.write(document);
          connection.end();
        } else
          await connection.write(
            `5\r\n${document.slice(0, 5)}\r\n${(document.length - 5).toString(16)}\r\n${document.slice(5)}\r\n0\r\nX-T: 1\r\n\r\n`,
          );
      });
      const { response } = await route.send('GET');
      assert.equal(response.framing, 'length');
      assert.equal(response.body.toString(), hidden);
    }
  });
  test('an HTTP/1.0 client gets it with its length', async () => {
    const route = await responding([jsonType], document);
    const { response } = await route.send('GET', { version: 'HTTP/1.0' });
    assert.equal(response.body.toString(), hidden);
  });
  for (const type of ['application/json; charset=utf-8', 'application/hal+json', 'APPLICATION/JSON', 'application/vnd.x.v1+json;a=b']) {
    test(`of type ${type} is transformed`, async () => {
      const route = await responding([['Content-Type', type]], document);
      assert.equal((await route.send('GET')).response.body.toString(), hidden);
    });
  }
  test('with two Content-Type fields, one of them JSON, is transformed', async () => {
    const route = await responding([['Content-Type', 'text/plain'], jsonType], document);
    assert.equal((await route.send('GET')).response.body.toString(), hidden);
  });
  test('of a type that is spelled with an underscore is transformed: some take one for the other', async () => {
    const route = await transformedRoute(harness, masking);
    const { request } = await route.send('POST', { fields: [['Content_Type', 'application/json']], body: document });
    assert.equal(request.body.toString(), hidden);
  });
  test('a header step that changes the type does not switch the mask off', async () => {
    const route = await transformedRoute(
      harness,
      { response_transform: { ...masked.response_transform, headers: { set: { 'Content-Type': 'text/plain' } } } },
      answering('200 OK', [jsonType], document),
    );
    const { response } = await route.send('GET');
    assert.equal(response.body.toString(), hidden);
    assert.equal(response.value('Content-Type'), 'text/plain');
  });
  for (const type of ['text/plain', 'text/event-stream', 'application/jsonx', 'application/x-ndjson']) {
    test(`of type ${type} passes as it is, byte for byte and streamed`, async () => {
      const route = await responding(
        [
          ['Content-Type', type],
          ['ETag', '"v1"'],
          ['Content-Encoding', 'x-own'],
        ],
        document,
      );
      const { response } = await route.send('GET');
      assert.equal(response.body.toString(), document);
      assert.equal(response.value('ETag'), '"v1"');
      assert.equal(response.value('Content-Encoding'), 'x-own');
    });
  }
  for (const [what, body] of [
    ['cut short', document.slice(0, -1)],
    ['followed by more', `${document} x`],
    ['not UTF-8', Buffer.concat([Buffer.from('{"email":"secret'), Buffer.of(0xff), Buffer.from('"}')])],
    ['UTF-16', Buffer.from(document, 'utf16le')],
  ] as const) {
    test(`that is ${what}: 502 transform_error, nothing of it gets through`, async () => {
      const route = await responding([jsonType, ['X-Leak', 'secret']], body);
      const { response } = await route.send('GET');
      assertProblem(response, 502);
      assert.deepEqual(response.values('X-Leak'), []);
      assert.match(response.value('Proxy-Status') ?? '', /http_protocol_error/);
    });
  }
  test('nested as deep as the limit allows: whole or 502, and the worker lives', async () => {
    const deep = '['.repeat(limit / 2) + ']'.repeat(limit / 2);
    const route = await responding([jsonType], deep);
    const { response } = await route.send('GET');
    if (response.status === 200) assert.equal(response.body.toString(), deep);
    else assertProblem(response, 502);
    const next = await responding([jsonType], document);
    assert.equal((await next.send('GET')).response.body.toString(), hidden);
  });
  test('with a byte order mark is read, and goes on without', async () => {
    const route = await responding([jsonType], `\ufeff${document}`);
    assert.equal((await route.send('GET')).response.body.toString(), hidden);
  });
  for (const [what, coding, body] of [
    ['an unknown coding', 'compress', 'secret'],
    ['two codings', 'gzip, br', zlib.brotliCompressSync(zlib.gzipSync(document))],
    ['a coding it does not have', 'gzip', document],
    ['zstd with a window of 128 MiB', 'zstd', zstdOfWindow(27)],
    ['gzip that is cut short', 'gzip', zlib.gzipSync(document).subarray(0, -6)],
    ['br that is cut short', 'br', zlib.brotliCompressSync(document).subarray(0, -3)],
    ['zstd that is cut short', 'zstd', zlib.zstdCompressSync(document).subarray(0, -3)],
  ] as const) {
    test(`in ${what}: 502 transform_error, never passed untransformed`, async () => {
      const route = await responding([jsonType, ['Content-Encoding', coding]], body);
      assertProblem((await route.send('GET')).response, 502);
    });
  }
  for (const [coding, encode] of Object.entries(codings)) {
    test(`a bomb in ${coding} stops at the limit: 502`, async () => {
      const bomb = encode(Buffer.from(JSON.stringify({ a: ' '.repeat(2_000_000) })));
      assert.ok(bomb.length < limit);
      const route = await responding([jsonType, ['Content-Encoding', coding]], bomb);
      assertProblem((await route.send('GET')).response, 502);
      const record = await harness.gateway.record((each) => each['path'] === route.path);
      assert.match(String(record['reason']), /over the 65536 bytes.*APIGATE_TRANSFORM_BODY_LIMIT/);
    });
  }
  test('over the limit: 502, with a declared length at once, in chunks as soon as it is', async () => {
    const large = JSON.stringify({ email: secret, a: 'x'.repeat(limit) });
    const declared = await transformedRoute(harness, masked, async (request, connection) => {
      await request.complete;
      // The body itself never comes.
      await connection.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${request.nonceEcho}Content-Length: ${large.length}\r\n\r\n`,
      );
    });
    assertProblem((await declared.send('GET')).response, 502);
    const chunked = await transformedRoute(harness, masked, async (request, connection) => {
      await request.complete;
      await connection.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${request.nonceEcho}Transfer-Encoding: chunked\r\n\r\n`);
      await connection.write(`${large.length.toString(16)}\r\n${large}\r\n`);
    });
    assertProblem((await chunked.send('GET')).response, 502);
  });
  test('of exactly the limit passes', async () => {
    const body = JSON.stringify({ email: secret, a: '' });
    const full = JSON.stringify({ email: secret, a: 'x'.repeat(limit - body.length) });
    assert.equal(full.length, limit);
    const route = await responding([jsonType], full);
    assert.equal((await route.send('GET')).response.json()['email'], 'a***@s***.example');
  });
  test('that breaks off: 502, never a part of it', async () => {
    const route = await transformedRoute(harness, masked, async (request, connection) => {
      await request.complete;
      await connection.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${request.nonceEcho}Content-Length: 500\r\n\r\n${document}`,
      );
      connection.reset();
    });
    assertProblem((await route.send('GET')).response, 502, 'upstream_reset');
  });
  test('that stops coming: 504 after timeout_ms', async () => {
    const route = await transformedRoute(
      harness,
      masked,
      async (request, connection) => {
        await request.complete;
        await connection.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${request.nonceEcho}Content-Length: 500\r\n\r\n{`);
      },
      { timeout_ms: 300 },
    );
    assertProblem((await route.send('GET')).response, 504, 'upstream_timeout');
  });
  test('numbers stay as they are written; of two equal keys the last stays, masked; __proto__ is a key like others', async () => {
    const route = await transformedRoute(
      harness,
      { response_transform: { body: { json: { mask: ['email', '__proto__.email', 'n'], inject: { added: true } } } } },
      answering(
        '200 OK',
        [jsonType],
        `{"big":12345678901234567890,"one":1.0,"exp":1E400,"small":0.00000001,"zero":-0,"email":"first@secret.example","email":"${secret}","n":123456789012345678901,"__proto__":{"email":"${secret}","polluted":1}}`,
      ),
    );
    const { response } = await route.send('GET');
    assert.equal(
      response.body.toString(),
      '{"big":12345678901234567890,"one":1.0,"exp":1E400,"small":0.00000001,"zero":-0,"email":"a***@s***.example","n":"***","__proto__":{"email":"a***@s***.example","polluted":1},"added":true}',
    );
  });
  test('a field that is renamed is masked under either name, and so is one that is injected', async () => {
    for (const mask of ['email', 'mail']) {
      const route = await transformedRoute(
        harness,
        {
          response_transform: {
            body: { json: { rename: { email: 'mail' } } },
            conditions: [{ when: { status: 200 }, body: { json: { mask: [mask] } } }],
          },
        },
        answering('200 OK', [jsonType], document),
      );
      assert.equal((await route.send('GET')).response.body.toString(), '{"mail":"a***@s***.example"}', mask);
    }
  });
  test('an object or list at the masked path is masked all through', async () => {
    const route = await transformedRoute(
      harness,
      { response_transform: { body: { json: { mask: ['user'] } } } },
      answering('200 OK', [jsonType], '{"user":{"name":"secret","tags":["secret",7,null,{"x":true}]}}'),
    );
    assert.equal((await route.send('GET')).response.body.toString(), '{"user":{"name":"s***t","tags":["s***t","***",null,{"x":"***"}]}}');
  });
  test('conditions choose which bodies are transformed; the others stream through untouched', async () => {
    const fields = { response_transform: { conditions: [{ when: { status: 200 }, body: { json: { mask: ['email'] } } }] } };
    const ok = await transformedRoute(harness, fields, answering('200 OK', [jsonType], document));
    assert.equal((await ok.send('GET')).response.body.toString(), hidden);
    const missing = await transformedRoute(harness, fields, answering('404 Not Found', [jsonType, ['ETag', '"1"']], document));
    const { response } = await missing.send('GET');
    assert.equal(response.body.toString(), document);
    assert.equal(response.value('ETag'), '"1"');
  });
  test('an empty one stays empty', async () => {
    const route = await responding([jsonType], '');
    const { response } = await route.send('GET');
    assert.equal(response.status, 200);
    assert.equal(response.body.length, 0);
  });
  test('HEAD tells no length or coding that GET would not have; 304 weakens its tag', async () => {
    const route = await responding([jsonType, ['ETag', '"v1"']], document);
    const { response } = await route.send('HEAD');
    assert.equal(response.status, 200);
    assert.deepEqual(response.values('Content-Length'), []);
    assert.equal(response.value('ETag'), 'W/"v1"');
    const unchanged = await transformedRoute(harness, masked, async (request, connection) => {
      await request.complete;
      await connection.write(`HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n${request.nonceEcho}\r\n`);
    });
    assert.equal((await unchanged.send('GET', { fields: [['If-None-Match', 'W/"v1"']] })).response.value('ETag'), 'W/"v1"');
  });
  test('large ones, compressed, many at once on one connection each: all masked, none mixed up', async () => {
    const route = await transformedRoute(
      harness,
      { response_transform: { body: { json: { mask: ['email'], inject: { q: '${query.q}' } } } } },
      async (request, connection) => {
        await request.complete;
        const body = zlib.gzipSync(JSON.stringify({ email: secret, of: request.target, fill: 'x'.repeat(40_000) }));
        await connection.write(
          `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n${request.nonceEcho}Content-Length: ${body.length}\r\n\r\n`,
        );
        await connection.write(body);
      },
    );
    const answers = await Promise.all(
      Array.from({ length: 24 }, async (_, index) => (await fetchRaw(harness.port, 'GET', { target: `${route.path}?q=${index}` })).json()),
    );
    for (const [index, answer] of answers.entries()) {
      assert.equal(answer['of'], `${route.path}?q=${index}`);
      assert.equal(answer['q'], String(index));
      assert.equal(answer['email'], 'a***@s***.example');
    }
  });
});

describe('what is asked for, where response bodies are transformed', () => {
  test('only codings that can be decoded are asked for, and never a range', async () => {
    const route = await responding([jsonType], document);
    for (const [accepted, expected] of [
      [undefined, 'identity'],
      ['gzip;q=0.5, dcb, br , *', 'gzip;q=0.5, br'],
      ['compress', 'identity'],
    ] as const) {
      const { request } = await route.send('GET', {
        fields: [...(accepted === undefined ? [] : [['Accept-Encoding', accepted] as const]), ['Range', 'bytes=0-3'], ['If-Range', '"x"']],
      });
      assert.deepEqual(request.values('Accept-Encoding'), [expected]);
      assert.deepEqual([...request.values('Range'), ...request.values('If-Range')], []);
    }
  });
  test('on other routes they pass untouched', async () => {
    const route = await transformedRoute(harness, masking);
    const { request } = await route.send('GET', {
      fields: [
        ['Accept-Encoding', 'dcb, *'],
        ['Range', 'bytes=0-3'],
      ],
    });
    assert.deepEqual([request.value('Accept-Encoding'), request.value('Range')], ['dcb, *', 'bytes=0-3']);
  });
  for (const type of ['application/json', 'multipart/byteranges; boundary=x', 'text/plain']) {
    test(`a part that comes all the same (206, ${type}): 502, never passed by the mask`, async () => {
      const route = await responding(
        [
          ['Content-Type', type],
          ['Content-Range', 'bytes 0-17/30'],
        ],
        'secret',
        '206 Partial Content',
      );
      assertProblem((await route.send('GET')).response, 502);
    });
  }
});

describe('a request body', () => {
  const json = (body: string | Uint8Array, ...more: (readonly [string, string])[]) => ({
    fields: [jsonType, ...more],
    body,
  });
  test('is transformed, with its right Content-Length and without what no longer fits', async () => {
    const route = await transformedRoute(harness, masking);
    const { request, response } = await route.send(
      'POST',
      json(document, ['Content-MD5', 'x'], ['Digest', 'x'], ['Content-Digest', 'x'], ['Repr-Digest', 'x']),
    );
    assert.equal(response.status, 200);
    assert.equal(request.body.toString(), hidden);
    assert.equal(request.value('Content-Length'), String(hidden.length));
    for (const name of ['Content-MD5', 'Digest', 'Content-Digest', 'Repr-Digest', 'Transfer-Encoding'])
      assert.deepEqual(request.values(name), [], name);
  });
  test('inject fills in what the request said, though its head is gone by then', async () => {
    const route = await transformedRoute(harness, {
      request_transform: { body: { json: { inject: { who: '${header.X-Who}', q: '${query.q}', id: '${request_id}' } } } },
    });
    const { request } = await route.send('POST', { target: `${route.path}?q=7`, ...json('{}', ['X-Who', 'ann']) });
    assert.deepEqual(JSON.parse(request.body.toString()), { who: 'ann', q: '7', id: request.value('X-Request-Id') });
  });
  for (const [coding, encode] of Object.entries(codings)) {
    test(`in ${coding} is decoded, and goes on plain`, async () => {
      const route = await transformedRoute(harness, masking);
      const { request } = await route.send('POST', json(encode(Buffer.from(document)), ['Content-Encoding', coding]));
      assert.equal(request.body.toString(), hidden);
      assert.deepEqual(request.values('Content-Encoding'), []);
    });
  }
  test('in chunks, one byte each, with trailers: whole and with a length at the upstream', async () => {
    const route = await transformedRoute(harness, masking);
    using client = await RawClient.connect(harness.port);
    await client.send(
      `POST ${route.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n`,
    );
    for (const character of document) await client.send(`1\r\n${character}\r\n`);
    assert.equal(route.upstream.requests.length, 0, 'nothing goes on before the body is whole');
    await client.send('0\r\nX-T: 1\r\n\r\n');
    assert.equal((await client.response()).status, 200);
    const request = await route.upstream.request(0);
    assert.equal(request.body.toString(), hidden);
    assert.deepEqual([...request.values('Trailer'), ...request.trailers], []);
  });
  for (const [what, body, more] of [
    ['malformed JSON', '{"email":', []],
    ['not UTF-8', Buffer.of(0x22, 0xff, 0x22), []],
    ['an unknown coding', document, [['Content-Encoding', 'compress']]],
    ['a coding it does not have', document, [['Content-Encoding', 'gzip']]],
  ] as const) {
    test(`${what}: 400 transform_error, nothing forwarded`, async () => {
      const route = await transformedRoute(harness, masking);
      const response = await route.refused('POST', json(body, ...more));
      assertProblem(response, 400);
      const record = await harness.gateway.record((each) => each['path'] === route.path);
      assert.equal(record['level'], 'info', "the client's fault is no failure of the gateway");
    });
  }
  test('over the limit: 413, with a declared length before the body comes', async () => {
    const route = await transformedRoute(harness, masking);
    const large = JSON.stringify({ email: secret, a: 'x'.repeat(limit) });
    assertProblem(await route.refused('POST', json(large)), 413, 'body_too_large');
    using client = await RawClient.connect(harness.port);
    await client.send(
      `POST ${route.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${large.length}\r\n\r\n`,
    );
    const response = await client.response();
    assertProblem(response, 413, 'body_too_large');
    assert.equal(response.interim.length, 0);
    using chunked = await RawClient.connect(harness.port);
    await chunked.send(`POST ${route.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`);
    await chunked.send(`${large.length.toString(16)}\r\n${large}\r\n`);
    assertProblem(await chunked.response(), 413, 'body_too_large');
    const bomb = zlib.gzipSync(JSON.stringify({ a: ' '.repeat(2_000_000) }));
    assertProblem(await route.refused('POST', json(bomb, ['Content-Encoding', 'gzip'])), 413, 'body_too_large');
  });
  test('Expect: 100-continue: the gateway asks for the body itself, and the upstream sees no Expect', async () => {
    const route = await transformedRoute(harness, masking);
    using client = await RawClient.connect(harness.port);
    await client.send(
      `POST ${route.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${document.length}\r\n\r\n`,
    );
    await eventually(() => client.stream.size === 'HTTP/1.1 100 Continue\r\n\r\n'.length, '100 Continue');
    assert.equal(route.upstream.requests.length, 0);
    await client.send(document);
    const response = await client.response();
    assert.equal(response.status, 200);
    assert.equal(response.interim.filter(({ status }) => status === 100).length, 1);
    const request = await route.upstream.request(0);
    assert.equal(request.body.toString(), hidden);
    assert.deepEqual(request.values('Expect'), []);
  });
  test('of another type streams: its first bytes are at the upstream before the last are sent', async () => {
    const route = await transformedRoute(harness, masking);
    using client = await RawClient.connect(harness.port);
    await client.send(`POST ${route.path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nfirst`);
    const request = await route.upstream.request(0);
    await eventually(() => request.bodyLength === 5, 'the first bytes');
    await client.send('12345');
    assert.equal((await client.response()).status, 200);
    assert.equal(request.body.toString(), 'first12345');
  });
  test('an Upgrade offer does not lead a body around its transformation', async () => {
    const route = await transformedRoute(harness, masking);
    const { request } = await route.send('POST', json(document, ['Connection', 'Upgrade'], ['Upgrade', 'h2c']));
    assert.equal(request.body.toString(), hidden);
  });
  test('none, or an empty one, is not made one', async () => {
    const route = await transformedRoute(harness, { request_transform: { body: { json: { inject: { a: 1 } } } } });
    assert.equal((await route.send('GET', { fields: [jsonType] })).request.bodyLength, 0);
    assert.equal((await route.send('POST', { fields: [jsonType, ['Content-Length', '0']] })).request.bodyLength, 0);
    using client = await RawClient.connect(harness.port);
    await client.send(
      `POST ${route.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    );
    assert.equal((await client.response()).status, 200);
    assert.equal((await route.upstream.request(2)).bodyLength, 0);
  });
  test('the connection goes on after a refusal, and pipelined requests keep their order', async () => {
    const route = await transformedRoute(harness, { ...masking, ...masked }, async (request, connection) => {
      await request.complete;
      const body = zlib.gzipSync(JSON.stringify({ email: secret, got: request.body.toString() }));
      await connection.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`,
      );
      await connection.write(body);
    });
    using client = await RawClient.connect(harness.port);
    const bodies = ['{"n":1}', '{"n":', '{"n":3}'];
    await client.send(
      Buffer.concat(
        bodies.map((body) => {
          const bytes = zlib.gzipSync(body);
          return Buffer.concat([
            Buffer.from(
              `POST ${route.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n\r\n`,
            ),
            bytes,
          ]);
        }),
      ),
    );
    const answers = [await client.response(), await client.response(), await client.response()];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 400, 200],
    );
    assert.deepEqual([answers[0]!.json()['got'], answers[2]!.json()['got']], ['{"n":1}', '{"n":3}']);
  });
  test('a client that leaves while its body is held, or being decoded, leaves nothing behind', async () => {
    const route = await transformedRoute(harness, masking);
    using half = await RawClient.connect(harness.port);
    await half.send(`POST ${route.path}/half HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`);
    half.end();
    assert.equal((await harness.gateway.record((each) => each['path'] === `${route.path}/half`)).outcome, 'client_abort');
    const bytes = zlib.brotliCompressSync(JSON.stringify({ a: 'x'.repeat(60_000) }));
    for (let round = 0; round < 20; round += 1) {
      using client = await RawClient.connect(harness.port);
      await client.send(
        requestBytes('POST', { host: 'x', target: `${route.path}/${round}`, fields: [jsonType, ['Content-Encoding', 'br']], body: bytes }),
      );
      client.end();
      await harness.gateway.record((each) => each['path'] === `${route.path}/${round}`);
    }
    assert.equal((await route.send('POST', json(document))).request.body.toString(), hidden);
  });
  test('a client that leaves while a response is held cancels the upstream request at once', async () => {
    const route = await transformedRoute(harness, masked, async (request, connection) => {
      await request.complete;
      await connection.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{`);
    });
    using client = await RawClient.connect(harness.port);
    await client.send(`GET ${route.path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await route.upstream.request(0);
    client.end();
    await route.upstream.connections[0]!.closed;
    assert.equal((await harness.gateway.record((each) => each['path'] === route.path)).outcome, 'client_abort');
  });
  test('B12 a request that authenticates its connection does so although its body comes later than the head of another', async () => {
    const route = await transformedRoute(harness, masking);
    using personal = await RawClient.connect(harness.port);
    await personal.send(
      `POST ${route.path} HTTP/1.1\r\nHost: x\r\nAuthorization: NTLM TlRMTVNTUAAD\r\nContent-Type: application/json\r\nContent-Length: ${document.length}\r\n\r\n`,
    );
    // Its head is parsed where that of the first one was.
    await fetchRaw(harness.port, 'GET', { target: '/healthz' });
    await personal.send(document);
    assert.equal((await personal.response()).status, 200);
    const first = route.upstream.connections.at(-1)!;
    await route.send('GET');
    assert.equal(first.requests.length, 1, 'what comes next on it would be taken for the same person');
  });
  test('a response that comes before a long request ends is masked all the same, and nothing is mixed into it', async () => {
    const route = await transformedRoute(harness, masked, async (request, connection) => {
      const body = zlib.gzipSync(document);
      await connection.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n${request.nonceEcho}Content-Length: ${body.length}\r\n\r\n`,
      );
      await connection.write(body);
    });
    using client = await RawClient.connect(harness.port);
    await client.send(
      `POST ${route.path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n${'secret'.repeat(1000)}`,
    );
    const response = await client.response();
    assert.equal(response.status, 200);
    assert.equal(response.body.toString(), hidden);
  });
});

/** A frame of a few bytes that asks for a window of 2 to the power of `log` bytes (RFC 8878 section 3.1.1.1.2). */
function zstdOfWindow(log: number): Buffer {
  const raw = Buffer.from(document);
  const block = Buffer.alloc(3);
  block.writeUIntLE((raw.length << 3) | 1, 0, 3);
  return Buffer.concat([Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, (log - 10) << 3), block, raw]);
}
