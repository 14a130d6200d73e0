import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../errors/gateway-error.ts';
import { CliFixture } from './cli-fixture.ts';

const create = ['upstreams', 'create', '--name', 'u', '--url', 'http://b'];

describe('exit codes', () => {
  it('0: done, and help or version that was asked for', async () => {
    for (const argv of [
      [],
      ['--help'],
      ['-h'],
      ['help'],
      ['help', 'routes', 'create'],
      ['routes', '--help'],
      ['routes', 'create', '--help'],
      ['--version'],
      ['version'],
      ['upstreams', 'list'],
    ]) {
      const { code, stdout, stderr } = await new CliFixture().run(argv);
      assert.equal(code, 0, argv.join(' '));
      assert.ok(stdout.length > 0 || stderr.startsWith('No upstreams'), argv.join(' '));
    }
  });

  it('1: what the CLI cannot mend', async () => {
    for (const [status, codeName] of [
      [500, 'internal_error'],
      [503, 'storage_unavailable'],
      [429, 'too_many_attempts'],
      [400, 'malformed_json'],
    ] as const) {
      const cli = new CliFixture();
      cli.api.refuseNext({ status, code: codeName });
      assert.equal((await cli.run(create)).code, 1);
    }
    assert.equal((await new CliFixture().run(create, { openError: new Error('no database at apigate.db') })).code, 1);
  });

  it('2: wrong usage, with the reason and what to look at, and no request', async () => {
    for (const [argv, expected] of [
      [['nonsense'], /unknown command 'nonsense'/],
      [['upstrems', 'list'], /Did you mean upstreams\?/],
      [['upstreams'], /Usage: apigate upstreams/],
      [['upstreams', 'lst'], /Did you mean list\?/],
      [['upstreams', 'create'], /--name and --url are required/],
      [['upstreams', 'create', '--name', 'x'], /--url is required/],
      [['upstreams', 'create', '--nam', 'x'], /unknown option '--nam'[^]*Did you mean --name\?/],
      [['upstreams', 'create', '--name'], /argument missing/],
      [['upstreams', 'get'], /missing required argument 'id'/],
      [['upstreams', 'get', 'a', 'b'], /too many arguments/],
      [['upstreams', 'list', '-o', 'xml'], /Allowed choices are table, json, yaml, name/],
      [[...create, '--timeout', '30s'], /--timeout .*Give it in milliseconds: 30000/],
      [[...create, '--timeout', '5m'], /Give it in milliseconds: 300000/],
      [[...create, '--timeout', '1.5'], /--timeout .*not a whole number/],
      [[...create, '--timeout', '1e9'], /--timeout .*not a whole number/],
      [[...create, '--timeout', 'NaN'], /--timeout .*not a whole number/],
      [[...create, '--timeout', ''], /--timeout .*not a whole number/],
      [[...create, '--max-idle-conns', 'many'], /--max-idle-conns .*not a whole number/],
      [[...create, '--auth-type', 'digest'], /--auth-type .*none, bearer, header, basic/],
      [[...create, '--enabled', '--disabled'], /--enabled.* cannot be used with .*--disabled/],
      [[...create, '--preserve-host=maybe'], /--preserve-host takes true or false, not "maybe"/],
      [[...create, '--tls-ca', '/nowhere/ca.pem'], /--tls-ca: .*ENOENT/],
      [
        ['routes', 'create', '--name', 'r', '--path', '/', '--upstream', 'u', '--header', 'no colon'],
        /--header .*Write it as in 'X-API-Version: 2'/,
      ],
      [['routes', 'create', '--name', 'r', '--path', '/', '--upstream', 'u', '--match', 'glob'], /exact, prefix, regex/],
      [['keys', 'create', '--name', 'k', '--expires-in', '90'], /Write it as in 12h, 90d/],
      [['keys', 'create', '--name', 'k', '--expires-in', '0d'], /Write it as in 12h, 90d/],
      [['keys', 'create', '--name', 'k', '--expires-at', '2027-02-30'], /Write it as in 2027-01-31/],
      [['keys', 'create', '--name', 'k', '--expires-at', '2027-01-31T12:00'], /Write it as in 2027-01-31/],
      [['keys', 'create', '--name', 'k', '--expires-at', 'never', '--expires-in', '1d'], /cannot be used with/],
      [['keys', 'create', '--name', 'k', '--rate-limit', '0'], /revoke its key/],
      [['tokens', 'create', '--name', 't', '--scope', 'root'], /read, write, admin/],
      [['completion', 'tcsh'], /bash, zsh, fish/],
    ] as const) {
      const cli = new CliFixture();
      const { code, stdout, stderr } = await cli.run(argv);
      assert.equal(code, 2, argv.join(' '));
      assert.equal(stdout, '', argv.join(' '));
      assert.match(stderr, expected);
      assert.deepEqual(cli.api.seen, []);
    }
  });

  it('2: flags that the gateway refuses, each by its name', async () => {
    const cli = new CliFixture();
    cli.api.refuseNext({
      status: 422,
      code: 'validation_failed',
      title: 'Validation failed',
      detail: 'Some fields are not valid.',
      request_id: 'req-7',
      errors: [
        { field: 'timeout_ms', message: 'must be from 1 to 86400000' },
        { field: 'base_url', message: 'must be http or https' },
        { field: 'idle_conn_timeout_ms', message: 'a' },
        { field: 'auth_value', message: 'b' },
        { field: 'tls_ca', message: 'c' },
        { field: 'enabled', message: 'd' },
        { field: 'mystery', message: 'e \u001b[2J' },
      ],
    });
    const { code, stdout, stderr } = await cli.run(create);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.equal(
      stderr,
      [
        'Error: Validation failed: Some fields are not valid.',
        '  --timeout: must be from 1 to 86400000',
        '  --url: must be http or https',
        '  --idle-conn-timeout: a',
        '  --auth-value: b',
        '  --tls-ca: c',
        '  --enabled: d',
        '  mystery: e \\u001b[2J',
        '  Request id: req-7',
        '',
      ].join('\n'),
    );
  });

  it('2: fields inside of fields lead to the flag that holds them', async () => {
    const cli = new CliFixture();
    cli.api.refuseNext({
      status: 422,
      code: 'validation_failed',
      errors: [
        { field: 'headers.0.value', message: 'no' },
        { field: 'upstream_id', message: 'unknown' },
      ],
    });
    const { code, stderr } = await cli.run(['routes', 'create', '--name', 'r', '--path', '/', '--upstream', 'u']);
    assert.equal(code, 2);
    assert.match(stderr, /--header \(headers\.0\.value\): no\n {2}--upstream: unknown/);
  });

  it('2: settings that are wrong, all of them', async () => {
    const { code, stderr } = await new CliFixture().run(['upstreams', 'list'], { env: { APIGATE_SERVER_PORT: 'x', APIGATE_WORKRES: '2' } });
    assert.equal(code, 2);
    assert.match(stderr, /^Error: 2 settings are wrong$/m);
    assert.match(stderr, /server_port \(environment APIGATE_SERVER_PORT\)/);
    assert.match(stderr, /did you mean APIGATE_WORKERS\?/);
  });

  it('3: not found', async () => {
    const { code, stderr } = await new CliFixture().run(['upstreams', 'get', 'nobody']);
    assert.equal(code, 3);
    assert.match(stderr, /Not found: There is no such resource\.\n {2}Request id: req-404/);
  });

  it('4: not authorised', async () => {
    for (const [status, name] of [
      [401, 'unauthenticated'],
      [403, 'forbidden'],
    ] as const) {
      const cli = new CliFixture();
      cli.api.refuseNext({ status, code: name });
      assert.equal((await cli.run(create)).code, 4);
    }
  });

  it('5: conflict', async () => {
    for (const [status, name] of [
      [409, 'conflict'],
      [412, 'precondition_failed'],
    ] as const) {
      const cli = new CliFixture();
      cli.api.refuseNext({ status, code: name });
      assert.equal((await cli.run(create)).code, 5);
    }
  });

  it('6: server unreachable', async () => {
    const cli = new CliFixture();
    const env = { APIGATE_TOKEN: 'agt_x' };
    const server = await cli.api.listen();
    await cli.api[Symbol.asyncDispose]();
    const { code, stderr } = await cli.run(['upstreams', 'list', '--server', server], { env });
    assert.equal(code, 6);
    assert.match(stderr, /cannot reach http:\/\/127\.0\.0\.1:\d+: connection refused/);
    const reserved = await cli.run(['upstreams', 'list', '--server', 'http://127.0.0.1:6000'], { env });
    assert.equal(reserved.code, 6);
    assert.match(reserved.stderr, /a port that HTTP clients refuse to use/);
  });

  it("an error of opening the database is told in its own words, with its status's code", async () => {
    const { code, stderr } = await new CliFixture().run(create, {
      openError: new GatewayError('wrong_secret_key', { detail: 'Sealed with key 1a2b.' }),
    });
    assert.equal(code, 1);
    assert.equal(stderr, 'Error: Sealed with key 1a2b.\n');
  });

  it('a defect shows where it is', async () => {
    const { code, stderr } = await new CliFixture().run(create, { openError: new TypeError('x is not a function') });
    assert.equal(code, 1);
    assert.match(stderr, /x is not a function\n[^]*at /);
  });
});
