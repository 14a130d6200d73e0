// Over 300 lines: every kind of change against one gateway of four workers.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { auditOf } from '../support/database-reader.ts';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { ManyClients } from '../support/many-clients.ts';
import { RawClient } from '../support/raw-client.ts';
import { localEnvironment, runApigate } from '../support/run-apigate.ts';
import type { Script } from '../support/scripted-upstream.ts';

const workers = 4;
const harness = useGateway({ admin: true, workers, script: false, concurrent: true });

let session: AdminSession;
let clients: ManyClients;

async function prepare(): Promise<void> {
  session = await AdminSession.signIn(harness.gateway);
  clients = await ManyClients.connect(harness.port, workers);
}

function answerWith(text: string): Script {
  return async (request, connection) => {
    if (!(await request.complete)) return;
    await connection.write(`HTTP/1.1 200 OK\r\n${request.nonceEcho}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
}

/** Answers `PREFIX CREDENTIAL`, the numbers that the request's path prefix and its credential have. */
const answerVersions: Script = async (request, connection) => {
  const prefix = /^\/v(\d+)\//.exec(request.target)?.[1] ?? '-';
  const credential = /^Bearer credential-(\d+)$/.exec(request.value('authorization') ?? '')?.[1] ?? '-';
  await answerWith(`${prefix} ${credential}`)(request, connection);
};

function versionsIn(body: Buffer): [prefix: number, credential: number] {
  const [prefix = NaN, credential = NaN] = body.toString().split(' ').map(Number);
  return [prefix, credential];
}

describe('a write answered with 2xx is served by every worker', () => {
  before(prepare);
  after(() => clients.close());

  test('rounds of update and requests, with others under way all the time: no stale answer, no mixture', async () => {
    const { path, upstream, upstreamId } = await harness.exposed({ auth_type: 'bearer', auth_value: 'credential-0' }, answerVersions);
    const current = { prefix: 0, credential: 0 };
    await session.must('PUT', `/upstreams/${upstreamId}`, { base_url: `${upstream.url}/v0` });

    const state = { running: true };
    let others = 0;
    const pumps = Array.from({ length: 4 }, async () => {
      using client = await RawClient.connect(harness.port);
      while (state.running) {
        const sent = { ...current };
        const [prefix, credential] = versionsIn((await client.request('GET', { target: path })).body);
        assert.ok(
          prefix >= sent.prefix && credential >= sent.credential,
          `${prefix} ${credential} after ${JSON.stringify(sent)} was acknowledged`,
        );
        others += 1;
        // Their worth is to be there at any moment, not to be many.
        await new Promise((resolve) => setTimeout(resolve, 16));
      }
    });
    const rounds = process.env['APIGATE_TEST_LONG'] === '1' ? 1_000 : 200;
    for (let round = 1; round <= rounds; round += 1) {
      const next = { prefix: round % 3 === 2 ? current.prefix : round, credential: round % 3 === 1 ? current.credential : round };
      await session.must('PUT', `/upstreams/${upstreamId}`, {
        ...(next.prefix === current.prefix ? {} : { base_url: `${upstream.url}/v${next.prefix}` }),
        ...(next.credential === current.credential ? {} : { auth_value: `credential-${next.credential}` }),
      });
      Object.assign(current, next);
      const responses = await clients.request('GET', { target: path }, 6);
      const answers = [...new Set(responses.map(({ body }) => body.toString()))];
      assert.deepEqual(answers, [`${current.prefix} ${current.credential}`], `round ${round}`);
    }
    state.running = false;
    await Promise.all(pumps);
    assert.ok(others > rounds / 4, `${others} other requests`);
  });

  test('route changes, each seen on every connection at once', async () => {
    const one = await harness.exposed({ name: 'routed' }, answerWith('one'));
    const two = await harness.exposed({ name: 'routed-2' }, answerWith('two'), {});
    const answers = async (method: string, target: string, host?: string): Promise<string[]> =>
      await clients.answers(method, { target, ...(host === undefined ? {} : { host }) });
    const change = async (fields: object, id = one.routeId): Promise<void> => void (await session.must('PUT', `/routes/${id}`, fields));

    assert.deepEqual(await answers('GET', '/routed'), ['200 one']);
    await change({ path_pattern: '/moved' });
    assert.deepEqual([await answers('GET', '/routed'), await answers('GET', '/moved/on')], [['404 route_not_found'], ['200 one']]);
    await change({ match_type: 'exact' });
    assert.deepEqual([await answers('GET', '/moved/on'), await answers('GET', '/moved')], [['404 route_not_found'], ['200 one']]);
    await change({ methods: ['POST', 'DELETE'] });
    assert.deepEqual([await answers('GET', '/moved'), await answers('DELETE', '/moved')], [['405 method_not_allowed'], ['200 one']]);
    await change({ methods: null, host_pattern: '*.example.com' });
    assert.deepEqual(
      [await answers('GET', '/moved'), await answers('GET', '/moved', 'a.example.com')],
      [['404 route_not_found'], ['200 one']],
    );
    await change({ host_pattern: null, upstream_id: two.upstreamId });
    assert.deepEqual(await answers('GET', '/moved'), ['200 two']);
    await change({ auth_required: null });
    assert.deepEqual(await answers('GET', '/moved'), ['401 missing_api_key']);
    await change({ auth_required: false, upstream_id: 'routed' });
    assert.deepEqual(await answers('GET', '/moved'), ['200 one']);
    await change({ path_pattern: '/moved', match_type: 'exact', priority: -1 }, two.routeId);
    assert.deepEqual(await answers('GET', '/moved'), ['200 one']);
    await change({ priority: 1 }, two.routeId);
    assert.deepEqual(await answers('GET', '/moved'), ['200 two']);
    await change({ enabled: false }, two.routeId);
    assert.deepEqual(await answers('GET', '/moved'), ['200 one']);
    await session.must('DELETE', `/routes/${one.routeId}`);
    assert.deepEqual(await answers('GET', '/moved'), ['404 route_not_found']);
    await change({ enabled: true }, two.routeId);
    assert.deepEqual(await answers('GET', '/moved'), ['200 two']);
  });

  test('an API key opens as soon as it is made, and the next request after its revocation is 401', async () => {
    const { path, upstream } = await harness.exposed({}, answerWith('opened'));
    await session.must('PUT', `/routes/${path.slice(1)}`, { auth_required: true });
    for (let round = 0; round < 20; round += 1) {
      const { id, key } = await session.must('POST', '/keys', { name: `revoked-${round}` });
      const fields = [['X-API-Key', key as string]] as const;
      assert.deepEqual(await clients.answers('GET', { target: path, fields }), ['200 opened'], `round ${round}`);
      const before = upstream.requests.length;
      if (round % 2 === 0) await session.must('POST', `/keys/${String(id)}/revoke`);
      else await session.must('DELETE', `/keys/${String(id)}`);
      assert.deepEqual(
        await clients.answers('GET', { target: path, fields }),
        [round % 2 === 0 ? '401 key_revoked' : '401 invalid_api_key'],
        `round ${round}`,
      );
      assert.equal(upstream.requests.length, before);
    }
  });

  test('disabled, enabled, refused to go with its routes, gone with them', async () => {
    const { path, upstreamId, routeId, upstream } = await harness.exposed({ name: 'leaving' }, answerWith('here'));
    const second = await session.must('POST', '/routes', {
      name: 'leaving too',
      path_pattern: '/leaving-too',
      upstream_id: 'leaving',
      auth_required: false,
    });
    await session.must('PUT', '/upstreams/leaving', { enabled: false });
    assert.deepEqual(await clients.answers('GET', { target: path }), ['503 upstream_disabled']);
    assert.equal(upstream.connections.length, 0);
    await session.must('PUT', '/upstreams/leaving', { enabled: null });
    assert.deepEqual(await clients.answers('GET', { target: path }), ['200 here']);

    const refused = await session.call('DELETE', `/upstreams/${upstreamId}`);
    assert.deepEqual([refused.status, refused.body['code']], [409, 'conflict']);
    assert.match(refused.body['detail'] as string, /"leaving".*"leaving too"/);
    assert.deepEqual(
      (refused.body['errors'] as { message: string }[]).map(({ message }) => message.split(' ')[0] ?? '').toSorted(),
      [routeId, second['id'] as string].toSorted(),
    );
    assert.deepEqual(await clients.answers('GET', { target: '/leaving-too' }), ['200 here']);

    const local = await runApigate(['upstreams', 'delete', 'leaving'], { env: localEnvironment(harness.gateway) });
    assert.equal(local.code, 5, local.stderr);
    assert.match(local.stderr, /"leaving too"[\s\S]*--cascade/);
    assert.deepEqual(await clients.answers('GET', { target: path }), ['200 here']);
    const cascade = await runApigate(['upstreams', 'delete', 'leaving', '--cascade'], { env: localEnvironment(harness.gateway) });
    assert.equal(cascade.code, 0, cascade.stderr);
    for (const target of [path, '/leaving-too']) assert.deepEqual(await clients.answers('GET', { target }), ['404 route_not_found']);
    for (const gone of [`/upstreams/${upstreamId}`, `/routes/${routeId}`, '/routes/leaving%20too'])
      assert.equal((await session.call('GET', gone)).status, 404);
    await eventually(() => upstream.open.length === 0, 'its pool is closed', 5_000);
  });
});

describe('the CLI on the local database', () => {
  before(prepare);
  after(() => clients.close());

  test('24 changes: what it says is done is served, and was within 500 ms of its commit', async () => {
    const { path, upstream, upstreamId } = await harness.exposed(
      { name: 'followed', auth_type: 'bearer', auth_value: 'credential-0' },
      answerVersions,
    );
    using watcher = await RawClient.connect(harness.port);
    const delays: number[] = [];
    for (let round = 1; round <= 24; round += 1) {
      let ended = false;
      const seen = (async () => {
        for (;;) {
          const [prefix] = versionsIn((await watcher.request('GET', { target: path })).body);
          if (prefix === round || ended) return Date.now();
          await new Promise((resolve) => setTimeout(resolve, 4));
        }
      })();
      const flags = ['--url', `${upstream.url}/v${round}`, '--auth-value', `credential-${round}`, '-o', 'json'];
      const { code, stdout, stderr } = await runApigate(['upstreams', 'update', round % 2 === 0 ? upstreamId : 'followed', ...flags], {
        env: localEnvironment(harness.gateway),
      });
      ended = true;
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /not taken it up|not known/);
      assert.deepEqual(await clients.answers('GET', { target: path }), [`200 ${round} ${round}`], `round ${round}`);
      delays.push((await seen) - Date.parse((JSON.parse(stdout) as { updated_at: string }).updated_at));
    }
    delays.sort((one, other) => one - other);
    assert.ok(delays.at(-2)! <= 500 && delays.at(-1)! <= 1_000, `milliseconds until served: ${delays.join(' ')}`);
  });

  test('an upstream, a route and a key made in a script work in its next line, and a revoked key no more', async () => {
    const started = await harness.scripted(answerWith('scripted'));
    const env = localEnvironment(harness.gateway);
    const must = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runApigate(args, { env });
      assert.equal(code, 0, stderr);
      return stdout;
    };
    await must('upstreams', 'create', '--name', 'by script', '--url', started.url);
    await must('routes', 'create', '--name', 'by script', '--path', '/by-script', '--upstream', 'by script');
    assert.deepEqual(await clients.answers('GET', { target: '/by-script' }), ['401 missing_api_key']);
    const key = (await must('keys', 'create', '--name', 'by script')).trim();
    assert.match(key, /^ak_[0-9a-f]{64}$/);
    const asked = { target: '/by-script', fields: [['X-API-Key', key]] } as const;
    assert.deepEqual(await clients.answers('GET', asked), ['200 scripted']);
    await must('keys', 'revoke', 'by script');
    assert.deepEqual(await clients.answers('GET', asked), ['401 key_revoked']);
    await must('routes', 'update', 'by script', '--auth=false');
    assert.deepEqual(await clients.answers('GET', { target: '/by-script' }), ['200 scripted']);
    await must('upstreams', 'disable', 'by script');
    assert.deepEqual(await clients.answers('GET', { target: '/by-script' }), ['503 upstream_disabled']);
    await must('routes', 'delete', 'by script');
    assert.deepEqual(await clients.answers('GET', { target: '/by-script' }), ['404 route_not_found']);
  });
});

describe('two admins change one upstream at once', () => {
  before(prepare);
  after(() => clients.close());

  /** What a change sets, all of it or nothing. */
  const ofAnn = { description: "Ann's", timeout_ms: 1_111, max_idle_conns: 11, idle_conn_timeout_ms: 11_111 };
  const ofBob = { description: "Bob's", timeout_ms: 2_222, max_idle_conns: 22, idle_conn_timeout_ms: 22_222 };

  test('with If-Match one is 200 and one is 412, and the one that was told 200 is what is stored', async () => {
    for (let round = 0; round < 10; round += 1) {
      const made = await session.call('POST', '/upstreams', { body: { name: `matched-${round}`, base_url: 'http://127.0.0.1:9' } });
      const path = `/upstreams/${String(made.body['id'])}`;
      const headers = { 'if-match': made.headers['etag']! };
      const [ann, bob] = await Promise.all(
        [ofAnn, ofBob].map((body, index) => session.call(index === round % 2 ? 'PUT' : 'PATCH', path, { headers, body })),
      );
      assert.deepEqual(
        [ann!.status, bob!.status].toSorted((one, other) => one - other),
        [200, 412],
      );
      const [winner, loser, wanted] = ann!.status === 200 ? [ann!, bob!, ofAnn] : [bob!, ann!, ofBob];
      assert.equal(loser.body['code'], 'precondition_failed');
      const now = await session.call('GET', path);
      assert.deepEqual(now.body, { ...made.body, ...wanted, updated_at: now.body['updated_at'] });
      assert.deepEqual([now.body, now.headers['etag']], [winner.body, winner.headers['etag']]);
      assert.deepEqual(
        auditOf(harness.gateway.directory, made.body['id'] as string).map(({ action }) => action),
        ['upstream.create', 'upstream.update'],
      );
      // Who reads again may change it.
      assert.equal(
        (await session.call('PUT', path, { headers: { 'if-match': now.headers['etag']! }, body: { description: 'again' } })).status,
        200,
      );
      assert.equal((await session.call('DELETE', path, { headers })).status, 412);
    }
  });

  test('without it both are applied one after the other: the last one whole, never a mixture, and the audit shows both', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id } = await session.must('POST', '/upstreams', { name: `unmatched-${round}`, base_url: 'http://127.0.0.1:9' });
      const answers = await Promise.all([ofAnn, ofBob].map((body) => session.call('PUT', `/upstreams/${String(id)}`, { body })));
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200],
      );
      for (const [index, wanted] of [ofAnn, ofBob].entries()) assert.deepEqual(pick(answers[index]!.body, ofAnn), wanted);
      const now = await session.must('GET', `/upstreams/${String(id)}`);
      const last = now['description'] === "Ann's" ? ofAnn : ofBob;
      assert.deepEqual(pick(now, ofAnn), last);
      const rows = auditOf(harness.gateway.directory, id as string);
      assert.deepEqual(
        rows.map(({ action }) => action),
        ['upstream.create', 'upstream.update', 'upstream.update'],
      );
      assert.ok(rows[1]!.revision! < rows[2]!.revision!);
      assert.ok(JSON.stringify(rows[2]!.detail).includes(last.description), JSON.stringify(rows[2]));
      assert.ok(JSON.stringify(rows[1]!.detail).includes(last === ofAnn ? "Bob's" : "Ann's"), JSON.stringify(rows[1]));
    }
  });

  test('different fields are both kept, by REST and CLI at the same time', async () => {
    const { id } = await session.must('POST', '/upstreams', { name: 'shared', base_url: 'http://127.0.0.1:9' });
    const [rest, cli] = await Promise.all([
      (async () => {
        for (let round = 1; round <= 150; round += 1) await session.must('PATCH', '/upstreams/shared', { timeout_ms: 1_000 + round });
      })(),
      runApigate(['upstreams', 'update', 'shared', '--description', 'by the CLI'], { env: localEnvironment(harness.gateway) }),
    ]);
    assert.deepEqual([rest, cli.code], [undefined, 0], cli.stderr);
    const now = await session.must('GET', '/upstreams/shared');
    assert.deepEqual([now['description'], now['timeout_ms']], ['by the CLI', 1_150]);
    const rows = auditOf(harness.gateway.directory, id as string);
    assert.equal(rows.length, 152);
    assert.deepEqual(
      rows.filter(({ actor_kind }) => actor_kind === 'cli').map(({ detail }) => Object.keys(detail['changed'] as object)),
      [['description']],
    );
  });
});

describe('requests in flight finish on the gateway config they began with', () => {
  before(prepare);
  after(() => clients.close());

  /** Lets requests wait at the upstream until they are released. */
  function gate(): { readonly script: Script; readonly open: () => void } {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    return {
      open,
      script: async (request, connection) => {
        await opened;
        await answerVersions(request, connection);
      },
    };
  }

  test('a rotated credential and a moved path: who is under way or in the queue has the old, who comes has the new', async () => {
    const { script, open } = gate();
    const { path, upstream, upstreamId } = await harness.exposed({ auth_type: 'bearer', auth_value: 'credential-1', max_conns: 1 }, script);
    await session.must('PUT', `/upstreams/${upstreamId}`, { base_url: `${upstream.url}/v1` });
    using first = await RawClient.connect(harness.port);
    using queued = await RawClient.connect(harness.port);
    await first.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nha`);
    await upstream.request(0);
    await queued.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    // Nothing shows from outside that a request has reached the queue; one that is answered after it on the same worker's loop is no proof either.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await session.must('PUT', `/upstreams/${upstreamId}`, { base_url: `${upstream.url}/v2`, auth_value: 'credential-2' });
    using late = await RawClient.connect(harness.port);
    await late.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await first.send('lf');
    open();
    assert.deepEqual(
      [(await first.response()).body.toString(), (await queued.response()).body.toString(), (await late.response()).body.toString()],
      ['1 1', '1 1', '2 2'],
    );
    assert.deepEqual(await clients.answers('GET', { target: path }), ['200 2 2']);
  });

  for (const [what, change] of [
    ['disabled', (id: string) => session.must('PUT', `/upstreams/${id}`, { enabled: false })],
    ['deleted with its route', (id: string) => session.must('DELETE', `/upstreams/${id}?cascade=true`)],
  ] as const) {
    test(`an upstream ${what}: what is under way finishes whole, what comes is refused`, async () => {
      const { script, open } = gate();
      const { path, upstream, upstreamId } = await harness.exposed({ auth_type: 'bearer', auth_value: 'credential-1' }, script);
      await session.must('PUT', `/upstreams/${upstreamId}`, { base_url: `${upstream.url}/v1` });
      using flying = await RawClient.connect(harness.port);
      await flying.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nha`);
      await upstream.request(0);
      await change(upstreamId);
      assert.deepEqual(await clients.answers('GET', { target: path }), [
        what === 'disabled' ? '503 upstream_disabled' : '404 route_not_found',
      ]);
      await flying.send('lf');
      open();
      const response = await flying.response();
      assert.deepEqual([response.status, response.body.toString(), upstream.requests[0]!.body.toString()], [200, '1 1', 'half']);
      assert.equal(upstream.requests.length, 1);
    });
  }

  test('a revoked key: the request that it opened finishes', async () => {
    const { script, open } = gate();
    const { path, upstream, routeId } = await harness.exposed({}, script);
    await session.must('PUT', `/routes/${routeId}`, { auth_required: true });
    const { key } = await session.must('POST', '/keys', { name: 'in flight' });
    using flying = await RawClient.connect(harness.port);
    await flying.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${String(key)}\r\n\r\n`);
    await upstream.request(0);
    await session.must('POST', '/keys/in%20flight/revoke');
    assert.deepEqual(await clients.answers('GET', { target: path, fields: [['X-API-Key', String(key)]] }), ['401 key_revoked']);
    open();
    assert.equal((await flying.response()).status, 200);
  });
});

function pick(from: Readonly<Record<string, unknown>>, like: object): Record<string, unknown> {
  return Object.fromEntries(Object.keys(like).map((field) => [field, from[field]]));
}
