import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { DescribedSetting } from '../settings/describe-settings.ts';
import { settingKeys, settingRow } from '../settings/settings-table.ts';
import type { Settings } from '../settings/settings.ts';
import { CliFixture } from './cli-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'apigate-cli-'));
after(() => rmSync(folder, { recursive: true }));

interface Served {
  readonly code: number;
  readonly stderr: string;
  readonly settings: Settings | undefined;
  readonly demo: boolean | undefined;
}

async function serve(argv: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = '/srv'): Promise<Served> {
  let settings: Settings | undefined;
  let demo: boolean | undefined;
  const { code, stderr } = await new CliFixture().run(['serve', ...argv], {
    env,
    cwd,
    serve: (given, options) => {
      settings = given;
      demo = options.demo;
      return Promise.resolve(7);
    },
  });
  return { code, stderr, settings, demo };
}

describe('serve', () => {
  it('hands over the settings, and its exit code is the gateway’s', async () => {
    const { code, settings, demo } = await serve([]);
    assert.equal(code, 7);
    assert.equal(demo, false);
    assert.equal(settings?.server.port, 8080);
    assert.equal(settings.database.path, '/srv/apigate.db');
  });

  it('understands every flag of the settings table', async () => {
    const { settings } = await serve([
      '--host',
      '127.0.0.1',
      '--port',
      '9000',
      '--admin-listen',
      '127.0.0.1:9001',
      '--database',
      'a.db',
      '--upstream',
      'http://b',
      '--public',
      '--workers',
      '3',
      '--log-level',
      'debug',
      '--log-format',
      'text',
      '--tls-cert',
      'c.pem',
      '--tls-key',
      'k.pem',
      '--tls-port',
      '9443',
    ]);
    const flags = settingKeys.filter((key) => settingRow(key).flag !== undefined);
    assert.deepEqual(
      flags.map((key) => settings?.origins[key].kind),
      flags.map(() => 'flag'),
    );
    assert.deepEqual([settings?.server.host, settings?.server.port, settings?.server.workers], ['127.0.0.1', 9000, 3]);
    assert.deepEqual(settings?.admin.listen, { host: '127.0.0.1', port: 9001 });
    assert.deepEqual(settings?.defaultUpstream, { url: 'http://b', public: true });
    assert.deepEqual(settings?.tls, { cert: '/srv/c.pem', key: '/srv/k.pem', port: 9443 });
    assert.deepEqual(settings?.log, { level: 'debug', format: 'text' });
    assert.equal(settings?.database.path, '/srv/a.db');
  });

  it('a flag beats the environment, also where it says no', async () => {
    const env = { APIGATE_SERVER_PORT: '9000', APIGATE_UPSTREAM_URL: 'http://b', APIGATE_UPSTREAM_PUBLIC: 'true' };
    assert.equal((await serve(['--port', '9001'], env)).settings?.server.port, 9001);
    assert.equal((await serve([], env)).settings?.defaultUpstream?.public, true);
    for (const no of ['--public=false', '--no-public']) assert.equal((await serve([no], env)).settings?.defaultUpstream?.public, false);
  });

  it('--demo is passed on, and excludes a database', async () => {
    assert.equal((await serve(['--demo'])).demo, true);
    const { code, stderr } = await serve(['--demo', '--database', 'x.db']);
    assert.equal(code, 2);
    assert.match(stderr, /--demo uses a temporary database/);
  });

  it('does not start with wrong settings', async () => {
    const { code, settings, stderr } = await serve(['--port', '70000'], { APIGATE_FOO: '1' });
    assert.deepEqual([code, settings], [2, undefined]);
    assert.match(stderr, /2 settings are wrong\n.*\n.*server_port \(flag --port\): 70000 is out of range|2 settings are wrong/);
  });

  it('tells warnings about the settings', async () => {
    writeFileSync(join(folder, 'apigate.yaml'), 'secret_key: canary\n', { mode: 0o644 });
    const { code, stderr } = await serve([], {}, folder);
    assert.equal(code, 7);
    assert.match(stderr, /^Warning: .*others may open it/);
    assert.doesNotMatch(stderr, /canary/);
  });

  it('has a help text for every flag', async () => {
    const { stdout } = await new CliFixture().run(['serve', '--help']);
    for (const key of settingKeys) {
      const { flag } = settingRow(key);
      if (flag !== undefined) assert.ok(stdout.includes(`--${flag}`), flag);
    }
  });
});

describe('settings show', () => {
  it('prints every value with its origin, secrets masked', async () => {
    const env = {
      APIGATE_SECRET_KEY: 'canary-1',
      APIGATE_ADMIN_EMAIL: 'a@b',
      APIGATE_ADMIN_PASSWORD: 'canary-2',
      APIGATE_TRUSTED_PROXIES: '10.0.0.0/8',
    };
    const cli = new CliFixture();
    const table = await cli.run(['settings', 'show', '--port', '9000'], { env });
    assert.equal(table.code, 0, table.stderr);
    assert.match(table.stdout, /^server_port +9000 +flag --port$/m);
    assert.match(table.stdout, /^secret_key +\*{8} +environment APIGATE_SECRET_KEY$/m);
    assert.match(table.stdout, /^trusted_proxies +10\.0\.0\.0\/8 +environment APIGATE_TRUSTED_PROXIES$/m);
    assert.match(table.stdout, /^tls_cert +unset +default$/m);
    const json = await cli.run(['settings', 'show', '-o', 'json'], { env });
    const described = JSON.parse(json.stdout) as DescribedSetting[];
    assert.deepEqual(
      described.map(({ key }) => key),
      [...settingKeys],
    );
    assert.equal(described.find(({ key }) => key === 'admin_password')?.value, '********');
    assert.doesNotMatch(table.stdout + json.stdout + table.stderr, /canary/);
  });
});

describe('version', () => {
  it('is printed for people and for programs', async () => {
    const cli = new CliFixture();
    assert.match((await cli.run(['version'])).stdout, /^apigate 1\.2\.3 \(Node\.js \d+\.\d+\.\d+, \w+-\w+\)\n$/);
    assert.equal((await cli.run(['--version'])).stdout, 'apigate 1.2.3\n');
    assert.equal((JSON.parse((await cli.run(['version', '-o', 'json'])).stdout) as { version: string }).version, '1.2.3');
  });
});
