import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ExpectedErrors, useRefusals } from '../support/refused-input.ts';

const refusals = useRefusals();
const good = { name: 'new', path_pattern: '/new/{id}', upstream_id: 'existing' };

type Row = readonly [what: string, fields: object, errors: ExpectedErrors];

const inRequest = (what: string, transform: object, errors: ExpectedErrors): Row => [
  what,
  { request_transform: transform },
  Object.fromEntries(Object.entries(errors).map(([field, message]) => [`request_transform.${field}`, message])),
];
const inResponse = (what: string, transform: object, errors: ExpectedErrors): Row => [
  what,
  { response_transform: transform },
  Object.fromEntries(Object.entries(errors).map(([field, message]) => [`response_transform.${field}`, message])),
];

const ours = /is set by the gateway itself|is the upstream's base_url's/;
const connection = /belongs to the connection/;
const requestOwn = [
  'X-Request-Id',
  'X-Key-ID',
  'Via',
  'Forwarded',
  'X-Forwarded-For',
  'x-forwarded-anything',
  'X_Forwarded_Host',
  'X-Real-IP',
  'Host',
  'Expect',
  'traceparent',
  'X-APIGate-Worker-Token',
  'Date',
];
const requestHop = [
  'Connection',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'Content-Length',
  'Content_Length',
  'Content-Encoding',
  'Sec-WebSocket-Key',
];

const rows: readonly Row[] = [
  ['path_rewrite of another type', { path_rewrite: 7 }, { path_rewrite: /^must be a string, not a number$/ }],
  ['an empty path_rewrite', { path_rewrite: '' }, { path_rewrite: /must not be empty/ }],
  ['a path_rewrite that climbs', { path_rewrite: '/a/../b' }, { path_rewrite: /dot-segments/ }],
  ['a path_rewrite to another host', { path_rewrite: 'http://evil.test/' }, { path_rewrite: /must begin with \// }],
  ['a path_rewrite with a line end', { path_rewrite: '/a\nb' }, { path_rewrite: /control characters/ }],
  ['a path_rewrite with a capture that is not there', { path_rewrite: '/$2/${pathParams.name}' }, { path_rewrite: /has only \$1/ }],
  [
    'a path_rewrite with a parameter that is not there',
    { path_rewrite: '/${pathParams.di}' },
    { path_rewrite: /did you mean \$\{pathParams\.id\}/ },
  ],
  ['a capture of an exact path', { match_type: 'exact', path_rewrite: '/$1' }, { path_rewrite: /captures nothing by number/ }],
  ['method_override in lower case', { method_override: 'post' }, { method_override: /write POST/ }],
  ['method_override HEAD', { method_override: 'HEAD' }, { method_override: /cannot be HEAD/ }],
  ['method_override CONNECT', { method_override: 'CONNECT' }, { method_override: /never forwards/ }],
  ['request_transform of another type', { request_transform: 'x' }, { request_transform: /^must be an object, not a string$/ }],
  inRequest(
    'unknown fields at every depth',
    {
      header: {},
      headers: { append: {} },
      query: { delete: [] },
      body: { xml: {}, json: { masks: [] } },
      conditions: [{ when: { methods: ['GET'] }, heders: {} }],
    },
    {
      header: /did you mean headers\?/,
      'headers.append': /is not a known field/,
      'query.delete': /is not a known field/,
      'body.xml': /is not a known field/,
      'body.json.masks': /did you mean mask\?/,
      'conditions.0.when.methods': /did you mean method\?/,
      'conditions.0.heders': /did you mean headers\?/,
    },
  ),
  inRequest(
    'wrong types and names',
    {
      headers: { set: { 'a b': 'x', 'X-N': 1 }, add: [], remove: 'X' },
      query: { set: { a: null } },
      body: { json: { inject: [], mask: [7], rename: { a: 1 } } },
    },
    {
      'headers.set.a b': /not a header name/,
      'headers.set.X-N': /must be a string/,
      'headers.add': /must be an object, not a list/,
      'headers.remove': /must be a list, not a string/,
      'query.set.a': /must be a string/,
      'body.json.inject': /must be an object, not a list/,
      'body.json.mask.0': /must be a string/,
      'body.json.rename.a': /must be a string/,
    },
  ),
  inRequest(
    'unknown variables, each with its path',
    {
      headers: { set: { 'X-A': '${uid}' }, add: { 'X-B': '${env.SECRET}' } },
      query: { set: { a: '${header.}' } },
      body: { json: { inject: { a: { b: '${nope}' } } } },
      path_rewrite: '/${qery.x}',
      conditions: [{ when: { path_matches: '(' }, headers: { set: { 'X-C': '${' } } }],
    },
    {
      'headers.set.X-A': /did you mean \$\{uuid\}/,
      'headers.add.X-B': /SECRET is not in APIGATE_TRANSFORM_ENV/,
      'query.set.a': /not a header name/,
      'body.json.inject.a.b': /unknown variable/,
      path_rewrite: /did you mean \$\{query\.NAME\}/,
      'conditions.0.when.path_matches': /not a valid regular expression/,
      'conditions.0.headers.set.X-C': /without its \}/,
    },
  ),
  ...requestOwn.map((name) =>
    inRequest(
      `${name} is not a transformation's`,
      { headers: { set: { [name]: 'x' }, remove: [name] } },
      { [`headers.set.${name}`]: ours, 'headers.remove.0': ours },
    ),
  ),
  ...requestHop.map((name) =>
    inRequest(
      `${name} is not a transformation's`,
      { headers: { add: { [name]: 'x' }, remove: [name] } },
      { [`headers.add.${name}`]: connection, 'headers.remove.0': connection },
    ),
  ),
  ...['Authorization', 'proxy-authorization', 'X-API-Key', 'x_api_key'].map((name) =>
    inRequest(
      `${name} carries a credential`,
      { headers: { set: { [name]: 'x' }, add: { [name]: 'x' } } },
      { [`headers.set.${name}`]: /credential/, [`headers.add.${name}`]: /credential/ },
    ),
  ),
  ...[
    'Content-Length',
    'transfer-encoding',
    'Connection',
    'X-Request-Id',
    'Via',
    'Date',
    'Proxy-Status',
    'RateLimit',
    'X-RateLimit-Limit',
  ].map((name) =>
    inResponse(
      `${name} is not a transformation's`,
      { headers: { set: { [name]: 'x' } } },
      { [`headers.set.${name}`]: /belongs to the connection|set by the gateway/ },
    ),
  ),
  [
    'what is asked for, where response bodies change',
    {
      request_transform: { headers: { set: { Range: 'bytes=0-1' }, remove: ['Accept-Encoding'] } },
      response_transform: { body: { json: { mask: ['a'] } } },
    },
    { 'request_transform.headers.set.Range': /where response bodies/, 'request_transform.headers.remove.0': /where response bodies/ },
  ],
  inResponse(
    'query and path are of requests only',
    { query: {}, path_rewrite: '/x' },
    { query: /is not a known field/, path_rewrite: /is not a known field/ },
  ),
  inRequest(
    'status is of responses only',
    { conditions: [{ when: { status: 200 } }] },
    { 'conditions.0.when.status': /is not a known field/ },
  ),
  inResponse(
    'statuses that do not exist',
    { conditions: [{ when: { status: 99 } }, { when: { status: '6xx' } }, { when: { status: ['2xx', 1000] } }] },
    {
      'conditions.0.when.status': /at least 200/,
      'conditions.1.when.status': /such as 404/,
      'conditions.2.when.status.1': /at most 599/,
    },
  ),
  inResponse('a condition without one', { conditions: [{ when: {} }] }, { 'conditions.0.when': /at least one condition/ }),
  inResponse(
    'paths that would never fit',
    { body: { json: { mask: ['$.a', 'items[0].a', 'a..b'] } } },
    {
      'body.json.mask.0': /without \$/,
      'body.json.mask.1': /need no \[ \]/,
      'body.json.mask.2': /empty name/,
    },
  ),
  [
    'a transformation and another field, all at once',
    { priority: 'high', request_transform: { headers: { set: { Via: 'x' } } }, path_rewrite: 'x' },
    {
      priority: /whole number/,
      'request_transform.headers.set.Via': ours,
      path_rewrite: /must begin with/,
    },
  ],
];

describe('a route with a bad transformation is refused, with every field at fault, and nothing is stored', () => {
  for (const [what, fields, errors] of rows) {
    test(what, async () => {
      await refusals.invalid('POST', '/routes', { ...good, ...fields }, errors);
    });
  }
  test('also when a route that is there is changed', async () => {
    await refusals.invalid(
      'PATCH',
      `/routes/${refusals.ids.route}`,
      { request_transform: { headers: { set: { 'X-A': '${uid}' } } } },
      { 'request_transform.headers.set.X-A': /uuid/ },
    );
    await refusals.invalid('PUT', `/routes/${refusals.ids.route}`, { path_rewrite: '/${pathParams.id}' }, { path_rewrite: /no \{id\}/ });
  });
  test("the header that the upstream's credential goes in", async () => {
    await refusals.session.must('POST', '/upstreams', {
      name: 'with-header',
      base_url: 'http://h.test',
      auth_type: 'header',
      auth_header: 'X-Backend-Token',
      auth_value: 'canary-x',
    });
    await refusals.state();
    await refusals.invalid(
      'POST',
      '/routes',
      { ...good, upstream_id: 'with-header', request_transform: { headers: { set: { x_backend_token: 'x' } } } },
      {
        'request_transform.headers.set.x_backend_token': /upstream's credential/,
      },
    );
  });
  test('__proto__ is no name for anything', async () => {
    for (const [transform, field] of [
      ['{"headers":{"set":{"__proto__":"x"}}}', 'headers.set.__proto__'],
      ['{"query":{"add":{"__proto__":"x"}}}', 'query.add.__proto__'],
      ['{"body":{"json":{"inject":{"a":{"__proto__":{"b":1}}}}}}', 'body.json.inject.a.__proto__'],
      ['{"body":{"json":{"rename":{"__proto__":"b"}}}}', 'body.json.rename.__proto__'],
    ] as const) {
      await refusals.invalid(
        'POST',
        '/routes',
        { ...good, request_transform: JSON.parse(transform) as unknown },
        { [`request_transform.${field}`]: /cannot be a name/ },
      );
    }
  });
  test('what is right is stored as it was given, and null takes it away', async () => {
    const fields = {
      path_rewrite: '/v2/$1',
      method_override: 'PUT',
      request_transform: { headers: { set: { 'X-A': '${uuid}' } }, conditions: [{ when: { method: 'GET' }, query: { remove: ['a'] } }] },
      response_transform: { body: { json: { inject: { n: 1.5, deep: [null, { a: '${path}' }] }, mask: ['a.b'] } } },
    };
    const made = await refusals.session.must('POST', '/routes', { ...good, name: 'kept', ...fields });
    for (const [field, value] of Object.entries(fields)) assert.deepEqual(made[field], value);
    const changed = await refusals.session.must('PATCH', '/routes/kept', { request_transform: null, path_rewrite: null });
    assert.deepEqual([changed['request_transform'], changed['path_rewrite'], changed['method_override']], [null, null, 'PUT']);
  });
});
