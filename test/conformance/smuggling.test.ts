// Over 300 lines: attacks on where one message ends and the next begins, requests first, then answers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { BrokenMessage, fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk } from '../support/scripted-upstream.ts';

const harness = useGateway({ env: { APIGATE_MAX_BODY: '100000', APIGATE_MAX_HEAD: '200000' } });
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n';
const post = 'POST /p HTTP/1.1\r\nHost: a.test\r\n';

/** Sends bytes, reads whatever answers come until the connection ends or `count` are there; nothing of `/smuggled` may go upstream. */
async function neverSmuggles(bytes: string, statuses: readonly number[], how: 'closes' | 'stays'): Promise<void> {
  const before = harness.upstream.requests.length;
  using client = await RawClient.connect(harness.port);
  await client.send(bytes);
  for (const status of statuses) assert.equal((await client.response()).status, status);
  if (how === 'closes') assert.equal((await client.ended()).rest.latin1Slice(), '');
  assert.equal((await fetchRaw(harness.port, 'GET', { target: '/barrier' })).status, 200);
  for (const request of harness.upstream.requests.slice(before))
    assert.ok(!request.target.includes('/smuggled'), `a body was taken for a request: ${request.target}`);
  if (how === 'stays') assert.ok(client.open, 'the connection stays, and nothing more is answered');
}

describe('A01 A04 framing fields in disguise', () => {
  const disguises: [string, string][] = [
    ['a tab before chunked', 'Transfer-Encoding:\tchunked'],
    ['capitals', 'TRANSFER-ENCODING: CHUNKED'],
    ['white space around chunked', 'Transfer-Encoding: \t chunked  '],
  ];
  for (const [what, line] of disguises) {
    test(`${what} is chunked for us, and the upstream gets our framing`, async () => {
      const index = harness.upstream.requests.length;
      await neverSmuggles(`${post}${line}\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`, [200], 'stays');
      const request = harness.upstream.requests[index]!;
      assert.equal(request.body.latin1Slice(), smuggled);
      assert.deepEqual(request.values('transfer-encoding'), ['chunked']);
    });
  }
  for (const line of [
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: x\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: "chunked"',
    'Transfer-Encoding: chunked\t',
    'Transfer-Encoding: chunked\x0c',
    'Transfer-Encoding: chunked\xa0',
    'Transfer-Encoding: chunk\xc5\xbfed',
    'Transfer-Encoding: \xe2\x84\xaahunked',
    'Transfer-Encoding: chunked;q=1',
    'Transfer-Encoding\x0b: chunked',
    'Transfer-Encoding\x00: chunked',
    'Transfer-Encoding\xa0: chunked',
    'Transfer-Encoding:\r\n chunked',
    'Transfer\r\n-Encoding: chunked',
    'X: y\nTransfer-Encoding: chunked',
    'X: y\rTransfer-Encoding: chunked',
    'Content-Length: 5\r\ntransfer-encoding: chunked',
    'Content-Length: 5\r\nTransfer-Encoding:',
    'Content-Length: 0\r\nContent-Length: 44',
    'Content-Length: 44\r\nContent-Length : 0',
    'Content-Length: 0\x0b',
    'Content-Length: 0, 44',
    'Content-Length: 44\r\n\tContent-Length: 0',
    'Content-Length: \xef\xbc\x94\xef\xbc\x94',
    'Content-Length: 0x2c',
    'Content-Length: 44e0',
    'Content-Length:44;',
  ]) {
    test(`${JSON.stringify(line)} is 400 and closes`, async () => {
      await neverSmuggles(`${post}${line}\r\n\r\n${smuggled}`, [400], 'closes');
    });
  }
  // Backends that make variables of names take `_` for `-`.
  for (const name of [
    'Transfer_Encoding',
    'Content_Length',
    'transfer_encoding',
    'CONTENT_LENGTH',
    'Content-Length_',
    'Transfer-Encoding_',
  ]) {
    test(`${name} frames nothing here, and nothing upstream`, async () => {
      const index = harness.upstream.requests.length;
      await neverSmuggles(`${post}${name}: ${/length/i.test(name) ? '44' : 'chunked'}\r\nContent-Length: 3\r\n\r\nabc`, [200], 'stays');
      const request = harness.upstream.requests[index]!;
      assert.equal(request.body.latin1Slice(), 'abc');
      if (!name.endsWith('_')) assert.ok(!request.fields.some(([each]) => each.toLowerCase() === name.toLowerCase()), 'it does not go on');
    });
  }
  for (const listed of ['content-length', 'transfer-encoding', 'host', 'expect', 'Content-Length, close', 'x, ,content-length']) {
    test(`Connection: ${listed} takes no framing away`, async () => {
      const index = harness.upstream.requests.length;
      const how = listed.includes('close') ? 'closes' : 'stays';
      await neverSmuggles(`${post}Connection: ${listed}\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`, [200], how);
      assert.equal(harness.upstream.requests[index]!.body.latin1Slice(), smuggled);
      await neverSmuggles(
        `${post}Connection: ${listed}\r\nTransfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
        [200],
        how,
      );
    });
  }
});

describe('A12 chunk extensions as cover', () => {
  for (const [what, body] of [
    ['a CRLF within a quoted value', `5;a="\r\n${smuggled}"\r\nhello\r\n0\r\n\r\n`],
    ['a bare LF that ends the line for others', `5;a=b\nhello\r\n0\r\n\r\n${smuggled}`],
    ['a bare LF after the semicolon', `0;\n\r\n\r\n${smuggled}`],
    ['a bare CR before the extension', `0\r;a\r\n\r\n${smuggled}`],
    ['an escaped CR in a quoted value', `5;a="\\\r\n"\r\nhello\r\n0\r\n\r\n`],
    ['a value that is never closed', `5;a="b\r\nhello\r\n0\r\n\r\n`],
    ['white space that some take for the end', `5 \t;a=b\r\nhello\r\n0\r\n\r\n`],
    ['a colon for the size', `5:\r\nhello\r\n0\r\n\r\n`],
    ['a last chunk with garbage behind it', `0\r\nGET /smuggled HTTP/1.1\r\n\r\n`],
    ['a last chunk of minus zero', `-0\r\n\r\n${smuggled}`],
    ['a size with underscores', `0_2\r\nab\r\n0\r\n\r\n`],
    ['an overlong zero', `${'0'.repeat(16)}\r\n\r\n${smuggled}`],
  ] as const) {
    test(`A12 ${what} is 400 and closes`, async () => {
      await neverSmuggles(`${post}Transfer-Encoding: chunked\r\n\r\n${body}`, [400], 'closes');
    });
  }
  test('A12 extensions of many chunks that are small each are bounded together', async () => {
    const chunk = `1;${'x'.repeat(1_000)}\r\na\r\n`;
    await neverSmuggles(`${post}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}0\r\n\r\n${smuggled}`, [400], 'closes');
  });
});

describe('A16 what is pipelined behind an answer that came early', () => {
  test('behind 413 for a Content-Length: the body is dropped as a body, or the connection closes', async () => {
    const body = smuggled.repeat(3_000).slice(0, 110_000);
    await neverSmuggles(`${post}Content-Length: ${body.length}\r\n\r\n${body}${smuggled}`, [413], 'closes');
  });
  test('behind 413 for chunks: nothing is read as a request', async () => {
    const body = smuggled.repeat(3_000).slice(0, 110_000);
    await neverSmuggles(
      `${post}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n${smuggled}`,
      [413],
      'closes',
    );
  });
  test('behind 417', async () => {
    await neverSmuggles(`${post}Expect: soon\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`, [417], 'closes');
  });
  test('behind 405 for CONNECT', async () => {
    await neverSmuggles(`CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n${smuggled}`, [405], 'closes');
  });
  test('behind 414 and 431', async () => {
    await neverSmuggles(`GET /${'a'.repeat(9_000)} HTTP/1.1\r\nHost: a.test\r\n\r\n${smuggled}`, [414], 'closes');
    await neverSmuggles(`GET / HTTP/1.1\r\nHost: a.test\r\n${'X: y\r\n'.repeat(200)}\r\n${smuggled}`, [431], 'closes');
  });
  test('behind an answer of the gateway to a request with a body: the body is no request, and what follows it is answered', async () => {
    using client = await RawClient.connect(harness.port);
    const before = harness.upstream.requests.length;
    await client.send(
      `POST /readyz HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}GET /next HTTP/1.1\r\nHost: a.test\r\n\r\n`,
    );
    await client.response();
    assert.equal((await client.response()).body.toString(), 'GET /next 0');
    assert.deepEqual(
      harness.upstream.requests.slice(before).map(({ target }) => target),
      ['/next'],
    );
  });
  for (const framing of ['length', 'chunked'] as const) {
    test(`behind an early answer of the upstream, with the rest of the body (${framing}) still to come`, async () => {
      const before = harness.upstream.requests.length;
      harness.upstream.script = async (request, connection) => {
        if (request.target !== '/p') return await answerOk(request, connection);
        await connection.write('HTTP/1.1 403 Early\r\nContent-Length: 2\r\n\r\nno');
      };
      using client = await RawClient.connect(harness.port);
      await client.send(
        framing === 'length'
          ? `${post}Content-Length: ${smuggled.length + 3}\r\n\r\nabc`
          : `${post}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
      );
      const early = await client.response();
      assert.equal(early.status, 403);
      await client.send(framing === 'length' ? smuggled : `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`);
      if (early.value('connection') === 'close') assert.equal((await client.ended()).rest.latin1Slice(), '');
      else assert.equal((await client.request('GET', { target: '/next' })).body.toString(), 'GET /next 0');
      assert.ok(!harness.upstream.requests.slice(before).some(({ target }) => target === '/smuggled'));
    });
  }
  test('a client that asks for 100, gets a final answer instead and sends the body all the same: it is no request', async () => {
    harness.upstream.script = (request, connection) =>
      request.target === '/p' ? connection.write('HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno') : answerOk(request, connection);
    using client = await RawClient.connect(harness.port);
    const before = harness.upstream.requests.length;
    await client.send(`${post}Expect: 100-continue\r\nContent-Length: ${smuggled.length}\r\n\r\n`);
    assert.equal((await client.response()).status, 401);
    await client.send(smuggled);
    assert.equal((await client.ended()).rest.latin1Slice(), '');
    assert.equal((await fetchRaw(harness.port, 'GET', { target: '/barrier' })).status, 200);
    assert.ok(!harness.upstream.requests.slice(before).some(({ target }) => target === '/smuggled'));
  });
  test('a 100 of the upstream that comes after the client sent its body does not reach the client, nor end the exchange', async () => {
    harness.upstream.script = async (request, connection) => {
      await request.complete;
      await connection.write('HTTP/1.1 100 Continue\r\n\r\n');
      await answerOk(request, connection);
    };
    using client = await RawClient.connect(harness.port);
    await client.send(`${post}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabcGET /n HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    const first = await client.response();
    assert.deepEqual([first.body.toString(), first.interim], ['POST /p 3', []]);
    assert.equal((await client.response()).body.toString(), 'GET /n 0');
  });
  for (const body of ['Content-Length: 5\r\n\r\nhello', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n']) {
    test(`a HEAD with a body (${body.split('\r\n')[0]}) keeps the borders of both messages`, async () => {
      using client = await RawClient.connect(harness.port);
      await client.send(`HEAD /h HTTP/1.1\r\nHost: a.test\r\n${body}GET /n HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      assert.equal((await client.response({ method: 'HEAD' })).status, 200);
      assert.equal((await client.response()).body.toString(), 'GET /n 0');
    });
  }
  test('behind an upgrade that the gateway itself refuses, bytes may be of the other protocol: the connection closes', async () => {
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    await neverSmuggles(`GET /readyz HTTP/1.1\r\nHost: a.test\r\n${upgrade}\r\n${smuggled}`, [200], 'closes');
    await neverSmuggles(`GET /admin/nothing HTTP/1.1\r\nHost: a.test\r\n${upgrade}\r\n${smuggled}`, [400], 'closes');
  });
  test('an offer of another protocol that is passed over keeps the connection', async () => {
    using client = await RawClient.connect(harness.port);
    await client.send(
      'GET /h2c HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n\r\n',
    );
    assert.equal((await client.response()).status, 200);
    assert.equal((await client.request('GET', { target: '/n' })).body.toString(), 'GET /n 0');
  });
  test('heads larger than what is kept behind a request under way are read on when their turn comes', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    harness.upstream.script = async (request, connection) => {
      if (request.target === '/first') await gate;
      await answerOk(request, connection);
    };
    using client = await RawClient.connect(harness.port);
    const index = harness.upstream.requests.length;
    const large = `GET /large HTTP/1.1\r\nHost: a.test\r\nX: ${'y'.repeat(150_000)}\r\n\r\n`;
    const sending = client.send(`GET /first HTTP/1.1\r\nHost: a.test\r\n\r\n${large}${large}`);
    await harness.upstream.request(index);
    // The gateway has read what it keeps, and no more, once another client was served.
    await fetchRaw(harness.port, 'GET', { target: '/other' });
    release();
    for (const expected of ['GET /first 0', 'GET /large 0', 'GET /large 0'])
      assert.equal((await client.response()).body.toString(), expected);
    await sending;
  });
});

describe('B08 answers from a hostile upstream', () => {
  const poison = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
  /** After an answer and whatever came behind it, the next client gets its own answer on another connection. */
  async function nextIsClean(): Promise<void> {
    await eventually(() => harness.upstream.open.length === 0, 'the connection is closed');
    harness.upstream.script = answerOk;
    assert.equal((await fetchRaw(harness.port, 'GET', { target: '/clean' })).body.toString(), 'GET /clean 0');
  }
  for (const [what, answer, method = 'GET'] of [
    ['an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['a chunked answer', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['304 with Content-Length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n'],
    ['an answer to HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n', 'HEAD'],
  ] as const) {
    test(`B08 bytes behind ${what} that come in a later read kill the connection`, async () => {
      harness.upstream.script = async (_request, connection) => {
        await connection.write(answer);
        await new Promise((resolve) => setTimeout(resolve, 60));
        await connection.write(poison);
      };
      const response = await fetchRaw(harness.port, method, { target: '/r' });
      assert.ok(!response.body.includes('poison'));
      await nextIsClean();
    });
  }
  test('B08 every answer, split at every byte, is the same answer', async () => {
    for (const answer of [
      'HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-T: t\r\n\r\n',
      'HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\n\r\nabcde',
    ]) {
      for (let at = 1; at < answer.length; at += 1) {
        harness.upstream.script = async (_request, connection) => {
          await connection.write(answer.slice(0, at));
          await new Promise((resolve) => setImmediate(resolve));
          await connection.write(answer.slice(at));
        };
        const response = await fetchRaw(harness.port, 'GET', { target: '/split' });
        assert.deepEqual([response.status, response.value('x-a'), response.body.toString()], [200, 'b', 'abcde'], `split at ${at}`);
      }
    }
  });
  test('B10 33 interim answers are 502 and the connection is closed', async () => {
    harness.upstream.script = (_request, connection) =>
      connection.write(`${'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(33)}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`);
    const response = await fetchRaw(harness.port, 'GET');
    assert.equal(response.status, 502);
    assert.equal(response.json()['code'], 'upstream_invalid_response');
    await nextIsClean();
  });
  test('B10 32 interim answers are passed', async () => {
    harness.upstream.script = (_request, connection) =>
      connection.write(`${'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(32)}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`);
    const response = await fetchRaw(harness.port, 'GET');
    assert.deepEqual([response.status, response.interim.length], [200, 32]);
  });
  for (const [what, bytes] of [
    ['101 behind a 103', 'HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
    ['101 with a length', 'HTTP/1.1 101 Switching Protocols\r\nContent-Length: 3\r\n\r\nabc'],
    ['an interim answer with both framings', `HTTP/1.1 103 Early\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n${poison}`],
    ['a tab in Transfer-Encoding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding:\tchunked, \r\n\r\n0\r\n\r\n'],
    ['a vertical tab before chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n'],
    ['a Content-Length of 2^53', 'HTTP/1.1 200 OK\r\nContent-Length: 9007199254740992\r\n\r\n'],
    ['an empty line before the status line', `\r\n${poison}`],
  ] as const) {
    test(`B07 B10 ${what} is 502, and nothing of it is shown`, async () => {
      harness.upstream.script = (_request, connection) => connection.write(bytes);
      const response = await fetchRaw(harness.port, 'GET');
      assert.equal(response.status, 502);
      assert.ok(!response.body.includes('poison'));
      await nextIsClean();
    });
  }
  for (const name of ['Content-Length', 'Transfer-Encoding', 'Set-Cookie', 'Host', 'X-Request-Id', 'Content_Length']) {
    test(`${name} in the trailers of an answer does not reach the client`, async () => {
      harness.upstream.script = (_request, connection) =>
        connection.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${name}: 1\r\nX-T: t\r\n\r\n`);
      const response = await fetchRaw(harness.port, 'GET');
      assert.equal(response.body.toString(), 'ok');
      assert.deepEqual(response.trailers, [['X-T', 't']]);
    });
  }
  test('a 205 is framed as its fields say, whatever else is thought of it', async () => {
    harness.upstream.script = (_request, connection) => connection.write('HTTP/1.1 205 Reset Content\r\nContent-Length: 6\r\n\r\npoison');
    using client = await RawClient.connect(harness.port);
    for (let round = 0; round < 2; round += 1) assert.equal((await client.request('GET')).body.toString(), 'poison');
  });
  test('an answer that is broken in the read that brought its head leaves nothing behind for the next client', async () => {
    harness.upstream.script = async (request, connection) =>
      request.target === '/broken'
        ? await connection.write('HTTP/1.1 200 OK\r\nX-Leak: leak\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nleak\r\nzz\r\n')
        : await answerOk(request, connection);
    using client = await RawClient.connect(harness.port);
    for (let round = 0; round < 3; round += 1) {
      const response = await client.request('GET', { target: '/broken' });
      assert.equal(response.status, 502);
      assert.ok(!JSON.stringify([response.fields, response.body.toString()]).includes('leak'));
      assert.equal((await client.request('GET', { target: '/next' })).body.toString(), 'GET /next 0');
    }
  });
  test('an answer that begins before the upload ends and breaks off is a broken message', async () => {
    harness.upstream.script = async (_request, connection) => {
      await connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
      await new Promise((resolve) => setTimeout(resolve, 50));
      connection.end();
    };
    using client = await RawClient.connect(harness.port);
    await client.send(`${post}Content-Length: 1000\r\n\r\nabc`);
    await assert.rejects(client.response(), BrokenMessage);
  });
});

describe('B12 connections that carry an identity', () => {
  for (const value of ['Basic realm="a", NTLM', 'Basic realm="a",Negotiate', 'NTLM TlRMTVNTUAAC', 'Bearer, negotiate']) {
    test(`B12 after WWW-Authenticate: ${value} the connection is not shared`, async () => {
      harness.upstream.script = (_request, connection) =>
        connection.write(`HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ${value}\r\nContent-Length: 0\r\n\r\n`);
      await fetchRaw(harness.port, 'GET');
      const first = harness.upstream.connections.at(-1)!;
      await fetchRaw(harness.port, 'GET');
      assert.equal(first.requests.length, 1);
    });
  }
  for (const value of ['Negotiate YIIabc', 'NTLM TlRMTVNTUAAD', 'negotiate abc']) {
    test(`B12 after a request with Authorization: ${value} was answered, others do not get its connection`, async () => {
      const request = async (fields: readonly (readonly [string, string])[]): Promise<void> =>
        void assert.equal((await fetchRaw(harness.port, 'GET', { fields })).status, 200);
      await request([['Authorization', value]]);
      const first = harness.upstream.connections.at(-1)!;
      await request([]);
      assert.deepEqual(
        first.requests.map((each) => each.values('authorization').length),
        [1],
        'the upstream may take what comes next on it for the same person',
      );
    });
  }
  test('a Basic realm called "NTLM" binds nothing', async () => {
    harness.upstream.script = (_request, connection) =>
      connection.write('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="NTLM"\r\nContent-Length: 0\r\n\r\n');
    await fetchRaw(harness.port, 'GET');
    const first = harness.upstream.connections.at(-1)!;
    await fetchRaw(harness.port, 'GET');
    assert.equal(first.requests.length, 2);
  });
});
