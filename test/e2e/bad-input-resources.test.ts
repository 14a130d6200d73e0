import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ExpectedErrors, useRefusals } from '../support/refused-input.ts';

const refusals = useRefusals();

type Row = readonly [what: string, body: unknown, errors: ExpectedErrors];

/** Rows that put each of the values into one field of an otherwise good body. */
function rowsOf(good: object) {
  return (name: string, values: readonly unknown[], message: RegExp, more: object = {}, at = name): Row[] =>
    values.map((value) => {
      const text = JSON.stringify(value);
      return [`${name} ${text.length > 60 ? `${text.slice(0, 40)}…` : text}`, { ...good, ...more, [name]: value }, { [at]: message }];
    });
}

const inRoute = rowsOf({ name: 'new', path_pattern: '/new', upstream_id: 'existing' });
const routes: readonly Row[] = [
  ['nothing at all', {}, { name: /^is required$/, path_pattern: /^is required$/, upstream_id: /^is required$/ }],
  ...inRoute('name', ['', 'rt_0123456789abcdef', ' a', 'x'.repeat(101)], /^must /),
  ...inRoute('path_pattern', ['', 'no-slash', '*', 'http://a/b'], /^must (?:not be empty|start with \/)/),
  ...inRoute('path_pattern', ['/a b', '/ä', '/a\u0000'], /^must not contain /),
  ...inRoute('path_pattern', ['/a?x=1', '/a#b'], /query or fragment/),
  ...inRoute('path_pattern', ['/a/../b', '/./a'], /\. or \.\. segments/),
  ...inRoute('path_pattern', ['//a', '/a//b'], /two slashes/),
  ...inRoute('path_pattern', ['/%zz', '/%4'], /hexadecimal/),
  ...inRoute('path_pattern', ['/%61'], /decoded before matching/),
  ...inRoute('path_pattern', ['/a*', '/*/a', '/a/**'], /only as its last segment/),
  ...inRoute('path_pattern', ['/a/*'], /\* with match_type exact/, { match_type: 'exact' }),
  ...inRoute('path_pattern', ['/{id', '/x{id}', '/{a-b}', '/{}'], /whole segment in braces/),
  ...inRoute('path_pattern', ['/{id}/{id}'], /twice/),
  ...inRoute('path_pattern', ['(', 'a{2,1}', '[z-a]', '(?<n>a)(?<n>b)'], /./, { match_type: 'regex' }),
  ...inRoute('path_pattern', [7, null, ['/a']], /^must be a string, not /),
  ...inRoute('match_type', ['glob', 'Prefix', 1], /^must be one of exact, prefix, regex$/),
  ...inRoute('host_pattern', ['*', 'a.*.test', '**.test'], /\*/),
  ...inRoute('host_pattern', ['a.test:80', 'a.test:'], /without a port/),
  ...inRoute('host_pattern', ['http://a.test', 'a.test/x'], /without scheme or path|without a port/),
  ...inRoute('host_pattern', ['a b', '-a.test', 'a..test', 'bücher.test'], /^must be a host name: /),
  ...inRoute('host_pattern', ['a.test'], /must start with \*\./, { host_match_type: 'wildcard' }),
  ...inRoute('host_pattern', ['('], /./, { host_match_type: 'regex' }),
  ...inRoute('host_pattern', [''], /must not be empty/, { host_match_type: 'regex' }),
  ...inRoute('host_match_type', ['prefix', 0], /^must be one of exact, wildcard, regex$/),
  ...inRoute('methods', ['GET', { GET: true }, 7], /^must be a list, not /),
  ...inRoute('methods', [['G ET'], [''], ['GET\n']], /is not an HTTP method/, {}, 'methods.0'),
  ...inRoute('methods', [['get']], /write GET/, {}, 'methods.0'),
  ...inRoute(
    'methods',
    [
      ['GET', 'CONNECT'],
      ['GET', 'TRACE'],
    ],
    /never forwards it/,
    {},
    'methods.1',
  ),
  ...inRoute('methods', [['GET', 7]], /^must be a string, not a number$/, {}, 'methods.1'),
  ...inRoute('methods', [['GET', 'POST', 'GET']], /twice/),
  ...inRoute('headers', ['X: y', 7], /^must be an object or a list, not /),
  ...inRoute('headers', [{ 'a b': 'x' }], /is not a header name/, {}, 'headers.a b'),
  ...inRoute('headers', [{ 'X-A': 7 }], /must be a string/, {}, 'headers.X-A'),
  ...inRoute('headers', [{ 'X-A': 'a\r\nb' }], /control characters/, {}, 'headers.X-A'),
  ...inRoute('headers', [[{ name: 'X-A' }]], /^must be a string, not nothing$|^is required$/, {}, 'headers.0.value'),
  ...inRoute('headers', [[{ name: 'X-A', value: 'a', regex: true }]], /did you mean is_regex\?$/, {}, 'headers.0.regex'),
  ...inRoute('headers', [[{ name: 'X-A', value: '(', is_regex: true }]], /./, {}, 'headers.0.value'),
  ...inRoute('upstream_id', ['', 'nobody', 'up_0123456789abcdef', 'Existing'], /^is neither the id nor the name of an upstream$/),
  ...inRoute('upstream_id', [null, 7], /^must be a string, not /),
  ...inRoute('auth_required', ['false', 0], /^must be true or false, not /),
  ...inRoute('protocol', ['ws', 'HTTP', 1], /^must be one of http, http_stream, sse, websocket$/),
  ...inRoute('api_key_query', ['yes', 1], /^must be true or false, not /),
  ...inRoute('cors', ['*', true, ['*']], /^must be an object, not /),
  ...inRoute(
    'cors',
    [{ allow_origins: ['a.test'] }, { allow_origins: ['null'] }, { allow_origins: ['http://a/b'] }],
    /./,
    {},
    'cors.allow_origins.0',
  ),
  ...inRoute('cors', [{ allow_origins: ['*'], allow_credentials: true }], /allow_credentials/, {}, 'cors.allow_origins'),
  ...inRoute('cors', [{ allow_origins: ['*'], allow_headers: ['a b'] }], /is not a header name/, {}, 'cors.allow_headers.0'),
  ...inRoute('cors', [{ allow_origins: ['*'], allow_methods: ['G T'] }], /is not an HTTP method/, {}, 'cors.allow_methods.0'),
  ...inRoute('cors', [{ allow_origins: ['*'], max_age: 1.5 }], /whole number/, {}, 'cors.max_age'),
  ...inRoute('priority', [1.5, '1', 1_000_001, -1_000_001], /^must be a whole number from -1000000 to 1000000$/),
  ...inRoute('enabled', ['yes'], /^must be true or false, not /),
  ...inRoute('path', ['/x'], /^is not a known field; did you mean path_pattern\?$/),
  ...inRoute('upstream', ['existing'], /^is not a known field; did you mean upstream_id\?$/),
  ...inRoute('method', [['GET']], /^is not a known field; did you mean methods\?$/),
  [
    'everything wrong at once',
    { name: '', path_pattern: 'x', match_type: 'glob', methods: ['get', 'TRACE'], upstream_id: 'nobody', priority: 'high', colour: 1 },
    // The path is not judged while it is not known how it is meant.
    {
      name: /empty/,
      match_type: /one of/,
      'methods.0': /GET/,
      'methods.1': /TRACE/,
      upstream_id: /neither/,
      priority: /whole/,
      colour: /known/,
    },
  ],
];

const inKey = rowsOf({ name: 'new' });
const keys: readonly Row[] = [
  ['nothing at all', {}, { name: /^is required$/ }],
  ...inKey('name', ['', 'key_0123456789abcdef', 'a\nb'], /^must /),
  ...inKey('routes', ['existing', 7], /^must be a list, not /),
  ...inKey(
    'routes',
    [
      ['existing', 'nobody'],
      ['existing', 'rt_0123456789abcdef'],
    ],
    /^is neither the id nor the name of a route$/,
    {},
    'routes.1',
  ),
  ...inKey('rate_limit_per_minute', [0, -1, 1.5, '60', 10_000_001], /^must be a whole number from 1 to 10000000$/),
  ...inKey('expires_at', ['tomorrow', '2027-01-31', '2027-02-30T00:00:00Z', ''], /^must be a time such as /),
  ...inKey('expires_at', [1_800_000_000], /^must be /),
  ...inKey('expires_at', ['2020-01-01T00:00:00Z'], /^must be in the future$/),
  ...inKey('rate_limit', [60], /^is not a known field; did you mean rate_limit_per_minute\?$/),
  ...inKey('key', ['ak_0123'], /^is not a known field/),
  ...inKey('revoked_at', ['2027-01-31T00:00:00Z'], /^is not a known field/),
  [
    'everything wrong at once',
    { name: ' ', routes: ['a', 'b'], rate_limit_per_minute: 0, expires_at: 'never' },
    { name: /space/, 'routes.0': /neither/, 'routes.1': /neither/, rate_limit_per_minute: /whole/, expires_at: /time/ },
  ],
];

const inToken = rowsOf({ name: 'new' });
const tokens: readonly Row[] = [
  ['nothing at all', {}, { name: /^is required$/ }],
  ...inToken('name', ['', 'tok_0123456789abcdef', 'x'.repeat(101)], /^must /),
  ...inToken('scope', ['root', 'READ', ['read']], /^must be one of read, write, admin$/),
  ...inToken('expires_at', ['soon', '2027-13-01T00:00:00Z'], /^must be a time such as /),
  ...inToken('expires_at', ['2020-01-01T00:00:00Z'], /^must be in the future$/),
  ...inToken('scopes', [['read']], /^is not a known field; did you mean scope\?$/),
  [
    'everything wrong at once',
    { name: 7, scope: 'root', expires_at: 7, token: 'agt_' },
    { name: /string/, scope: /one of/, expires_at: /./, token: /known/ },
  ],
];

const inAdmin = rowsOf({ email: 'new@example.test', password: 'canary-a-long-password' });
const admins: readonly Row[] = [
  ['nothing at all', {}, { email: /^is required$/, password: /^is required$/ }],
  ...inAdmin('email', ['', 'nobody', 'a@', '@b.test', 'a b@c.test', 'a@b.test\nc@d.test'], /^must be an e-mail address$/),
  ...inAdmin('email', [`${'x'.repeat(250)}@a.test`], /^must have at most 254 characters$/),
  ...inAdmin('email', [7, null], /^must be a string, not /),
  ...inAdmin('password', ['canary-1', ''], /^must have at least 12 characters$/),
  ...inAdmin('password', [`canary-${'x'.repeat(300)}`, 'canary-'.repeat(200)], /^must have at most 256 characters$/),
  ...inAdmin('password', ['aaaabbbbaaaabbbb'], /^must have at least 5 different characters$/),
  ...inAdmin('password', ['NEW@example.test'], /^must not be the e-mail address$/),
  ...inAdmin('password', [7], /^must be a string, not /),
  ...inAdmin('mail', ['a@b.test'], /^is not a known field; did you mean email\?$/),
  ['everything wrong at once', { email: 'x', password: 7, role: 'root' }, { email: /e-mail/, password: /string/, role: /known/ }],
];

for (const [kind, path, rows] of [
  ['route', '/routes', routes],
  ['key', '/keys', keys],
  ['token', '/tokens', tokens],
  ['admin', '/admins', admins],
] as const) {
  describe(`a new ${kind} with`, () => {
    for (const [what, body, errors] of rows) test(what, async () => await refusals.invalid('POST', path, body, errors));
  });
}

describe('a change with', () => {
  const changes: readonly (readonly [path: string, ...Row])[] = [
    ['/routes/existing', 'a null name', { name: null }, { name: /string, not null/ }],
    [
      '/routes/existing',
      'a null path and upstream',
      { path_pattern: null, upstream_id: null },
      { path_pattern: /not null/, upstream_id: /not null/ },
    ],
    [
      '/routes/existing',
      'a path that does not fit the type it has',
      { match_type: 'exact', path_pattern: '/x/*' },
      { path_pattern: /exact/ },
    ],
    ['/routes/existing', 'an unknown upstream', { upstream_id: 'nobody' }, { upstream_id: /neither/ }],
    [
      '/routes/existing',
      'what the gateway sets',
      { managed: true, id: 'rt_0123456789abcdef' },
      { managed: /set by the gateway/, id: /set by the gateway/ },
    ],
    ['/keys/existing', 'an unknown route', { routes: ['nobody'] }, { 'routes.0': /neither/ }],
    [
      '/keys/existing',
      'what the gateway sets',
      { prefix: 'ak_000000000', revoked_at: '2027-01-31T00:00:00Z' },
      { prefix: /set by the gateway/, revoked_at: /set by the gateway/ },
    ],
    [
      '/tokens/existing',
      'a bad scope and what the gateway sets',
      { scope: 'root', created_by: 'me' },
      { scope: /one of/, created_by: /set by the gateway/ },
    ],
    ['/admins/existing@example.test', 'a short password', { password: 'canary-2' }, { password: /at least 12/ }],
    ['/admins/existing@example.test', 'no address', { email: 'nobody' }, { email: /e-mail/ }],
  ];
  for (const [path, what, body, errors] of changes) {
    test(`${path}: ${what}`, async () => {
      for (const method of ['PUT', 'PATCH']) await refusals.invalid(method, path, body, errors);
    });
  }
});

describe('names that are taken are 409, whatever their case says', () => {
  for (const [path, body, field] of [
    ['/upstreams', { name: 'existing', base_url: 'http://backend.test' }, 'name'],
    ['/routes', { name: 'existing', path_pattern: '/taken', upstream_id: 'existing' }, 'name'],
    ['/keys', { name: 'existing' }, 'name'],
    ['/tokens', { name: 'existing' }, 'name'],
    ['/admins', { email: 'Existing@Example.test', password: 'canary-a-long-password' }, 'email'],
  ] as const) {
    test(`POST ${path}`, async () => {
      const answer = await refusals.refused('POST', path, 409, { body });
      assert.equal(answer.body['code'], 'conflict');
      assert.deepEqual(
        (answer.body['errors'] as { field: string }[]).map((error) => error.field),
        [field],
      );
    });
    if (path === '/admins') continue;
    test(`PUT ${path}/other`, async () => {
      const answer = await refusals.refused('PUT', `${path}/other`, 409, { body: { name: 'existing' } });
      assert.deepEqual(
        (answer.body['errors'] as { field: string }[]).map((error) => error.field),
        [field],
      );
    });
  }

  test('the last admin but one may go, the last one not', async () => {
    await refusals.session.must('DELETE', `/admins/${refusals.ids.admin}`);
    await refusals.state();
    const [last] = (await refusals.session.must('GET', '/admins'))['data'] as { id: string }[];
    assert.equal((await refusals.refused('DELETE', `/admins/${last!.id}`, 409, {})).body['code'], 'conflict');
  });
});
