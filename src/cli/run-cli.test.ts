// Longer than 300 lines: every command with every flag, and the request it stands for, is one list.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { CliFixture } from './cli-fixture.ts';
import { madeKey, madeToken } from './stand-in-admin-api.ts';

const folder = mkdtempSync(join(tmpdir(), 'apigate-cli-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'ca.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
writeFileSync(join(folder, 'key.pem'), '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
const ca = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

const upstream = ['upstreams', 'create', '--name', 'u', '--url', 'http://b'];
const route = ['routes', 'create', '--name', 'r', '--path', '/x', '--upstream', 'u'];
const header = (name: string, value: string, regex = false, required = true): object => ({ name, value, is_regex: regex, required });

/** Flags, and the body of the request that they make. */
const bodies: readonly (readonly [string, readonly string[], object])[] = [
  [
    'an upstream with everything',
    [
      ...upstream,
      '--description',
      'd',
      '--auth-type',
      'header',
      '--auth-header',
      'X-Key',
      '--auth-value',
      '${env.K}',
      '--timeout',
      '1',
      '--max-idle-conns',
      '2',
      '--idle-conn-timeout',
      '3',
      '--max-conns',
      '4',
      '--preserve-host',
      '--tls-ca',
      'ca.pem',
      '--tls-server-name',
      's',
      '--disabled',
    ],
    {
      name: 'u',
      base_url: 'http://b',
      description: 'd',
      auth_type: 'header',
      auth_header: 'X-Key',
      auth_value: '${env.K}',
      timeout_ms: 1,
      max_idle_conns: 2,
      idle_conn_timeout_ms: 3,
      max_conns: 4,
      preserve_host: true,
      tls_ca: ca,
      tls_server_name: 's',
      enabled: false,
    },
  ],
  [
    'switches with =',
    [...upstream, '--preserve-host=false', '--enabled=false'],
    { name: 'u', base_url: 'http://b', preserve_host: false, enabled: false },
  ],
  [
    'switches with =true',
    [...upstream, '--preserve-host=true', '--disabled=false'],
    { name: 'u', base_url: 'http://b', preserve_host: true, enabled: true },
  ],
  [
    'values that look like flags',
    ['upstreams', 'create', '--name', '--yes', '--url', 'http://b', '--description', '--auth=false'],
    { name: '--yes', base_url: 'http://b', description: '--auth=false' },
  ],
  ['values with =', ['upstreams', 'create', '--name=a=b', '--url=http://b'], { name: 'a=b', base_url: 'http://b' }],
  [
    'numbers that the gateway will refuse',
    [...upstream, '--timeout', '-1', '--max-conns', '2147483648'],
    { name: 'u', base_url: 'http://b', timeout_ms: -1, max_conns: 2_147_483_648 },
  ],
  ['a plain route', route, { name: 'r', path_pattern: '/x', upstream_id: 'u' }],
  [
    'a route with everything',
    [
      ...route,
      '--match',
      'exact',
      '--host',
      '*.example.com',
      '--host-match',
      'wildcard',
      '--methods',
      'GET, POST',
      '--methods',
      'PUT',
      '--header',
      'X-A: 1',
      '--header',
      'X-B?:  two words ',
      '--priority',
      '-5',
      '--no-auth',
      '--description',
      'd',
      '--enabled',
    ],
    {
      name: 'r',
      path_pattern: '/x',
      upstream_id: 'u',
      match_type: 'exact',
      host_pattern: '*.example.com',
      host_match_type: 'wildcard',
      methods: ['GET', 'POST', 'PUT'],
      headers: [header('X-A', '1'), header('X-B', 'two words', false, false)],
      priority: -5,
      auth_required: false,
      description: 'd',
      enabled: true,
    },
  ],
  ['--auth=false', [...route, '--auth=false'], { name: 'r', path_pattern: '/x', upstream_id: 'u', auth_required: false }],
  [
    'protocol, keys in the query, and CORS',
    [
      ...route,
      ...'--protocol websocket --api-key-query --cors-origins https://a.example,https://b.example --cors-methods GET'.split(' '),
      ...'--cors-headers X-A --cors-expose X-B --cors-credentials --cors-max-age 60'.split(' '),
    ],
    {
      name: 'r',
      path_pattern: '/x',
      upstream_id: 'u',
      protocol: 'websocket',
      api_key_query: true,
      cors: {
        allow_origins: ['https://a.example', 'https://b.example'],
        allow_methods: ['GET'],
        allow_headers: ['X-A'],
        expose_headers: ['X-B'],
        allow_credentials: true,
        max_age: 60,
      },
    },
  ],
  ['--auth', [...route, '--auth'], { name: 'r', path_pattern: '/x', upstream_id: 'u', auth_required: true }],
  [
    'header regexes',
    [...route, '--header', 'A: b', '--header-regex', 'V: ^v[12]$'],
    { name: 'r', path_pattern: '/x', upstream_id: 'u', headers: [header('A', 'b'), header('V', '^v[12]$', true)] },
  ],
  [
    'a key',
    ['keys', 'create', '--name', 'k', '--routes', 'a,b', '--rate-limit', '60', '--expires-at', '2027-01-31'],
    { name: 'k', routes: ['a', 'b'], rate_limit_per_minute: 60, expires_at: '2027-01-31T00:00:00.000Z' },
  ],
  [
    'a key for ever',
    ['keys', 'create', '--name', 'k', '--expires-in', 'never', '--rate-limit', 'none', '--routes', ''],
    { name: 'k', expires_at: null, rate_limit_per_minute: null, routes: [] },
  ],
  [
    'a token',
    ['tokens', 'create', '--name', 't', '--scope', 'write', '--expires-at', '2027-01-31T12:00:00+01:00'],
    { name: 't', scope: 'write', expires_at: '2027-01-31T11:00:00.000Z' },
  ],
];

describe('create', () => {
  for (const [what, argv, body] of bodies) {
    it(`${what}: ${argv.slice(0, 2).join(' ')} sends what the flags say and nothing else`, async () => {
      const cli = new CliFixture();
      const { code, stderr } = await cli.run(argv, { cwd: folder });
      assert.equal(code, 0, stderr);
      const [request] = cli.api.seen;
      assert.deepEqual([request?.method, request?.path, request?.body], ['POST', `/admin/${argv[0]}`, body]);
    });
  }

  it('--expires-in counts from now', async () => {
    const cli = new CliFixture();
    await cli.run(['keys', 'create', '--name', 'k', '--expires-in', '90d']);
    const expiry = String(cli.api.firstBody['expires_at']);
    const away = Date.parse(expiry) - Date.now() - 90 * 86_400_000;
    assert.ok(away <= 0 && away > -60_000, expiry);
  });

  it('a key stands alone on standard output; what goes with it is on standard error', async () => {
    const cli = new CliFixture();
    cli.api.add('routes', { name: 'open', auth_required: false, path_pattern: '/open' });
    cli.api.add('routes', { name: 'r', path_pattern: '/api/*', host_pattern: 'api.example.com' });
    const { stdout, stderr } = await cli.run(['keys', 'create', '--name', 'k']);
    assert.equal(stdout, `${madeKey}\n`);
    assert.match(stderr, /never shown again/);
    assert.match(stderr, /curl -H "X-API-Key: \$KEY" -H 'Host: api.example.com' http:\/\/localhost:8080\/api\/$/m);
    assert.doesNotMatch(stderr, new RegExp(madeKey), 'standard error may go to a log');
  });

  it('on a terminal the curl is ready to be copied', async () => {
    const cli = new CliFixture();
    cli.api.add('routes', { name: 'r', path_pattern: '/api' });
    const { stderr } = await cli.run(['keys', 'create', '--name', 'k'], { terminal: { columns: 100 }, env: { NO_COLOR: '1' } });
    assert.ok(stderr.includes(`curl -H "X-API-Key: ${madeKey}" http://localhost:8080/api\n`), stderr);
  });

  it('a token stands alone on standard output', async () => {
    const { stdout, stderr } = await new CliFixture().run(['tokens', 'create', '--name', 't']);
    assert.equal(stdout, `${madeToken}\n`);
    assert.match(stderr, /never shown again/);
    assert.doesNotMatch(stderr, new RegExp(madeToken));
  });

  it('keys and tokens in JSON hold the secret too; -o name would lose it and is refused before anything is made', async () => {
    const cli = new CliFixture();
    assert.equal((JSON.parse((await cli.run(['keys', 'create', '--name', 'k', '-o', 'json'])).stdout) as { key: string }).key, madeKey);
    for (const kind of ['keys', 'tokens']) {
      const before = cli.api.seen.length;
      assert.equal((await cli.run([kind, 'create', '--name', 'k', '-o', 'name'])).code, 2);
      assert.equal(cli.api.seen.length, before);
    }
  });

  it('a route says how to go on: with a key, or with a curl where none is needed', async () => {
    const cli = new CliFixture();
    assert.match((await cli.run(route)).stderr, /apigate keys create --name r-client --routes r$/m);
    assert.match((await cli.run([...route, '--no-auth', '--match', 'exact'])).stderr, /curl http:\/\/localhost:8080\/x$/m);
  });

  it('hints quote names for the shell', async () => {
    const { stderr } = await new CliFixture().run(['upstreams', 'create', '--name', "Bob's $(reboot) API", '--url', 'http://b']);
    assert.ok(stderr.includes(`--name 'Bob'\\''s $(reboot) API' --path /bob-s-reboot-api`), stderr);
  });
});

describe('update', () => {
  it('sends only what is given', async () => {
    for (const [argv, body] of [
      [['upstreams', 'update', 'x', '--tls-ca', ''], { tls_ca: null }],
      [['upstreams', 'update', 'x', '--auth-header', '', '--tls-server-name', ''], { auth_header: null, tls_server_name: null }],
      [['upstreams', 'update', 'x', '--description', ''], { description: '' }],
      [['upstreams', 'update', 'x', '--no-preserve-host'], { preserve_host: false }],
      [['upstreams', 'update', 'x', '--auth-type', 'none'], { auth_type: 'none' }],
      [['routes', 'update', 'x', '--methods', '', '--host', ''], { methods: [], host_pattern: '' }],
      [['routes', 'update', 'x', '--header', ''], { headers: [] }],
      [['routes', 'update', 'x', '--auth'], { auth_required: true }],
      [['routes', 'update', 'x', '--no-cors', '--api-key-query=false'], { cors: null, api_key_query: false }],
      [['keys', 'update', 'x', '--rate-limit', 'none'], { rate_limit_per_minute: null }],
      [['keys', 'update', 'x', '--expires-at', 'never'], { expires_at: null }],
      [['tokens', 'update', 'x', '--scope', 'admin'], { scope: 'admin' }],
    ] as const) {
      const cli = new CliFixture();
      cli.api.add(argv[0], { name: 'x' });
      const { code, stderr } = await cli.run(argv);
      assert.equal(code, 0, stderr);
      assert.deepEqual(
        cli.api.seen.map(({ method, path, body: sent }) => [method, path, sent]),
        [['PATCH', `/admin/${argv[0]}/x`, body]],
      );
    }
  });

  it('of a part of cors keeps the rest of it', async () => {
    const cli = new CliFixture();
    const cors = { allow_origins: ['https://a.example'], allow_credentials: true, max_age: 5 };
    cli.api.add('routes', { name: 'x', cors });
    cli.api.add('routes', { name: 'bare' });
    assert.equal((await cli.run(['routes', 'update', 'x', '--cors-max-age', '60', '--cors-credentials=false'])).code, 0);
    assert.deepEqual(cli.api.seen.at(-1)?.body, { cors: { ...cors, allow_credentials: false, max_age: 60 } });
    const bare = await cli.run(['routes', 'update', 'bare', '--cors-max-age', '60']);
    assert.equal(bare.code, 2);
    assert.match(bare.stderr, /--cors-origins is required/);
    assert.match((await cli.run(['routes', 'update', 'x', '--no-cors', '--cors-max-age', '60'])).stderr, /--no-cors excludes/);
  });

  it('of nothing is a mistake', async () => {
    for (const kind of ['upstreams', 'routes', 'keys', 'tokens', 'admins']) {
      const cli = new CliFixture();
      const { code, stderr } = await cli.run([kind, 'update', 'x']);
      assert.equal(code, 2);
      assert.match(stderr, /nothing to change/);
      assert.deepEqual(cli.api.seen, []);
    }
  });
});

describe('enable, disable, revoke', () => {
  it('are single requests', async () => {
    for (const [argv, method, path, body] of [
      [['upstreams', 'enable', 'x'], 'PATCH', '/admin/upstreams/x', { enabled: true }],
      [['upstreams', 'disable', 'x'], 'PATCH', '/admin/upstreams/x', { enabled: false }],
      [['routes', 'enable', 'x'], 'PATCH', '/admin/routes/x', { enabled: true }],
      [['routes', 'disable', 'x'], 'PATCH', '/admin/routes/x', { enabled: false }],
      [['keys', 'revoke', 'x'], 'POST', '/admin/keys/x/revoke', undefined],
      [['tokens', 'revoke', 'x'], 'POST', '/admin/tokens/x/revoke', undefined],
    ] as const) {
      const cli = new CliFixture();
      cli.api.add(argv[0], { name: 'x' });
      const { code, stderr } = await cli.run(argv);
      assert.equal(code, 0, stderr);
      assert.deepEqual(
        cli.api.seen.map((seen) => [seen.method, seen.path, seen.body]),
        [[method, path, body]],
      );
    }
  });
});

describe('delete', () => {
  it('asks on a terminal, and takes only yes for yes', async () => {
    for (const [typed, remaining] of [
      ['y\n', 0],
      ['YES\r\n', 0],
      ['n\n', 1],
      ['\n', 1],
      ['yesterday\n', 1],
      ['', 1],
    ] as const) {
      const cli = new CliFixture();
      cli.api.add('keys', { name: 'x' });
      const { code, stderr } = await cli.run(['keys', 'delete', 'x'], { terminal: { columns: 80 }, stdin: typed });
      assert.match(stderr, /Delete key x\? \[y\/N\]/);
      assert.equal(cli.api.all('keys').length, remaining, JSON.stringify(typed));
      assert.equal(code, remaining);
    }
  });

  it('does not ask with --yes, nor without a terminal', async () => {
    for (const terminal of [{ columns: 80 }, undefined]) {
      const cli = new CliFixture();
      cli.api.add('keys', { name: 'x' });
      const argv = terminal === undefined ? ['keys', 'delete', 'x'] : ['keys', 'delete', 'x', '--yes'];
      const { code, stderr } = await cli.run(argv, terminal === undefined ? {} : { terminal });
      assert.equal(code, 0);
      assert.doesNotMatch(stderr, /\?/);
      assert.deepEqual(cli.api.all('keys'), []);
    }
  });

  it('of an upstream in use says what --cascade would do, and does it', async () => {
    const cli = new CliFixture();
    cli.api.add('upstreams', { name: 'u' });
    cli.api.refuseNext({ status: 409, code: 'conflict', title: 'Conflict', detail: 'Routes use it: a, b.' });
    const { code, stderr } = await cli.run(['upstreams', 'delete', 'u']);
    assert.equal(code, 5);
    assert.match(stderr, /Conflict: Routes use it: a, b\.\n {2}--cascade deletes the routes that use it too/);
    assert.equal((await cli.run(['upstreams', 'delete', 'u', '--cascade'])).code, 0);
    assert.deepEqual(cli.api.seen.at(-1)?.query, { cascade: 'true' });
  });
});

describe('names in paths', () => {
  it('are percent-encoded', async () => {
    const cli = new CliFixture();
    await cli.run(['upstreams', 'get', 'a/b?c#d e%']);
    assert.equal(cli.api.seen[0]?.path, '/admin/upstreams/a%2Fb%3Fc%23d%20e%25');
  });

  it('that would climb or be empty never leave', async () => {
    for (const name of ['', '.', '..']) {
      const cli = new CliFixture();
      assert.equal((await cli.run(['upstreams', 'delete', name])).code, 2);
      assert.deepEqual(cli.api.seen, []);
    }
  });
});

describe('list', () => {
  it('follows the pages to the end, with the filters on each', async () => {
    const cli = new CliFixture();
    cli.api.pageSize = 2;
    for (const name of ['a1', 'b', 'a2', 'a3', 'a4', 'a5']) cli.api.add('upstreams', { name, enabled: name !== 'a3' });
    const { stdout } = await cli.run(['upstreams', 'list', '--search', 'a', '--enabled', '-o', 'name']);
    assert.equal(stdout, 'a1\na2\na4\na5\n');
    assert.deepEqual(
      cli.api.seen.map(({ query }) => query),
      [
        { q: 'a', enabled: 'true', limit: '500' },
        { q: 'a', enabled: 'true', limit: '500', cursor: '2' },
      ],
    );
  });

  it('that is empty is [] in JSON and YAML, nothing as names, and a hint on standard error as a table', async () => {
    for (const kind of ['upstreams', 'routes', 'keys', 'tokens', 'admins']) {
      const cli = new CliFixture();
      assert.equal((await cli.run([kind, 'list', '-o', 'json'])).stdout, '[]\n');
      assert.equal((await cli.run([kind, 'list', '-o', 'yaml'])).stdout, '[]\n');
      assert.equal((await cli.run([kind, 'list', '-o', 'name'])).stdout, '');
      const { code, stdout, stderr } = await cli.run([kind, 'list']);
      assert.deepEqual([code, stdout], [0, '']);
      assert.match(stderr, new RegExp(`No ${kind} yet`));
    }
  });

  it('whose pages do not end is an error', async () => {
    const cli = new CliFixture();
    for (let i = 0; i < 2; i++) cli.api.answerNext(() => Response.json({ data: [], total: 9, next_cursor: 'same' }));
    const { code, stderr } = await cli.run(['keys', 'list']);
    assert.equal(code, 1);
    assert.match(stderr, /do not end/);
  });

  it('of routes and keys shows names instead of ids', async () => {
    const cli = new CliFixture();
    const id = cli.api.add('upstreams', { name: 'billing' })['id'];
    const routeId = cli.api.add('routes', { name: 'invoices', upstream_id: id, methods: ['GET', 'PUT'] })['id'];
    cli.api.add('keys', { name: 'k', routes: [routeId], revoked_at: '2026-01-01T00:00:00.000Z', last_used_at: '2026-01-02T03:04:05.678Z' });
    cli.api.add('keys', { name: 'old', expires_at: '2020-01-01T00:00:00.000Z' });
    assert.match((await cli.run(['routes', 'list'])).stdout, /invoices +\* +\/ +prefix +GET,PUT +billing +API key +0 +yes +rt_/);
    const keys = (await cli.run(['keys', 'list'])).stdout;
    assert.match(keys, /^k +ak_123456789 +invoices +- +revoked +- +2026-01-02 03:04:05Z +key_/m);
    assert.match(keys, /^old +ak_123456789 +all +- +expired +2020-01-01 00:00:00Z +- +key_/m);
  });
});

describe('a change', () => {
  it('on the local database waits until a running gateway serves it', async () => {
    for (const [outcome, warns] of [
      ['served', false],
      ['no-gateway', false],
      ['timeout', true],
    ] as const) {
      const cli = new CliFixture();
      const { code, stderr } = await cli.run(upstream, { waitUntilServed: outcome });
      assert.equal(code, 0);
      assert.deepEqual(cli.awaited, [1]);
      assert.equal(stderr.includes('Warning: the change is stored, but the running gateway has not taken it up within 2 s'), warns);
    }
  });

  it('whose being served cannot be found out still shows its answer', async () => {
    const { code, stdout, stderr } = await new CliFixture().run(['keys', 'create', '--name', 'k'], {
      waitUntilServed: new Error('disk I/O error'),
    });
    assert.deepEqual([code, stdout], [0, `${madeKey}\n`]);
    assert.match(stderr, /Warning: the change is stored, but whether a gateway serves it is not known: disk I\/O error/);
  });

  it('that the API warns of is told on standard error', async () => {
    const cli = new CliFixture();
    cli.api.warnings = ['shadowed by "other"', 'esc \u001b[31m'];
    const { stdout, stderr } = await cli.run([...route, '-o', 'json']);
    assert.match(stderr, /^Warning: shadowed by "other"\nWarning: esc \\u001b\[31m$/m);
    assert.doesNotThrow(() => JSON.parse(stdout));
  });
});
