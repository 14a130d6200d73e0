import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useGateway } from '../support/harness.ts';
import { fetchRaw } from '../support/raw-client.ts';
import { answering, jsonType, transformedRoute } from '../support/transformed-route.ts';

const harness = useGateway({ admin: true, env: { APIGATE_TRANSFORM_ENV: 'STAGE', STAGE: 'canary-stage' } });

type Fields = readonly (readonly [string, string])[];
interface Preview {
  readonly matches: boolean;
  readonly winner: { readonly id: string; readonly name: string } | null;
  readonly error: { readonly code: string; readonly status: number; readonly reason: string } | null;
  readonly steps: readonly { readonly message: string; readonly source: string; readonly part: string; readonly detail: string }[];
  readonly request: {
    readonly method: string;
    readonly target: string;
    readonly headers: readonly { name: string; value: string }[];
    readonly body: string | null;
  } | null;
  readonly response: {
    readonly status: number;
    readonly headers: readonly { name: string; value: string }[];
    readonly body: string | null;
  } | null;
}

async function preview(body: object): Promise<Preview> {
  return (await harness.gateway.admin.must('POST', '/routes/preview', body)) as unknown as Preview;
}

/** What differs from request to request, or from gateway to preview. */
const varying = new Set([
  'x-request-id',
  'traceparent',
  'via',
  'date',
  'x-forwarded-port',
  'x-test-nonce',
  'x-test-nonce-echo',
  'authorization',
  'x-stage',
]);
function comparable(fields: Fields): string[] {
  return fields.filter(([name]) => !varying.has(name.toLowerCase())).map(([name, value]) => `${name}: ${value}`);
}
const asFields = (headers: readonly { name: string; value: string }[]): Fields => headers.map(({ name, value }) => [name, value]);

const fields = {
  path_rewrite: '/v2/$1',
  method_override: 'PUT',
  request_transform: {
    headers: { set: { 'X-Env': 'prod', 'X-Stage': '${env.STAGE}' }, remove: ['X-Internal'] },
    query: { set: { page: '1' } },
    body: { json: { inject: { via: '${header.X-Who}' }, mask: ['email'] } },
    conditions: [
      { when: { header_exists: 'X-Who' }, headers: { add: { 'X-Seen': '${query.page}' } } },
      { when: { method: 'DELETE' }, headers: { add: { 'X-Never': '1' } } },
    ],
  },
  response_transform: { headers: { remove: ['X-Powered-By'] }, body: { json: { mask: ['token'] } } },
};
const answerBody = '{"token":"secret","n":1.0}';
const sampleHeaders = { 'X-Internal': '1', 'X-Who': 'ann', 'Content-Type': 'application/json', 'Accept-Encoding': 'gzip, dcb' };
const body = '{"email":"ann@secret.example"}';

describe('POST /admin/routes/preview', () => {
  test('shows the very request that the upstream gets and the very response that the client gets', async () => {
    const route = await transformedRoute(
      harness,
      fields,
      answering('200 OK', [jsonType, ['X-Powered-By', 'x'], ['ETag', '"1"']], answerBody),
      { auth_type: 'bearer', auth_value: 'canary-credential' },
    );
    const sample = {
      request: { method: 'POST', url: `http://gateway.test${route.path}/users?page=7&x=1`, headers: sampleHeaders, body },
      response: { status: 200, headers: { 'Content-Type': 'application/json', 'X-Powered-By': 'x', ETag: '"1"' }, body: answerBody },
    };
    const shown = await preview({ route_id: route.routeId, ...sample });
    const { request, response } = await route.send('POST', {
      target: `${route.path}/users?page=7&x=1`,
      host: 'gateway.test',
      fields: Object.entries(sampleHeaders),
      body,
    });
    assert.equal(shown.error, null);
    assert.equal(shown.winner?.id, route.routeId);
    assert.deepEqual(
      [shown.request?.method, shown.request?.target, shown.request?.body],
      [request.method, request.target, request.body.toString()],
    );
    assert.deepEqual(comparable(asFields(shown.request!.headers)), comparable(request.fields));
    assert.deepEqual([shown.response?.status, shown.response?.body], [response.status, response.body.toString()]);
    assert.deepEqual(comparable(asFields(shown.response!.headers)), comparable(response.fields));
    const text = JSON.stringify(shown);
    assert.ok(!text.includes('canary-'), 'a secret is shown');
    assert.deepEqual(
      shown.request!.headers.filter(({ name }) => name === 'Authorization'),
      [{ name: 'Authorization', value: '***' }],
    );
    assert.equal(shown.request!.headers.find(({ name }) => name === 'X-Stage')?.value, '***');
    assert.equal(request.value('X-Stage'), 'canary-stage');
    // A draft of the same, without the route: the same again.
    const draft = await preview({
      route: { path_pattern: route.path, upstream_id: route.upstreamId, auth_required: false, ...fields },
      ...sample,
    });
    assert.deepEqual(comparable(asFields(draft.request!.headers)), comparable(asFields(shown.request!.headers)));
    assert.equal(draft.request!.target, shown.request!.target);
  });
  test('tells each step, in order, with the field that it comes from', async () => {
    const route = await transformedRoute(harness, fields);
    const { steps } = await preview({
      route_id: route.routeId,
      request: { method: 'POST', url: `${route.path}/users?page=7`, headers: sampleHeaders, body },
      response: { headers: { 'Content-Type': 'application/json' }, body: answerBody },
    });
    assert.deepEqual(
      steps.map(({ message, source, part, detail }) => [message, source, part, detail]),
      [
        ['request', 'request_transform', 'headers', 'remove X-Internal; set X-Env: prod; set X-Stage: ***'],
        ['request', 'request_transform.conditions.0', 'headers', 'add X-Seen: 7'],
        ['request', 'request_transform', 'query', 'page=1'],
        ['request', 'request_transform', 'body', 'inject; mask email'],
        ['request', 'path_rewrite', 'path', '/v2/users?page=1'],
        ['request', 'method_override', 'method', 'PUT'],
        ['response', 'response_transform', 'headers', 'remove X-Powered-By'],
        ['response', 'response_transform', 'body', 'mask token'],
      ],
    );
  });
  test('a change of a stored route is tried without being stored', async () => {
    const route = await transformedRoute(harness, {});
    const before = await harness.gateway.admin.must('GET', `/routes/${route.routeId}`);
    const shown = await preview({ route_id: route.routeId, route: { path_rewrite: '/changed' }, request: { url: route.path } });
    assert.equal(shown.request?.target, '/changed');
    assert.deepEqual(await harness.gateway.admin.must('GET', `/routes/${route.routeId}`), before);
    assert.equal((await route.send('GET')).request.target, route.path);
  });
  test('says who wins where it is another route, that none does, and why nothing passes', async () => {
    const route = await transformedRoute(harness, { path_rewrite: '/x/${header.X-V}' });
    const better = await transformedRoute(harness, { path_pattern: `${route.path}/better` });
    const beaten = await preview({ route_id: route.routeId, request: { url: `${route.path}/better` } });
    assert.deepEqual([beaten.matches, beaten.winner?.id], [true, better.routeId]);
    const missed = await preview({ route: { path_pattern: '/elsewhere', upstream_id: route.upstreamId }, request: { url: route.path } });
    assert.deepEqual([missed.matches, missed.winner?.id, missed.request], [false, route.routeId, null]);
    const reserved = await preview({ route_id: route.routeId, request: { url: '/admin/x' } });
    assert.match(reserved.error?.reason ?? '', /belongs to the gateway itself/);
    const climbing = await preview({ route_id: route.routeId, request: { url: `${route.path}/%2e%2e/x` } });
    assert.equal(climbing.error?.code, 'request_malformed');
    const failing = await preview({ route_id: route.routeId, request: { url: route.path, headers: { 'X-V': '..' } } });
    assert.deepEqual([failing.error?.code, failing.error?.status, failing.request], ['transform_error', 500, null]);
    const real = await fetchRaw(harness.port, 'GET', { target: route.path, fields: [['X-V', '..']] });
    assert.equal(real.status, 500);
  });
  test('a sample that the transformation cannot take fails as the real one would', async () => {
    const route = await transformedRoute(harness, fields);
    const request = { method: 'POST', url: route.path, headers: { 'Content-Type': 'application/json' } };
    assert.deepEqual((await preview({ route_id: route.routeId, request: { ...request, body: '{' } })).error?.status, 400);
    const response = { headers: { 'Content-Type': 'application/json' }, body: '{' };
    assert.deepEqual((await preview({ route_id: route.routeId, request: { url: route.path }, response })).error?.status, 502);
  });
  test('bad input is refused with field and reason', async () => {
    const route = await transformedRoute(harness, {});
    const upstream_id = route.upstreamId;
    for (const [input, status, errors] of [
      [{ request: { url: '/' } }, 422, { route: /is required, or route_id/ }],
      [{ route_id: route.routeId }, 422, { request: /is required|must be an object/ }],
      [{ route_id: 'nobody', request: { url: '/' } }, 404, {}],
      [{ route_id: route.routeId, request: { url: '/a b' } }, 422, { 'request.url': /spaces/ }],
      [{ route_id: route.routeId, request: { url: '/\r\nX: y' } }, 422, { 'request.url': /control/ }],
      [
        { route_id: route.routeId, request: { url: '/', headers: { 'X-A': 'a\r\nb' } } },
        422,
        { 'request.headers.X-A': /control characters/ },
      ],
      [{ route_id: route.routeId, request: { url: '/', metod: 'GET' } }, 422, { 'request.metod': /did you mean method/ }],
      [
        { route: { upstream_id, path_pattern: 'x', request_transform: { headers: { set: { 'X-A': '${uid}' } } } }, request: { url: '/' } },
        422,
        { 'route.path_pattern': /must start with/ },
      ],
      [
        { route: { upstream_id, path_pattern: '/x', request_transform: { headers: { set: { 'X-A': '${uid}' } } } }, request: { url: '/' } },
        422,
        { 'route.request_transform.headers.set.X-A': /did you mean/ },
      ],
      [
        { route: { path_pattern: '/x', colour: 1 }, request: { url: '/' } },
        422,
        { 'route.upstream_id': /required/, 'route.colour': /not a known field/ },
      ],
    ] as const) {
      const answer = await harness.gateway.admin.call('POST', '/routes/preview', input);
      assert.equal(answer.status, status, JSON.stringify([input, answer.body]));
      const told = (answer.body['errors'] ?? []) as readonly { field: string; message: string }[];
      assert.deepEqual(told.map(({ field }) => field).toSorted(), Object.keys(errors).toSorted(), JSON.stringify(told));
      for (const { field, message } of told) assert.match(message, (errors as Record<string, RegExp>)[field]!);
    }
  });
});
