// Over 300 lines: the life of a key and its rate limit, on one gateway of four workers.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { eventually } from '../support/eventually.ts';
import { type Exposed, useGateway } from '../support/harness.ts';
import type { Field } from '../support/message-reader.ts';
import { fetchRaw, RawClient, type RawResponse } from '../support/raw-client.ts';
import { localEnvironment, runApigate } from '../support/run-apigate.ts';
import { answerOk, type UpstreamRequest } from '../support/scripted-upstream.ts';

const workers = 4;
const harness = useGateway({ admin: true, workers, script: false, concurrent: true });

let session: AdminSession;
/** Behind a route that needs a key. */
let guarded: Exposed;

interface MadeKey {
  readonly id: string;
  readonly key: string;
  readonly [field: string]: unknown;
}

let made = 0;

async function makeKey(fields: object = {}): Promise<MadeKey> {
  const key = (await session.must('POST', '/keys', { name: `key-${(made += 1)}`, ...fields })) as MadeKey;
  harness.invariants.canaries.push(key.key);
  return key;
}

async function prepare(): Promise<void> {
  session = await AdminSession.signIn(harness.gateway);
  guarded = await harness.exposed({}, answerOk, {});
  await session.must('PUT', `/routes/${guarded.routeId}`, { auth_required: null });
}

async function ask(fields: readonly Field[], target = guarded.path): Promise<RawResponse> {
  return await fetchRaw(harness.port, 'GET', { target, fields });
}

/** The code of a refusal that never went upstream. */
async function refusal(fields: readonly Field[], target = guarded.path): Promise<string> {
  const before = guarded.upstream.requests.length;
  const response = await ask(fields, target);
  assert.equal(guarded.upstream.requests.length, before, 'a refused request stays here');
  assert.equal(response.value('content-type'), 'application/problem+json');
  assert.ok(response.value('proxy-status') !== undefined);
  if (response.status === 401) assert.ok(response.value('www-authenticate') !== undefined, 'RFC 9110 section 11.6.1');
  return `${response.status} ${String(response.json()['code'])}`;
}

/** What arrived upstream of a request that must pass. */
async function passed(fields: readonly Field[], target = guarded.path): Promise<UpstreamRequest> {
  const response = await ask(fields, target);
  assert.equal(response.status, 200, response.body.toString());
  return guarded.upstream.requests.at(-1)!;
}

describe('a key', () => {
  before(prepare);

  test('is shown once, when it is made, by REST and CLI; afterwards only its first characters', async () => {
    const { key, ...rest } = await makeKey({ name: 'shown once' });
    assert.match(key, /^ak_[0-9a-f]{64}$/);
    assert.deepEqual(
      { ...rest, id: '', created_at: '' },
      {
        id: '',
        name: 'shown once',
        prefix: key.slice(0, 12),
        routes: [],
        rate_limit_per_minute: null,
        expires_at: null,
        last_used_at: null,
        revoked_at: null,
        created_at: '',
      },
    );
    assert.deepEqual(await session.must('GET', '/keys/shown%20once'), rest);
    const everything = [
      await session.must('GET', '/keys'),
      await session.must('PUT', '/keys/shown%20once', { rate_limit_per_minute: 1_000 }),
      await session.must('GET', `/keys/${rest.id}`),
    ];
    assert.ok(!JSON.stringify(everything).includes(key));

    const env = localEnvironment(harness.gateway);
    const created = await runApigate(['keys', 'create', '--name', 'by the CLI'], { env });
    const printed = created.stdout.trim();
    harness.invariants.canaries.push(printed);
    assert.match(printed, /^ak_[0-9a-f]{64}$/, 'alone on standard output, for KEY=$(apigate keys create …)');
    assert.ok(!created.stderr.includes(printed));
    for (const args of [
      ['keys', 'list', '-o', 'json'],
      ['keys', 'get', 'by the CLI', '-o', 'yaml'],
    ]) {
      const { stdout } = await runApigate(args, { env });
      assert.ok(stdout.includes(printed.slice(0, 12)) && !stdout.includes(printed), stdout);
    }
  });

  test('opens in X-API-Key and in Authorization: Bearer, stays here, and the upstream learns whose it was', async () => {
    const { id, key } = await makeKey();
    for (const fields of [
      [['X-API-Key', key]],
      [['x-api-key', key]],
      [['Authorization', `Bearer ${key}`]],
      [['authorization', `bearer ${key}`]],
      [
        ['X-API-Key', key],
        ['Authorization', `Bearer ${key}`],
      ],
      [
        ['X-API-Key', key],
        ['X-Key-ID', 'key_0000000000000000'],
        ['x_key_id', 'forged'],
      ],
    ] as const) {
      const request = await passed(fields);
      assert.deepEqual(request.values('x-key-id'), [id]);
      assert.deepEqual([request.values('x-api-key'), request.values('authorization'), request.values('x_key_id')], [[], [], []]);
      assert.ok(!JSON.stringify(request.fields).includes(key));
    }
    const beside = await passed([
      ['X-API-Key', key],
      ['Authorization', 'Basic dXNlcjpwYXNz'],
    ]);
    assert.deepEqual(beside.values('authorization'), ['Basic dXNlcjpwYXNz'], "a client's own Authorization goes on when it is no key");
  });

  test('missing, invalid, of two minds: 401 with the code', async () => {
    const { key } = await makeKey();
    const { key: other } = await makeKey();
    for (const fields of [
      [],
      [['X-API-Key', '']],
      [['X-API-Key', 'secret']],
      [['Authorization', 'Bearer eyJhbGciOi']],
      [['Authorization', `Basic ${key}`]],
      [['Cookie', `X-API-Key=${key}`]],
    ] as Field[][]) {
      assert.equal(await refusal(fields), '401 missing_api_key', JSON.stringify(fields));
    }
    for (const fields of [
      [['X-API-Key', `ak_${'0'.repeat(64)}`]],
      [['X-API-Key', key.slice(0, -1)]],
      [['X-API-Key', `${key}0`]],
      [['X-API-Key', key.toUpperCase().replace('AK_', 'ak_')]],
      [
        ['X-API-Key', key],
        ['Authorization', `Bearer ${other}`],
      ],
      [
        ['X-API-Key', key],
        ['X-API-Key', other],
      ],
      [['X-API-Key', `${key}, ${other}`]],
    ] as Field[][]) {
      assert.equal(await refusal(fields), '401 invalid_api_key', JSON.stringify(fields));
    }
  });

  test('is no key in the query', async () => {
    const { key } = await makeKey();
    for (const name of ['api_key', 'key', 'X-API-Key'])
      assert.equal(await refusal([], `${guarded.path}?${name}=${key}`), '401 missing_api_key');
  });

  test('expires by itself, and again when its time is changed', async () => {
    const { id, key } = await makeKey({ expires_at: new Date(Date.now() + 600).toISOString() });
    const fields = [['X-API-Key', key]] as const;
    await passed(fields);
    await eventually(async () => (await ask(fields)).status === 401, 'the expiry', 3_000);
    assert.equal(await refusal(fields), '401 key_expired');
    await session.must('PUT', `/keys/${id}`, { expires_at: null });
    await passed(fields);
    await session.must('PUT', `/keys/${id}`, { expires_at: new Date(Date.now() + 86_400_000).toISOString() });
    await passed(fields);
  });

  test('revoked is 401 key_revoked, also for whoever else has it; deleted it is unknown', async () => {
    const { id, key } = await makeKey();
    const fields = [['Authorization', `Bearer ${key}`]] as const;
    await passed(fields);
    const revoked = await session.must('POST', `/keys/${id}/revoke`);
    assert.equal(typeof revoked['revoked_at'], 'string');
    assert.equal(await refusal(fields), '401 key_revoked');
    assert.deepEqual(await session.must('POST', `/keys/${id}/revoke`), revoked, 'again changes nothing');
    await session.must('DELETE', `/keys/${id}`);
    assert.equal(await refusal(fields), '401 invalid_api_key');
  });

  test('limited to routes opens those and no other, and none instead of all when they are gone', async () => {
    const other = await session.must('POST', '/routes', { name: 'elsewhere', path_pattern: '/elsewhere', upstream_id: guarded.upstreamId });
    const { id, key } = await makeKey({ routes: ['elsewhere'] });
    const fields = [['X-API-Key', key]] as const;
    assert.equal(await refusal(fields), '401 invalid_api_key');
    await passed(fields, '/elsewhere');
    await session.must('PUT', `/keys/${id}`, { routes: [guarded.routeId, other['id']] });
    await passed(fields);
    await session.must('PUT', `/keys/${id}`, { routes: ['elsewhere'] });
    await session.must('DELETE', '/routes/elsewhere');
    assert.equal(await refusal(fields), '401 invalid_api_key');
  });

  test('is not needed on a public route, and stays here all the same', async () => {
    const open = await session.must('POST', '/routes', {
      name: 'open',
      path_pattern: '/open',
      upstream_id: guarded.upstreamId,
      auth_required: false,
    });
    const { key } = await makeKey({ rate_limit_per_minute: 1 });
    for (const fields of [
      [],
      [['X-API-Key', key]],
      [['Authorization', `Bearer ${key}`]],
      [['X-API-Key', `ak_${'0'.repeat(64)}`]],
      [['X-Key-ID', 'key_0000000000000000']],
    ] as Field[][]) {
      const response = await ask(fields, '/open');
      assert.equal(response.status, 200);
      assert.equal(response.value('x-ratelimit-limit'), undefined, 'no rate limit without a key');
      const request = guarded.upstream.requests.at(-1)!;
      for (const name of ['x-api-key', 'authorization', 'x-key-id']) assert.deepEqual(request.values(name), []);
      const record = await harness.gateway.record(({ request_id }) => request_id === response.value('x-request-id'));
      assert.deepEqual([record['key'], record['route']], ['anonymous', open['id']]);
    }
    assert.equal((await ask([['Authorization', 'Basic dXNlcjpwYXNz']], '/open')).status, 200);
    assert.deepEqual(guarded.upstream.requests.at(-1)!.values('authorization'), ['Basic dXNlcjpwYXNz']);
  });

  test('does not pass in a trailer, nor does a forged X-Key-ID', async () => {
    const { id, key } = await makeKey();
    const { requests } = guarded.upstream;
    for (const trailer of [
      `X-API-Key: ${key}`,
      `Authorization: Bearer ${key}`,
      'X-Key-ID: key_0000000000000000',
      'x_key_id: key_0000000000000000',
    ]) {
      const count = requests.length;
      using client = await RawClient.connect(harness.port);
      await client.send(
        `POST ${guarded.path} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${trailer}\r\n\r\n`,
      );
      const { status } = await client.response();
      assert.ok(status === 200 || status === 400, String(status));
      for (const request of requests.slice(count)) {
        await request.ended();
        assert.deepEqual(request.values('x-key-id'), [id]);
        assert.deepEqual(request.trailers, [], trailer);
      }
    }
  });

  test('when it was last used shows, and using it makes no revision and no edit stale', async () => {
    const { id, key } = await makeKey();
    const before = await session.call('GET', `/keys/${id}`);
    assert.equal(before.body['last_used_at'], null);
    const from = Date.now();
    await passed([['X-API-Key', key]]);
    let lastUsed: unknown;
    await eventually(async () => (lastUsed = (await session.must('GET', `/keys/${id}`))['last_used_at']) !== null, 'last_used_at', 15_000);
    const at = Date.parse(lastUsed as string);
    assert.ok(at >= from - 1_000 && at <= Date.now() + 1_000, String(lastUsed));
    assert.equal(
      (await session.call('PUT', `/keys/${id}`, { headers: { 'if-match': before.headers['etag']! }, body: { rate_limit_per_minute: 9 } }))
        .status,
      200,
    );
  });

  test('is nowhere in the log and nowhere in the database', async () => {
    const { id, key } = await makeKey({ name: 'searched for' });
    guarded.upstream.script = async (request, connection) => {
      if (await request.complete) await connection.write(`HTTP/1.1 204 No Content\r\n${request.nonceEcho}\r\n`);
    };
    const response = await ask([['X-API-Key', key]], `${guarded.path}?api_key=${key}`);
    guarded.upstream.script = answerOk;
    assert.equal(response.status, 204);
    const record = await harness.gateway.record(({ request_id }) => request_id === response.value('x-request-id'));
    assert.equal(record['key'], id, 'the log names whose it was');
    assert.ok(!harness.gateway.output.includes(key.slice(12)));
    for (const file of await readdir(harness.gateway.directory))
      assert.ok(!(await readFile(join(harness.gateway.directory, file))).includes(key), file);
  });
});

describe('the rate limit of a key', () => {
  before(prepare);

  test('is exact: of 240 requests at once over four workers exactly as many pass as it says', async () => {
    for (const limit of [1, 20, 97]) {
      const { id, key } = await makeKey({ rate_limit_per_minute: limit });
      const options = { target: guarded.path, fields: [['X-API-Key', key]] } as const;
      const before = guarded.upstream.requests.length;
      const start = performance.now();
      // Each on a connection of its own: the kernel spreads them over the workers.
      const responses = await Promise.all(Array.from({ length: 240 }, () => fetchRaw(harness.port, 'GET', options)));
      const took = performance.now() - start;
      const ok = responses.filter(({ status }) => status === 200);
      const refused = responses.filter(({ status }) => status === 429);
      assert.equal(ok.length + refused.length, 240);
      // A bucket fills up while it is drawn from: a token each minute divided by the limit.
      const refilled = Math.floor((took * limit) / 60_000);
      assert.ok(ok.length >= limit && ok.length <= limit + refilled, `${ok.length} of ${limit} passed in ${took} ms`);
      assert.equal(guarded.upstream.requests.length - before, ok.length);
      const remaining = ok.map((response) => Number(response.value('x-ratelimit-remaining'))).toSorted((one, other) => other - one);
      if (refilled === 0)
        assert.deepEqual(
          remaining,
          Array.from({ length: limit }, (_, index) => limit - 1 - index),
          'each token is given once',
        );
      for (const response of responses) assertFields(response, limit);
      for (const response of refused) assert.equal(response.json()['code'], 'rate_limit_exceeded');
      await session.must('DELETE', `/keys/${id}`);
    }
  });

  function assertFields(response: RawResponse, limit: number): void {
    const remaining = Number(response.value('x-ratelimit-remaining'));
    const reset = Number(response.value('x-ratelimit-reset'));
    assert.equal(response.value('x-ratelimit-limit'), String(limit));
    assert.ok(Number.isInteger(remaining) && remaining >= 0 && remaining < limit, String(remaining));
    assert.ok(Number.isInteger(reset) && reset >= 0 && reset <= 60, String(reset));
    assert.equal(response.value('ratelimit-policy'), `"default";q=${limit};w=60`);
    assert.equal(response.value('ratelimit'), `"default";r=${remaining};t=${reset}`);
    const wait = response.value('retry-after');
    if (response.status !== 429) assert.equal(wait, undefined);
    else assert.ok(Number(wait) >= 1 && Number(wait) <= Math.ceil(60 / limit), String(wait));
  }

  test('lets a client back in after Retry-After, and not before', async () => {
    const { key } = await makeKey({ rate_limit_per_minute: 60 });
    const options = { target: guarded.path, fields: [['X-API-Key', key]] } as const;
    using client = await RawClient.connect(harness.port);
    for (;;) if ((await client.request('GET', options)).status === 429) break;
    const response = await client.request('GET', options);
    assert.equal(response.status, 429);
    assert.equal(response.value('retry-after'), '1');
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    assert.equal((await client.request('GET', options)).status, 200);
    assert.equal((await client.request('GET', options)).status, 429);
  });

  test('is one for all routes, is not spent by requests that are refused, and follows its changes', async () => {
    const { id, key } = await makeKey({ rate_limit_per_minute: 3 });
    const fields = [['X-API-Key', key]] as const;
    await session.must('POST', '/routes', { name: 'second', path_pattern: '/second', upstream_id: guarded.upstreamId });
    assert.equal((await ask(fields)).value('x-ratelimit-remaining'), '2');
    assert.equal((await ask(fields, '/nowhere')).status, 404);
    assert.equal((await ask([...fields, ['Authorization', `Bearer ak_${'0'.repeat(64)}`]])).status, 401);
    assert.equal((await ask(fields, '/second')).value('x-ratelimit-remaining'), '1');
    assert.equal((await ask(fields)).value('x-ratelimit-remaining'), '0');
    assert.equal(await refusal(fields, '/second'), '429 rate_limit_exceeded');
    await session.must('PUT', `/keys/${id}`, { rate_limit_per_minute: null });
    const free = await ask(fields);
    assert.deepEqual([free.status, free.value('x-ratelimit-limit')], [200, undefined]);
    const another = await makeKey({ rate_limit_per_minute: 3 });
    assert.equal((await ask([['X-API-Key', another.key]])).value('x-ratelimit-remaining'), '2', 'each key has a bucket of its own');
  });
});
