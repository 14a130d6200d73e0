import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { type Exposed, useGateway } from '../support/harness.ts';
import type { Field } from '../support/message-reader.ts';
import { fetchRaw, type RawResponse } from '../support/raw-client.ts';
import type { Script } from '../support/scripted-upstream.ts';

const harness = useGateway({ admin: true, script: false, concurrent: true, prepare });
const app = 'https://app.example';
const cors = {
  allow_origins: [app, 'http://localhost:3000'],
  allow_headers: ['X-API-Key', 'Content-Type'],
  expose_headers: ['X-Total', 'RateLimit'],
  allow_credentials: true,
  max_age: 120,
};

/** Has CORS headers of its own, as an upstream may that was reached without a gateway before. */
const corsUpstream: Script = async (request, connection) => {
  if (!(await request.complete)) return;
  await connection.write(
    `HTTP/1.1 200 OK\r\nACCESS-CONTROL-ALLOW-ORIGIN: *\r\nAccess-Control-Allow-Methods: PURGE\r\naccess-control-expose-headers: X-Own\r\nVary: Accept\r\n${request.nonceEcho}Content-Length: 2\r\n\r\nok`,
  );
};

let session: AdminSession;
/** Needs a key and takes GET and POST. */
let guarded: Exposed;
let key = '';

async function prepare(): Promise<void> {
  session = await AdminSession.signIn(harness.gateway);
  guarded = await harness.exposed({}, corsUpstream);
  await session.must('PUT', `/routes/${guarded.routeId}`, { auth_required: true, methods: ['GET', 'POST'], cors });
  key = String((await session.must('POST', '/keys', { name: 'cors', rate_limit_per_minute: 3 }))['key']);
}

async function preflight(target: string, method: string, origin = app, fields: readonly Field[] = []): Promise<RawResponse> {
  return await fetchRaw(harness.port, 'OPTIONS', {
    target,
    fields: [['Origin', origin], ['Access-Control-Request-Method', method], ...fields],
  });
}

/** Every CORS field of a response, by its lower-case name. */
function corsOf(response: RawResponse): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name] of response.fields) {
    if (/^access-control-/i.test(name)) found[name.toLowerCase().slice('access-control-'.length)] = response.value(name)!;
  }
  return found;
}

const allowed = { 'allow-origin': app, 'allow-credentials': 'true', 'expose-headers': 'X-Total, RateLimit' };

describe('preflights', () => {
  test('are answered without a key, by the gateway, and count against no rate limit', async () => {
    for (let round = 0; round < 5; round += 1) {
      const response = await preflight(`${guarded.path}/x?y=1`, 'POST', app, [
        ['Access-Control-Request-Headers', 'x-api-key,content-type'],
      ]);
      assert.equal(response.status, 204);
      assert.equal(response.body.length, 0);
      assert.deepEqual(corsOf(response), {
        ...allowed,
        'allow-methods': 'GET, POST, HEAD',
        'allow-headers': 'X-API-Key, Content-Type',
        'max-age': '120',
      });
      assert.deepEqual(response.values('vary'), ['Origin']);
      assert.deepEqual(response.values('ratelimit'), []);
    }
    assert.equal(guarded.upstream.requests.length, 0);
  });

  test('of an origin that is not allowed pass nothing, and the log says why', async () => {
    for (const origin of ['https://evil.example', 'https://app.example.evil', 'null', 'https://APP.example', `${app}, ${app}`]) {
      const response = await preflight(guarded.path, 'POST', origin);
      assert.equal(response.status, 204);
      assert.deepEqual(corsOf(response), {});
      assert.deepEqual(response.values('vary'), ['Origin']);
      const id = response.value('x-request-id');
      const record = await harness.gateway.record((each) => each.request_id === id);
      assert.match(String(record['reason']), /cors does not allow this origin/);
      assert.equal(record['route'], guarded.routeId);
    }
  });

  test('are those of the route that would take the request that they ask for', async () => {
    const { path } = guarded;
    const upstream_id = guarded.upstreamId;
    const shared = { path_pattern: `${path}/of`, upstream_id, auth_required: true };
    const origin = (name: string): object => ({ cors: { allow_origins: [`https://${name}.example`] } });
    await session.must('POST', '/routes', { ...shared, name: 'putting', methods: ['PUT'], ...origin('put') });
    await session.must('POST', '/routes', { ...shared, name: 'deleting', methods: ['DELETE'], ...origin('delete') });
    await session.must('POST', '/routes', {
      ...shared,
      name: 'by header',
      methods: ['PATCH'],
      headers: { 'X-Version': '2' },
      ...origin('patch'),
    });
    for (const name of ['put', 'delete'])
      assert.equal(
        corsOf(await preflight(`${path}/of/x`, name.toUpperCase(), `https://${name}.example`))['allow-methods'],
        name.toUpperCase(),
      );
    assert.deepEqual(corsOf(await preflight(`${path}/of/x`, 'PUT', 'https://delete.example')), {});
    // A header that is only announced is taken to have the value that the route asks for.
    const announced = await preflight(`${path}/of/x`, 'PATCH', 'https://patch.example', [['Access-Control-Request-Headers', 'x-version']]);
    assert.equal(corsOf(announced)['allow-origin'], 'https://patch.example');
    const without = await preflight(`${path}/of/x`, 'PATCH', 'https://patch.example');
    assert.deepEqual([without.status, corsOf(without)], [405, {}]);
  });

  test('for a method that no route takes, or without any, are requests like any other', async () => {
    assert.equal((await preflight(guarded.path, 'PURGE')).status, 405);
    assert.equal((await preflight(guarded.path, 'P/X')).status, 405);
    assert.equal((await fetchRaw(harness.port, 'OPTIONS', { target: guarded.path, fields: [['Origin', app]] })).status, 405);
  });

  test('go to the upstream where the route has no cors, for it to answer', async () => {
    const plain = await harness.exposed({}, corsUpstream);
    const response = await preflight(plain.path, 'POST');
    assert.deepEqual(corsOf(response), { 'allow-origin': '*', 'allow-methods': 'PURGE', 'expose-headers': 'X-Own' });
    assert.equal(plain.upstream.requests.length, 1);
  });

  test('on a route for all methods allow the one that is asked for', async () => {
    const all = await harness.exposed({}, corsUpstream);
    await session.must('PUT', `/routes/${all.routeId}`, { cors: { allow_origins: ['*'], allow_headers: ['*'] } });
    assert.deepEqual(corsOf(await preflight(all.path, 'PROPFIND')), {
      'allow-origin': '*',
      'allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, PROPFIND',
      'allow-headers': '*, Authorization',
      'max-age': '600',
    });
    const actual = await fetchRaw(harness.port, 'GET', { target: all.path });
    assert.deepEqual(corsOf(actual), { 'allow-origin': '*' });
    assert.deepEqual(actual.values('vary'), ['Accept'], 'the same for every origin');
    assert.equal(all.upstream.requests.length, 1);
  });
});

describe('actual responses', () => {
  test("carry the route's fields once, in place of the upstream's own", async () => {
    const response = await fetchRaw(harness.port, 'GET', {
      target: guarded.path,
      fields: [
        ['Origin', app],
        ['X-API-Key', key],
      ],
    });
    assert.equal(response.status, 200);
    assert.deepEqual(corsOf(response), allowed);
    assert.deepEqual(response.values('vary'), ['Accept', 'Origin']);
    assert.equal(response.value('x-ratelimit-limit'), '3', 'what admission adds is there too');
  });

  test('carry them once where the body is transformed, too', async () => {
    const script: Script = async (request, connection) => {
      if (!(await request.complete)) return;
      await connection.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nAccess-Control-Allow-Origin: *\r\n${request.nonceEcho}Content-Length: 9\r\n\r\n{"a":"b"}`,
      );
    };
    const masked = await harness.exposed({}, script);
    await session.must('PUT', `/routes/${masked.routeId}`, { cors, response_transform: { body: { json: { mask: ['a'] } } } });
    const response = await fetchRaw(harness.port, 'GET', { target: masked.path, fields: [['Origin', app]] });
    assert.deepEqual([response.status, response.body.toString()], [200, '{"a":"***"}']);
    assert.deepEqual(corsOf(response), allowed);
  });

  test('to no origin, or to one that is not allowed, only vary by it', async () => {
    for (const fields of [[], [['Origin', 'https://evil.example']]] as const) {
      const response = await fetchRaw(harness.port, 'GET', { target: guarded.path, fields: [...fields, ['X-API-Key', key]] });
      assert.equal(response.status, 200);
      assert.deepEqual(corsOf(response), {});
      assert.deepEqual(response.values('vary'), ['Accept', 'Origin']);
    }
  });

  test('that the gateway itself makes carry them too, so that a page can read what went wrong', async () => {
    const get = (fields: readonly Field[]): Promise<RawResponse> =>
      fetchRaw(harness.port, 'GET', { target: guarded.path, fields: [['Origin', app], ...fields] });
    const missing = await get([]);
    assert.deepEqual([missing.status, missing.json()['code'], corsOf(missing)], [401, 'missing_api_key', allowed]);
    let limited = missing;
    for (let round = 0; round < 5 && limited.status !== 429; round += 1) limited = await get([['X-API-Key', key]]);
    assert.deepEqual([limited.status, corsOf(limited)], [429, allowed]);
    assert.ok(limited.value('retry-after') !== undefined);
    await session.must('PUT', `/upstreams/${guarded.upstreamId}`, { enabled: false });
    await session.must('PUT', `/routes/${guarded.routeId}`, { auth_required: false });
    const disabled = await get([]);
    assert.deepEqual([disabled.status, corsOf(disabled)], [503, allowed]);
  });
});
