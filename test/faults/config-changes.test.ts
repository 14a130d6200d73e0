import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk } from '../support/scripted-upstream.ts';

const harness = useGateway({ admin: true, workers: 2 });

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Status and code that a path answers, once for each of several connections, so that every worker is asked. */
async function answers(path: string, count = 8): Promise<string[]> {
  const all = await Promise.all(
    Array.from({ length: count }, async () => {
      const response = await fetchRaw(harness.port, 'GET', { target: path });
      return response.status === 200 ? '200' : `${response.status} ${String(response.json()['code'])}`;
    }),
  );
  return [...new Set(all)];
}

test('a write answered with 2xx is served by every worker at once: update-then-request rounds without a stale answer', async () => {
  const one = await harness.scripted((request, connection) =>
    connection.write(`HTTP/1.1 200 OK\r\n${request.nonceEcho}Content-Length: 3\r\n\r\none`),
  );
  const two = await harness.scripted((request, connection) =>
    connection.write(`HTTP/1.1 200 OK\r\n${request.nonceEcho}Content-Length: 3\r\n\r\ntwo`),
  );
  const { path, upstreamId } = await harness.gateway.admin.expose({ base_url: one.url });
  const clients = await Promise.all(Array.from({ length: 6 }, () => RawClient.connect(harness.port)));
  const rounds = process.env['APIGATE_TEST_LONG'] === '1' ? 1_000 : 60;
  for (let round = 0; round < rounds; round += 1) {
    const [target, expected] = round % 2 === 0 ? [two, 'two'] : [one, 'one'];
    await harness.gateway.admin.must('PUT', `/upstreams/${upstreamId}`, { base_url: target.url });
    const bodies = await Promise.all(clients.map(async (client) => (await client.request('GET', { target: path })).body.toString()));
    assert.deepEqual([...new Set(bodies)], [expected], `round ${round}`);
  }
  for (const client of clients) client.destroy();
});

describe('B17 disabled and deleted', () => {
  test('B17 a disabled upstream is 503 upstream_disabled, a request in flight finishes, enabling serves again', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const { path, upstream, upstreamId } = await harness.exposed({}, async (request, connection) => {
      if (request.target.endsWith('/slow')) await gate;
      await answerOk(request, connection);
    });
    using client = await RawClient.connect(harness.port);
    await client.send(`GET ${path}/slow HTTP/1.1\r\nHost: a\r\n\r\n`);
    await upstream.request(0);
    await harness.gateway.admin.must('PUT', `/upstreams/${upstreamId}`, { enabled: false });
    const before = upstream.requests.length;
    assert.deepEqual(await answers(path), ['503 upstream_disabled']);
    assert.equal(upstream.requests.length, before, 'nothing goes to a disabled upstream');
    release();
    assert.equal((await client.response()).status, 200, 'the one in flight finishes');
    await harness.gateway.admin.must('PUT', `/upstreams/${upstreamId}`, { enabled: true });
    assert.deepEqual(await answers(path), ['200']);
  });

  test('B17 a disabled or deleted route falls to the next that matches, a key-less one is 401 without going upstream', async () => {
    const { path, routeId, upstream } = await harness.exposed({}, answerOk);
    await harness.gateway.admin.must('PUT', `/routes/${routeId}`, { auth_required: true });
    assert.deepEqual(await answers(path), ['401 missing_api_key']);
    await harness.gateway.admin.must('PUT', `/routes/${routeId}`, { enabled: false });
    const before = upstream.requests.length;
    assert.deepEqual(await answers(path), ['200']);
    assert.equal(upstream.requests.length, before, 'the managed default route took it');
  });

  test('I02 an upstream deleted under load: requests in flight complete, later ones are 404 or 503 or another route, its pool is closed within 5 s', async () => {
    const { path, upstream, upstreamId } = await harness.exposed({}, async (request, connection) => {
      await request.complete;
      await pause(20);
      await answerOk(request, connection);
    });
    let deleted = false;
    let sawAfter = 0;
    const load = Array.from({ length: 10 }, async () => {
      using client = await RawClient.connect(harness.port);
      while (sawAfter < 40) {
        const wasDeleted = deleted;
        const response = await client.request('GET', { target: `${path}/x` });
        assert.ok(
          response.status === 200 || (response.status >= 404 && response.status <= 503 && response.status !== 500),
          String(response.status),
        );
        if (wasDeleted) sawAfter += 1;
        if (response.value('connection')?.toLowerCase() === 'close') return;
      }
    });
    await eventually(() => upstream.requests.length > 30, 'load');
    await harness.gateway.admin.must('DELETE', `/upstreams/${upstreamId}?cascade=true`);
    const last = upstream.requests.length;
    deleted = true;
    await Promise.all(load);
    assert.ok(upstream.requests.length - last <= 10, 'no new request goes to a deleted upstream');
    await eventually(() => upstream.open.length === 0, 'its pool is closed', 5_000);
    for (const request of upstream.requests) assert.equal(await request.ended(), true);
  });

  test('deleting an upstream that routes use is 409 and changes nothing', async () => {
    const { path, upstreamId } = await harness.exposed({}, answerOk);
    assert.equal((await harness.gateway.admin.call('DELETE', `/upstreams/${upstreamId}`)).status, 409);
    assert.deepEqual(await answers(path), ['200']);
  });
});

describe('I05 invalid updates', () => {
  for (const [what, fields, field] of [
    ['a bad URL', { base_url: 'nonsense' }, 'base_url'],
    ['another scheme', { base_url: 'ftp://127.0.0.1/' }, 'base_url'],
    ['an unknown auth_type', { auth_type: 'magic' }, 'auth_type'],
    ['a header name with a space', { auth_type: 'header', auth_header: 'a b', auth_value: 'x' }, 'auth_header'],
    ['a value with CRLF', { auth_type: 'bearer', auth_value: 'a\r\nX: y' }, 'auth_value'],
    ['a value with NUL', { auth_type: 'bearer', auth_value: 'a\0' }, 'auth_value'],
    ['a value that is not latin1', { auth_type: 'bearer', auth_value: 'ключ' }, 'auth_value'],
    ['an unknown field', { base_ulr: 'http://127.0.0.1' }, 'base_ulr'],
  ] as const) {
    test(`I05 ${what} is 422 with the field, and the old config stays live and stored`, async () => {
      const { path, upstreamId, upstream } = await harness.exposed({ auth_type: 'bearer', auth_value: 'canary-i05' }, answerOk);
      const before = await harness.gateway.admin.must('GET', `/upstreams/${upstreamId}`);
      const answer = await harness.gateway.admin.call('PUT', `/upstreams/${upstreamId}`, fields);
      assert.equal(answer.status, 422, JSON.stringify(answer.body));
      assert.ok(
        (answer.body['errors'] as { field: string }[]).some((error) => error.field === field),
        JSON.stringify(answer.body),
      );
      assert.deepEqual(await harness.gateway.admin.must('GET', `/upstreams/${upstreamId}`), before);
      assert.equal((await fetchRaw(harness.port, 'GET', { target: path })).status, 200);
      assert.equal(upstream.requests.at(-1)!.value('authorization'), 'Bearer canary-i05');
    });
  }
});

describe('D06 N01 N02 hosts that are refused at save', () => {
  for (const url of [
    'http://0177.0.0.1/',
    'http://2130706433/',
    'http://127.1/',
    'http://0x7f000001/',
    'http://127.0.0.1\u0000.example/',
    'http://１２７.0.0.1/',
    'http://169.254.169.254/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://224.0.0.1/',
    'http://0.0.0.0/',
    'http://user:pass@127.0.0.1/',
    'http://127.0.0.1/?q',
    'http://127.0.0.1/#f',
    'http://127.0.0.1:0/',
    'http://127.0.0.1:65536/',
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'javascript:alert(1)',
    'http://a b/',
    'http:///',
  ]) {
    test(`D06 ${JSON.stringify(url)} is 422 on base_url, never normalised`, async () => {
      const answer = await harness.gateway.admin.call('POST', '/upstreams', { name: 'refused', base_url: url });
      assert.equal(answer.status, 422, JSON.stringify(answer.body));
      assert.ok((answer.body['errors'] as { field: string }[]).some(({ field }) => field === 'base_url'));
    });
  }
  for (const url of [
    'http://under_score.test/',
    'http://trailing.test./',
    'http://nowhere.invalid/',
    'http://10.0.0.1/',
    'http://[::1]:9/',
  ]) {
    test(`D06 ${url} saves fine`, async () => {
      const made = await harness.gateway.admin.must('POST', '/upstreams', { name: `ok${url.length}`, base_url: url });
      await harness.gateway.admin.must('DELETE', `/upstreams/${String(made['id'])}`);
    });
  }
  test("N03 the gateway's own listener is refused at save", async () => {
    const answer = await harness.gateway.admin.call('POST', '/upstreams', { name: 'self', base_url: harness.gateway.url });
    assert.equal(answer.status, 422, JSON.stringify(answer.body));
  });
});

test('an unrelated change touches no connection, and G05 leaves a stream open', async () => {
  const streaming = await harness.exposed({}, async (request, connection) => {
    await connection.write(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${request.nonceEcho}Transfer-Encoding: chunked\r\n\r\n`);
    for (let event = 0; event < 8; event += 1) {
      await connection.write('9\r\ndata: x\n\n\r\n');
      await pause(100);
    }
    await connection.write('0\r\n\r\n');
  });
  const pooled = await harness.exposed({}, answerOk);
  assert.equal((await fetchRaw(harness.port, 'GET', { target: pooled.path })).status, 200);
  using client = await RawClient.connect(harness.port);
  await client.send(`GET ${streaming.path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await eventually(() => client.stream.size > 0, 'the stream');
  await harness.gateway.admin.must('PUT', `/upstreams/${streaming.upstreamId}`, { auth_type: 'bearer', auth_value: 'canary-new' });
  const other = await harness.exposed({}, answerOk);
  await harness.gateway.admin.must('DELETE', `/routes/${other.routeId}`);
  assert.equal((await client.response()).body.toString(), 'data: x\n\n'.repeat(8));
  assert.equal(pooled.upstream.open.length, 1, 'the idle connection of an unrelated upstream stands');
  await fetchRaw(harness.port, 'GET', { target: streaming.path });
  assert.equal(streaming.upstream.requests.at(-1)!.value('authorization'), 'Bearer canary-new', 'new ones use the new');
});
