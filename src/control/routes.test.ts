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
      cors: {},
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
    path_rewrite: 'must not be empty',
    'request_transform.header': 'is not a known field; did you mean headers?',
    'request_transform.query.set.a': 'must be a string',
    cors: 'is not a known field',
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
