import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ExpectedErrors, useRefusals } from '../support/refused-input.ts';

const refusals = useRefusals();

const good = { name: 'new', base_url: 'http://backend.test' };
const bearer = { ...good, auth_type: 'bearer', auth_value: 'canary-x' };
const header = { ...good, auth_type: 'header', auth_header: 'X-API-Key', auth_value: 'canary-x' };
const basic = { ...good, auth_type: 'basic', auth_value: 'canary:x' };

type Row = readonly [what: string, body: unknown, errors: ExpectedErrors];

function field(name: string, values: readonly unknown[], message: RegExp, base: object = good): Row[] {
  return values.map((value) => [`${name} ${shown(value)}`, { ...base, [name]: value }, { [name]: message }]);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 40)}… (${text.length} characters)` : text;
}

const forbidden = /^must not lead to .*: that is /;
const oddAddress = /unusual spelling of an address/;

const creating: readonly Row[] = [
  ['nothing at all', {}, { name: /^is required$/, base_url: /^is required$/ }],
  ['a list', [], { '': /^must be a JSON object, not a list$/ }],
  ['a text', '"text"', { '': /^must be a JSON object, not a string$/ }],
  ['null', 'null', { '': /^must be a JSON object, not null$/ }],

  ...field('name', [''], /^must not be empty$/),
  ...field('name', ['x'.repeat(101), '🦀'.repeat(101)], /^must have at most 100 characters$/),
  ...field('name', [' padded', 'padded\u00a0'], /^must not begin or end with a space$/),
  ...field('name', ['a\nb', 'a\u0000b', 'a\u0085b'], /^must not have control characters$/),
  ...field('name', ['up_0123456789abcdef', 'key_0123456789abcdef'], /^must not look like an id$/),
  ...field('name', [null], /^must be a string, not null$/),
  ...field('name', [7], /^must be a string, not a number$/),

  ...field('base_url', [''], /^must not be empty/),
  ...field(
    'base_url',
    ['nonsense', '//backend.test', 'backend.test:80', 'http:backend.test', 'javascript:alert(1)'],
    /^must start with http:\/\/ or https:\/\/$/,
  ),
  ...field(
    'base_url',
    ['ftp://backend.test', 'file:///etc/passwd', 'gopher://backend.test/'],
    /^must start with http:\/\/ or https:\/\/, not /,
  ),
  ...field('base_url', ['http://user:canary-password@backend.test', 'http://user@backend.test'], /^must not hold a user name or password/),
  ...field('base_url', ['http://backend.test/?key=canary', 'http://backend.test?'], /^must not have a query/),
  ...field('base_url', ['http://backend.test/#top'], /^must not have a fragment/),
  ...field(
    'base_url',
    ['http://a b/', 'http://backend.test/\r\nX: y', 'http://127.0.0.1\u0000.test/'],
    /^must not contain spaces or control characters$/,
  ),
  ...field('base_url', ['http:\\\\backend.test', 'http://backend.test\\@evil.test'], /backslash/),
  ...field(
    'base_url',
    ['http://0177.0.0.1/', 'http://2130706433/', 'http://127.1/', 'http://0x7f000001/', 'http://0xa9.254.0xa9.254/'],
    oddAddress,
  ),
  ...field('base_url', ['http://１２７.0.0.1/', 'http://bücher.test/'], /outside ASCII/),
  ...field('base_url', ['http:///', 'https://'], /^the host is missing$/),
  ...field('base_url', ['http://-a.test', 'http://a..test', 'http://a.te$t', 'http://%61.test'], /^the host /),
  ...field(
    'base_url',
    ['http://backend.test:0', 'http://backend.test:65536', 'http://backend.test:', 'http://backend.test:http', 'http://backend.test:080'],
    /^the port /,
  ),
  ...field('base_url', ['http://[::1', 'http://[::g]', 'http://::1', 'http://[fe80::1%25eth0]'], /IPv6 address/),
  ...field(
    'base_url',
    [
      'http://169.254.169.254/',
      'http://100.100.100.200',
      'http://168.63.129.16',
      'http://224.0.0.1',
      'http://0.0.0.0:80',
      'http://255.255.255.255',
    ],
    forbidden,
  ),
  ...field(
    'base_url',
    [
      'http://[fe80::1]/',
      'http://[::ffff:169.254.169.254]/',
      'http://[::ffff:a9fe:a9fe]/',
      'http://[fd00:ec2::254]',
      'http://[ff02::1]',
      'http://[::]',
      'http://[64:ff9b::169.254.169.254]',
    ],
    forbidden,
  ),
  ...field('base_url', ['http://backend.test/a/../b', 'http://backend.test/%2e%2e/b'], /\. or \.\. segments/),
  ...field('base_url', ['http://backend.test//a'], /two slashes/),
  ...field('base_url', ['http://backend.test/a%zz'], /hexadecimal/),
  ...field('base_url', [null, 7, ['http://backend.test'], { url: 'http://backend.test' }], /^must be a string, not /),

  ...field('description', ['x'.repeat(2001)], /^must have at most 2000 characters$/),
  ...field('description', ['a\u0000b', 'a\u001b[31mred'], /control characters/),
  ...field('description', [7], /^must be a string, not a number$/),

  ...field('timeout_ms', [0, -1, 86_400_001, 2 ** 31, 1e9, 1.5, 1e300], /^must be a whole number from 1 to 86400000$/),
  ...field('timeout_ms', ['30000', '30s', true, [1000], { ms: 1 }], /^must be a whole number from 1 to 86400000$/),
  ...field('max_idle_conns', [-1, 100_001, 0.5, '100', false], /^must be a whole number from 0 to 100000$/),
  ...field('idle_conn_timeout_ms', [0, -5, 86_400_001, '90s'], /^must be a whole number from 1 to 86400000$/),
  ...field('max_conns', [-1, 100_001, '5'], /^must be a whole number from 0 to 100000$/),

  ...field('auth_type', ['magic', 'Bearer', '', 'digest'], /^must be one of none, bearer, header, basic$/),
  ...field('auth_type', [1, ['bearer']], /^must be one of none, bearer, header, basic$/),
  ...['bearer', 'basic'].map((type): Row => [
    `auth_type ${type} without a value`,
    { ...good, auth_type: type },
    { auth_value: new RegExp(`^is required with auth_type ${type}$`) },
  ]),
  [
    'auth_type header with nothing else',
    { ...good, auth_type: 'header' },
    { auth_header: /^is required with auth_type header$/, auth_value: /^is required with auth_type header$/ },
  ],
  ['auth_type bearer and a null value', { ...bearer, auth_value: null }, { auth_value: /^is required with auth_type bearer$/ }],
  ...field(
    'auth_header',
    ['a b', '', 'a:b', 'ä', 'a\r\nb', 'x'.repeat(101)],
    /^(?:is not a header name|must have at most 100 characters)$/,
    header,
  ),
  ...field(
    'auth_header',
    ['Host', 'content-length', 'Transfer_Encoding', 'X-Forwarded-For', 'Via', 'X-Request-ID', 'Connection', 'X-Key-ID'],
    /^cannot be /,
    header,
  ),
  ...field('auth_header', [7], /^must be a string, not a number$/, header),
  ...field('auth_header', ['X-API-Key'], /^is used with auth_type header only$/, bearer),
  ...field('auth_value', [''], /^must not be empty$/, bearer),
  ...field('auth_value', ['canary-a\r\nX-Evil: y', 'canary-a\nb', 'canary-a\u0000'], /^must not contain line ends or NUL$/, bearer),
  ...field('auth_value', ['canary-a\u001b', 'canary-\u007f'], /^must not contain control characters$/, header),
  ...field('auth_value', ['canary-ключ', 'canary-€'], /^must not contain characters outside Latin-1$/, bearer),
  ...field('auth_value', [' canary-a', 'canary-a\t'], /^must not begin or end with a space$/, bearer),
  ...field('auth_value', ['canary-'.repeat(15_000)], /^must not be longer than 16384 bytes$/, bearer),
  ...field('auth_value', ['canary-no-colon'], /^must be username:password, with a colon$/, basic),
  ...field('auth_value', [7, ['canary-x'], { value: 'canary-x' }, true], /^must be a string, not /, bearer),
  ...field('auth_value', ['canary-x'], /^is not used with auth_type none/),
  ...field('auth_value', ['${env.}', '${env.a b}', '${env.APIGATE_SECRET_KEY}'], /environment variable|own settings/, bearer),
  ...field('auth_value', ['${file:relative/path}', '${file:}'], /full path/, bearer),
  ...field('auth_value', ['Bearer ${env.TOKEN}', '${env.A}${env.B}', '${ENV.TOKEN}'], /nothing but the reference/, bearer),

  ...field('preserve_host', ['yes', 1], /^must be true or false, not /),
  ...field('enabled', ['true', 0, []], /^must be true or false, not /),
  ...field('tls_ca', ['nonsense', ''], /at least one certificate in PEM form/),
  ...field('tls_ca', ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'], /certificate 1 of 1 is damaged/),
  ...field('tls_ca', ['-----BEGIN PRIVATE KEY-----\ncanary-\n-----END PRIVATE KEY-----'], /certificates only, but has a private key/),
  ...field('tls_ca', [true], /^must be a string, not /),
  ...field('tls_server_name', ['10.0.0.1', '::1'], /^must be a host name, not an address$/),
  ...field('tls_server_name', ['a b', 'a/b', ''], /^must be a host name: /),
  ...field('tls_server_name', ['backend.test.'], /without a dot at the end/),

  ...(
    [
      ['base_ulr', 'base_url'],
      ['url', 'base_url'],
      ['timeout', 'timeout_ms'],
      ['timeoutMs', 'timeout_ms'],
      ['max_idle_connections', 'max_idle_conns'],
      ['Enabled', 'enabled'],
      ['auth_value_encrypted', 'auth_value'],
      ['auth-type', 'auth_type'],
    ] as const
  ).map(([wrong, meant]): Row => [
    `unknown field ${wrong}`,
    { ...good, [wrong]: 'canary-x' },
    { [wrong]: new RegExp(`^is not a known field; did you mean ${meant}\\?$`) },
  ]),
  ['unknown field zzzzzzzzzz', { ...good, zzzzzzzzzz: 1 }, { zzzzzzzzzz: /^is not a known field$/ }],
  [
    'a member named __proto__',
    '{"name": "new", "base_url": "http://backend.test", "__proto__": {"enabled": false}}',
    { ['__proto__']: /^is not a known field$/ },
  ],
  ['a member named constructor', { ...good, constructor: { prototype: {} } }, { constructor: /^is not a known field/ }],
  [
    'fields that only the gateway sets',
    { ...good, id: 'up_0123456789abcdef', managed: true, created_at: '2026-01-01T00:00:00Z' },
    { id: /^is not a known field/, managed: /^is not a known field/, created_at: /^is not a known field/ },
  ],

  [
    'everything wrong at once, all of it reported',
    {
      name: '',
      base_url: 'ftp://x',
      timeout_ms: 0,
      max_idle_conns: -1,
      idle_conn_timeout_ms: '1s',
      auth_type: 'magic',
      auth_header: 'a b',
      enabled: 'yes',
      timeout: 5,
      colour: 'red',
    },
    {
      name: /empty/,
      base_url: /http/,
      timeout_ms: /whole number/,
      max_idle_conns: /whole number/,
      idle_conn_timeout_ms: /whole number/,
      auth_type: /one of/,
      auth_header: /header name/,
      enabled: /true or false/,
      timeout: /did you mean timeout_ms/,
      colour: /known field/,
    },
  ],
  [
    'errors of single fields and between fields, together',
    {
      name: ' a',
      base_url: 'http://169.254.169.254',
      auth_type: 'basic',
      auth_value: 'canary-no-colon',
      auth_header: 'X-Key',
      tls_server_name: '1.2.3.4',
    },
    { name: /space/, base_url: /link-local/, auth_value: /colon/, auth_header: /auth_type header only/, tls_server_name: /not an address/ },
  ],
];

describe('a new upstream with', () => {
  for (const [what, body, errors] of creating) test(what, async () => await refusals.invalid('POST', '/upstreams', body, errors));

  test("the gateway's own address", async () => {
    for (const host of ['127.0.0.1', 'localhost', 'LOCALHOST', '[::ffff:127.0.0.1]']) {
      await refusals.invalid(
        'POST',
        '/upstreams',
        { ...good, base_url: `http://${host}:${refusals.gateway.port}/x` },
        { base_url: /^must not lead back to this gateway/ },
      );
    }
  });
});

// Or write access to an upstream would become read access to its credential.
const elsewhere = /^must be given again when the scheme, host or port of base_url changes$/;

const changing: readonly Row[] = [
  ['one bad field among good ones', { description: 'good', timeout_ms: 0 }, { timeout_ms: /whole number/ }],
  ['a null name', { name: null }, { name: /^must be a string, not null$/ }],
  ['a null base_url', { base_url: null }, { base_url: /^must be a string, not null$/ }],
  ['an unknown field', { timeout: 1 }, { timeout: /did you mean timeout_ms\?$/ }],
  ['another id', { id: 'up_0123456789abcdef' }, { id: /^is set by the gateway and cannot be changed$/ }],
  [
    'other times',
    { created_at: '2026-01-01T00:00:00.000Z', updated_at: null },
    { created_at: /^is set by the gateway/, updated_at: /^is set by the gateway/ },
  ],
  ['auth_value_set', { auth_value_set: false }, { auth_value_set: /^is set by the gateway/ }],
  ['another auth_type without the value', { auth_type: 'basic' }, { auth_value: /^must be given again when auth_type changes$/ }],
  [
    'auth_type header without header and value',
    { auth_type: 'header' },
    { auth_header: /^is required/, auth_value: /^must be given again/ },
  ],
  ['another host without the value', { base_url: 'http://evil.test/v1' }, { auth_value: elsewhere }],
  ['another scheme without the value', { base_url: 'https://backend.test/v1' }, { auth_value: elsewhere }],
  ['another port without the value', { base_url: 'http://backend.test:81/v1' }, { auth_value: elsewhere }],
  ['an auth_header that is not used', { auth_header: 'X-Key' }, { auth_header: /^is used with auth_type header only$/ }],
  ['a value with auth_type none', { auth_type: 'none', auth_value: 'canary-x' }, { auth_value: /^is not used with auth_type none/ }],
  ['a list', [], { '': /^must be a JSON object/ }],
];

describe('a change of an upstream with', () => {
  for (const [what, body, errors] of changing) {
    test(what, async () => {
      await refusals.invalid('PUT', `/upstreams/${refusals.ids.upstream}`, body, errors);
      await refusals.invalid('PATCH', '/upstreams/existing', body, errors);
    });
  }
});

describe('not bad input', () => {
  test('what GET answered may be sent back as it is: nothing changes, no revision is made', async () => {
    const before = await refusals.state();
    const upstream = await refusals.session.must('GET', '/upstreams/existing');
    for (const body of [upstream, {}, { timeout_ms: upstream['timeout_ms'] }]) {
      const answer = await refusals.session.call('PUT', '/upstreams/existing', { body });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
    }
    assert.deepEqual(await refusals.state(), before);
  });
});
