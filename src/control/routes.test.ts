import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Upstream } from '../model/upstream.ts';
import { ann, contentOf, type ControlFixture, errorOf, fieldErrorsOf, openControl } from './control-fixture.ts';
import { etagOf } from './etag.ts';
import { createRoute, deleteRoute, getRoute, listRoutes, updateRoute } from './routes.ts';
import { createUpstream } from './upstreams.ts';

let control: ControlFixture;
let upstream: Upstream;

beforeEach(async () => {
  control = await openControl();
  upstream = (await createUpstream(control.context, ann, { name: 'my-api', base_url: 'http://a' })).value;
});

afterEach(async () => await control.close());

const minimal = { name: 'users', path_pattern: '/users', upstream_id: 'my-api' };

test('a route with name, path and upstream gets the defaults of the documentation', async () => {
  const { value } = await createRoute(control.context, ann, minimal);
  const { id, ...rest } = value;
  assert.match(id, /^rt_[0-9a-f]{16}$/);
  assert.deepEqual(rest, {
    name: 'users',
    description: '',
    host_pattern: '',
    host_match_type: 'exact',
    path_pattern: '/users',
    match_type: 'prefix',
    methods: [],
    headers: [],
    upstream_id: upstream.id,
    protocol: 'http',
    cors: null,
    api_key_query: false,
    path_rewrite: null,
    method_override: null,
    request_transform: null,
    response_transform: null,
    auth_required: true,
    priority: 0,
    enabled: true,
    managed: false,
    created_at: '2026-11-23T05:00:00.000Z',
    updated_at: '2026-11-23T05:00:00.000Z',
  });
  assert.deepEqual(await getRoute(control.context, 'users'), value);
  const { created_at: _created, updated_at: _updated, ...served } = value;
  assert.deepEqual(control.workers.routeNamed('users'), served);
});

test('the upstream is named by id or name, and must be there', async () => {
  const byId = await createRoute(control.context, ann, { ...minimal, upstream_id: upstream.id });
  assert.equal(byId.value.upstream_id, upstream.id);
  for (const upstream_id of ['nobody', 'up_0000000000000000', '']) {
    assert.match(
      (await fieldErrorsOf(updateRoute(control.context, ann, 'users', { upstream_id }))).upstream_id ?? '',
      /neither the id nor the name/,
    );
  }
});

test('headers are taken in both forms and kept in one', async () => {
  const object = await createRoute(control.context, ann, { ...minimal, headers: { 'X-API-Version': '2', 'X-B': '' } });
  assert.deepEqual(object.value.headers, [
    { name: 'X-API-Version', value: '2', is_regex: false, required: true },
    { name: 'X-B', value: '', is_regex: false, required: true },
  ]);
  const list = [
    { name: 'X-A', value: '^[0-9]+$', is_regex: true },
    { name: 'X-C', value: 'c', required: false },
  ];
  const changed = await updateRoute(control.context, ann, 'users', { headers: list });
  assert.deepEqual(changed.value.headers, [
    { name: 'X-A', value: '^[0-9]+$', is_regex: true, required: true },
    { name: 'X-C', value: 'c', is_regex: false, required: false },
  ]);
  assert.deepEqual((await updateRoute(control.context, ann, 'users', { headers: null })).value.headers, []);
});

test('every field at fault is named at once, nested ones by their path, and nothing is stored', async () => {
  const before = await contentOf(control.store);
  const errors = await fieldErrorsOf(
    createRoute(control.context, ann, {
      upstream_id: 'nobody',
      path_pattern: 'users',
      host_pattern: 'a:80',
      match_type: 'glob',
      methods: ['get', 'TRACE', 'A B', 5],
      headers: [{ name: 'a b', value: 'x' }, { name: 'X', valeu: 'y', value: 'é\u0100' }, 'X: y'],
      priority: 1e9,
      auth_required: 'no',
      upstream: 'my-api',
      path_rewrite: '',
      request_transform: { header: {}, query: { set: { a: 1 } } },
      cors: { max_age: -1, origins: [] },
      protocol: 'ws',
      api_key_query: 1,
    }),
  );
  assert.deepEqual(errors, {
    name: 'is required',
    upstream_id: 'is neither the id nor the name of an upstream',
    host_pattern: 'must be a host without a port',
    match_type: 'must be one of exact, prefix, regex',
    'methods.0': 'is get; methods are case-sensitive, so write GET',
    'methods.1': 'cannot be TRACE: the gateway never forwards it',
    'methods.2': 'is not an HTTP method',
    'methods.3': 'must be a string, not a number',
    'headers.0.name': 'is not a header name',
    'headers.1.value': 'must not contain control characters or characters outside Latin-1',
    'headers.1.valeu': 'is not a known field; did you mean value?',
    'headers.2': 'must be an object, not a string',
    priority: 'must be a whole number from -1000000 to 1000000',
    auth_required: 'must be true or false, not a string',
    upstream: 'is not a known field; did you mean upstream_id?',
    'cors.allow_origins': 'must be a list, not nothing',
    'cors.max_age': 'must be a whole number from 0 to 86400',
    'cors.origins': 'is not a known field; did you mean allow_origins?',
    protocol: 'must be one of http, http_stream, sse, websocket',
    api_key_query: 'must be true or false, not a number',
    path_rewrite: 'must not be empty',
    'request_transform.header': 'is not a known field; did you mean headers?',
    'request_transform.query.set.a': 'must be a string',
  });
  const bad = await fieldErrorsOf(
    createRoute(control.context, ann, { ...minimal, path_pattern: 'users', headers: { 'a b': 'x', 'X-N': 5 } }),
  );
  assert.deepEqual(Object.keys(bad).toSorted(), ['headers.X-N', 'headers.a b', 'path_pattern'].toSorted());
  assert.deepEqual(await fieldErrorsOf(createRoute(control.context, ann, { ...minimal, headers: 'X: y' })), {
    headers: 'must be an object or a list, not a string',
  });
  assert.equal(await contentOf(control.store), before);
});

test('protocol, cors and api_key_query are stored, served, and set back by null; cors gets its defaults', async () => {
  const made = await createRoute(control.context, ann, {
    ...minimal,
    protocol: 'sse',
    api_key_query: true,
    cors: { allow_origins: ['https://app.example', 'capacitor://localhost', 'http://[::1]:3000'], max_age: null },
  });
  const cors = {
    allow_origins: ['https://app.example', 'capacitor://localhost', 'http://[::1]:3000'],
    allow_methods: [],
    allow_headers: ['Authorization', 'Content-Type', 'X-API-Key'],
    expose_headers: [],
    allow_credentials: false,
    max_age: 600,
  };
  assert.deepEqual([made.value.protocol, made.value.api_key_query, made.value.cors], ['sse', true, cors]);
  assert.deepEqual(await getRoute(control.context, 'users'), made.value);
  assert.deepEqual(control.workers.routeNamed('users')?.cors, cors);
  // What was read can be sent back as it is.
  assert.deepEqual((await updateRoute(control.context, ann, 'users', { cors })).value.cors, cors);
  const { value } = await updateRoute(control.context, ann, 'users', { protocol: null, cors: null, api_key_query: null });
  assert.deepEqual([value.protocol, value.api_key_query, value.cors], ['http', false, null]);
});

test('origins are such as browsers send; * never goes with credentials', async () => {
  const refused = async (cors: object): Promise<Record<string, string>> =>
    await fieldErrorsOf(createRoute(control.context, ann, { ...minimal, cors }));
  for (const [origin, message] of [
    ['app.example', /^is not an origin: write scheme, host and port/],
    ['https://', /^is not an origin/],
    ['null', /sandboxed/],
    ['https://app.example/', /without a path: https:\/\/app\.example$/],
    ['https://app.example/x?y', /without a path: https:\/\/app\.example$/],
    ['https://App.example', /as browsers send it: https:\/\/app\.example$/],
    ['HTTPS://app.example', /as browsers send it: https:\/\/app\.example$/],
    ['https://app.example:443', /as browsers send it: https:\/\/app\.example$/],
    ['https://bücher.example', /as browsers send it: https:\/\/xn--bcher-kva\.example$/],
    ['https://*.example', /without a \*/],
    ['Capacitor://localhost', /lower case/],
    ['capacitor://Local', /lower case/],
    ['https://u:p@app.example', /^is not an origin/],
    ['https://a.example\r\nX: y', /^is not an origin/],
    ['app://a\u0000', /^is not an origin/],
    ['https://a.example:99999', /host is not valid/],
  ] as const) {
    assert.match((await refused({ allow_origins: [origin] }))['cors.allow_origins.0'] ?? '', message, origin);
  }
  assert.match((await refused({ allow_origins: [] }))['cors.allow_origins'] ?? '', /must not be empty/);
  assert.match((await refused({ allow_origins: ['*', 'https://a.example'] }))['cors.allow_origins'] ?? '', /\* alone/);
  assert.match((await refused({ allow_origins: ['https://a.example', 'https://a.example'] }))['cors.allow_origins'] ?? '', /twice/);
  const all = { allow_origins: ['*'], allow_methods: ['*'], allow_headers: ['*'], expose_headers: ['*'] };
  assert.deepEqual(
    await refused({ ...all, allow_credentials: true }),
    Object.fromEntries(Object.keys(all).map((field) => [`cors.${field}`, 'must not be * with allow_credentials: name each one'])),
  );
  assert.equal((await createRoute(control.context, ann, { ...minimal, cors: all })).value.cors?.allow_origins[0], '*');
});

test('a header condition is never dropped for its name', async () => {
  const { value } = await createRoute(control.context, ann, { ...minimal, headers: JSON.parse('{"__proto__": "x", "constructor": "y"}') });
  assert.deepEqual(
    value.headers.map(({ name }) => name),
    ['__proto__', 'constructor'],
  );
});

test('methods are tokens, not repeated, in the case they are given', async () => {
  const { value } = await createRoute(control.context, ann, { ...minimal, methods: ['GET', 'PROPFIND', 'M-SEARCH', 'foo'] });
  assert.deepEqual(value.methods, ['GET', 'PROPFIND', 'M-SEARCH', 'foo']);
  assert.match((await fieldErrorsOf(updateRoute(control.context, ann, 'users', { methods: ['GET', 'GET'] })))['methods'] ?? '', /twice/);
  assert.match(
    (await fieldErrorsOf(updateRoute(control.context, ann, 'users', { methods: ['CONNECT'] })))['methods.0'] ?? '',
    /never forwards/,
  );
});

test('the host type follows from the pattern unless it was chosen', async () => {
  const { value } = await createRoute(control.context, ann, { ...minimal, host_pattern: '*.Example.COM' });
  assert.deepEqual([value.host_pattern, value.host_match_type], ['*.example.com', 'wildcard']);
  const change = async (changes: object): Promise<[string, string]> => {
    const { value: changed } = await updateRoute(control.context, ann, 'users', changes);
    return [changed.host_pattern, changed.host_match_type];
  };
  assert.deepEqual(await change({ host_pattern: 'example.com' }), ['example.com', 'exact']);
  assert.deepEqual(await change({ host_pattern: '^A\\.b$', host_match_type: 'regex' }), ['^A\\.b$', 'regex']);
  assert.deepEqual(await change({ host_pattern: '^c$' }), ['^c$', 'regex']);
  assert.deepEqual(await change({ host_pattern: null }), ['', 'exact']);
  assert.match(
    (await fieldErrorsOf(updateRoute(control.context, ann, 'users', { host_match_type: 'wildcard' }))).host_pattern ?? '',
    /start with \*\./,
  );
});

test('changing match_type checks the pattern that is there', async () => {
  await createRoute(control.context, ann, { ...minimal, path_pattern: '/users/*' });
  assert.match(
    (await fieldErrorsOf(updateRoute(control.context, ann, 'users', { match_type: 'exact' }))).path_pattern ?? '',
    /match_type exact/,
  );
});

test("the gateway's own compiler has the last word, sees all other routes, and its warnings are passed on", async () => {
  control.trial.warnings = ['is always beaten by another route'];
  const { warnings } = await createRoute(control.context, ann, minimal);
  assert.deepEqual(warnings, ['is always beaten by another route']);
  await createRoute(control.context, ann, { ...minimal, name: 'orders', path_pattern: '/orders' });
  await updateRoute(control.context, ann, 'users', { path_pattern: '/people' });
  assert.deepEqual(
    control.trial.seen.map((others) => others.map(({ path_pattern }) => path_pattern)),
    [[], ['/users'], ['/orders']],
  );
  control.trial.errors = [{ field: 'path_pattern', message: 'does not compile' }];
  assert.deepEqual(await fieldErrorsOf(updateRoute(control.context, ann, 'users', { path_pattern: '(', match_type: 'regex' })), {
    path_pattern: 'does not compile',
  });
  control.trial.errors = [];
  await deleteRoute(control.context, ann, 'users');
  await updateRoute(control.context, ann, 'orders', { priority: 1 });
  assert.deepEqual(control.trial.seen.at(-1), []);
});

test('names are unique among routes, and an update changes just what is given', async () => {
  await createRoute(control.context, ann, { ...minimal, methods: ['GET'], priority: 5, auth_required: false });
  await errorOf(createRoute(control.context, ann, minimal), 'conflict');
  await createRoute(control.context, ann, { ...minimal, name: 'my-api' });
  const { value } = await updateRoute(control.context, ann, 'users', { enabled: false });
  assert.deepEqual([value.methods, value.priority, value.auth_required, value.enabled], [['GET'], 5, false, false]);
  const before = await contentOf(control.store);
  await updateRoute(control.context, ann, 'users', value);
  assert.equal(await contentOf(control.store), before);
});

test('a deleted route is gone everywhere when the answer comes', async () => {
  const { value } = await createRoute(control.context, ann, minimal);
  await errorOf(deleteRoute(control.context, ann, 'users', { ifMatch: '"other"' }), 'precondition_failed');
  await deleteRoute(control.context, ann, 'users', { ifMatch: etagOf(value) });
  assert.equal(control.workers.routes.size, 0);
  await errorOf(getRoute(control.context, value.id), 'not_found');
  assert.deepEqual((await listRoutes(control.context, {})).data, []);
});
