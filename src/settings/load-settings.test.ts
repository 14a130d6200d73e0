// Longer than 300 lines: every row of the settings table, from every source, stands in one place.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { describeSettings } from './describe-settings.ts';
import { loadSettings, type SettingsSources } from './load-settings.ts';
import { SettingsError, type SettingsProblem } from './settings-error.ts';
import { environmentName, settingKeys, settingRow, type SettingKey } from './settings-table.ts';
import { originText, type Settings } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'apigate-settings-'));
after(() => rmSync(folder, { recursive: true }));
let folders = 0;

/** A working directory of its own for each test, with a settings file in it when `yaml` is given. */
function directory(yaml?: string): string {
  const path = join(folder, String(folders++));
  mkdirSync(path);
  if (yaml !== undefined) writeFileSync(join(path, 'apigate.yaml'), yaml, { mode: 0o600 });
  return path;
}

function load(sources: Partial<SettingsSources>): Settings {
  return loadSettings({ env: {}, cwd: sources.cwd ?? directory(), ...sources });
}

function problemsOf(sources: Partial<SettingsSources>): readonly SettingsProblem[] {
  try {
    load(sources);
  } catch (error) {
    assert.ok(error instanceof SettingsError, String(error));
    assert.notEqual(error.problems.length, 0);
    return error.problems;
  }
  assert.fail('the settings were accepted');
}

interface Row {
  /** What the typed object holds, from which place. */
  readonly read: (settings: Settings) => unknown;
  readonly initial: unknown;
  /** Three different values, as text, with what they mean. */
  readonly values: readonly [readonly [string, unknown], readonly [string, unknown], readonly [string, unknown]];
  readonly bad: readonly string[];
  /** What has to be set too, for it to make sense. */
  readonly needs?: Readonly<Record<string, string>>;
}

const loopback = [
  { address: '127.0.0.0', prefix: 8, family: 'ipv4' },
  { address: '::1', prefix: 128, family: 'ipv6' },
];
const one = (address: string, prefix: number, family = 'ipv4'): object[] => [{ address, prefix, family }];
const tls = { APIGATE_TLS_CERT: '/c.pem', APIGATE_TLS_KEY: '/k.pem' };

const rows: Readonly<Record<SettingKey, Row>> = {
  server_host: {
    read: (s) => s.server.host,
    initial: '0.0.0.0',
    values: [
      ['127.0.0.1', '127.0.0.1'],
      ['[::1]', '::1'],
      ['Gateway.Local', 'gateway.local'],
    ],
    bad: ['*', 'a b', '1.2.3', 'host:80', '-x', 'http://h'],
  },
  server_port: {
    read: (s) => s.server.port,
    initial: 8080,
    values: [
      ['1', 1],
      ['65535', 65_535],
      ['0', 0],
    ],
    bad: ['65536', '-1', '80.5', 'http', '8080x', '0x50', 'tcp://10.0.0.1:8080'],
    needs: tls,
  },
  admin_listen: {
    read: (s) => s.admin.listen,
    initial: null,
    values: [
      ['127.0.0.1:8081', { host: '127.0.0.1', port: 8081 }],
      ['[::1]:0', { host: '::1', port: 0 }],
      ['localhost:9', { host: 'localhost', port: 9 }],
    ],
    bad: ['8081', ':8081', '127.0.0.1', '127.0.0.1:65536', '::1:80', 'a b:80'],
  },
  database_dsn: {
    read: (s) => s.database.path,
    initial: 'apigate.db',
    values: [
      ['/var/a.db', '/var/a.db'],
      ['/b.db', '/b.db'],
      ['/c d.db', '/c d.db'],
    ],
    bad: ['postgres://h/db', 'postgresql://h/db', 'mysql://h/db', ':memory:', 'file:x.db'],
  },
  upstream_url: {
    read: (s) => s.defaultUpstream?.url ?? null,
    initial: null,
    values: [
      ['http://a:3000', 'http://a:3000'],
      ['https://b/api', 'https://b/api'],
      ['http://[::1]:9/', 'http://[::1]:9/'],
    ],
    bad: ['a:3000', 'localhost:3000', 'ftp://a', 'ws://a', 'http://u:p@a', 'http://a?x', 'http://a#x', 'http://'],
  },
  upstream_public: {
    read: (s) => s.defaultUpstream?.public ?? false,
    initial: false,
    values: [
      ['true', true],
      ['no', false],
      ['1', true],
    ],
    bad: ['maybe', '2', 'tru'],
    needs: { APIGATE_UPSTREAM_URL: 'http://a' },
  },
  workers: {
    read: (s) => s.server.workers,
    initial: Math.min(256, availableParallelism()),
    values: [
      ['1', 1],
      ['256', 256],
      ['7', 7],
    ],
    bad: ['0', '257', 'auto', '1.5', '-1'],
  },
  log_level: {
    read: (s) => s.log.level,
    initial: 'info',
    values: [
      ['debug', 'debug'],
      ['WARN', 'warn'],
      ['silent', 'silent'],
    ],
    bad: ['warning', 'loud', '3'],
  },
  log_format: {
    read: (s) => s.log.format,
    initial: 'json',
    values: [
      ['text', 'text'],
      ['json', 'json'],
      ['TEXT', 'text'],
    ],
    bad: ['pretty', 'xml'],
  },
  secret_key: {
    read: (s) => s.secrets.secretKey,
    initial: null,
    values: [
      ['k1', 'k1'],
      ['k2', 'k2'],
      ['0123', '0123'],
    ],
    bad: [],
  },
  admin_email: {
    read: (s) => s.admin.firstEmail,
    initial: null,
    values: [
      ['a@b.example', 'a@b.example'],
      ['c@d', 'c@d'],
      ['e@f.example', 'e@f.example'],
    ],
    bad: ['ops', 'a b@c', '@x', 'x@'],
    needs: { APIGATE_ADMIN_PASSWORD: 'pw' },
  },
  admin_password: {
    read: (s) => s.secrets.firstAdminPassword,
    initial: null,
    values: [
      ['one', 'one'],
      ['007', '007'],
      ['true', 'true'],
    ],
    bad: [],
    needs: { APIGATE_ADMIN_EMAIL: 'a@b' },
  },
  trusted_proxies: {
    read: (s) => s.server.trustedProxies,
    initial: [],
    values: [
      ['10.0.0.0/8', one('10.0.0.0', 8)],
      ['192.0.2.7', one('192.0.2.7', 32)],
      ['fd00::/8', one('fd00::', 8, 'ipv6')],
    ],
    bad: ['10.0.0.5/8', '10.0.0.0/33', '10.0.0', 'proxy', 'fe80::1%eth0', '::ffff:10.0.0.0/104', '10.0.0.0/8/8', '10.0.0.0/', 'fd00::1/8'],
  },
  drain_timeout: {
    read: (s) => s.shutdown.drainTimeoutMs,
    initial: 30_000,
    values: [
      ['500ms', 500],
      ['5m', 300_000],
      ['1m30s', 90_000],
    ],
    bad: ['30', '30 s', '5min', '-1s', '25h', 's', '1e3ms'],
  },
  shutdown_delay: {
    read: (s) => s.shutdown.delayMs,
    initial: 0,
    values: [
      ['0', 0],
      ['1.5s', 1500],
      ['1h', 3_600_000],
    ],
    bad: ['10', 'soon'],
  },
  admin_allow: {
    read: (s) => s.admin.allow,
    initial: [
      ...loopback,
      ...one('10.0.0.0', 8),
      ...one('172.16.0.0', 12),
      ...one('192.168.0.0', 16),
      ...one('fc00::', 7, 'ipv6'),
      ...one('fe80::', 10, 'ipv6'),
    ],
    values: [
      ['loopback', loopback],
      ['any', [...one('0.0.0.0', 0), ...one('::', 0, 'ipv6')]],
      ['192.0.2.0/24', one('192.0.2.0', 24)],
    ],
    bad: ['everyone', 'loopbak', '10.0.0.5/8'],
  },
  admin_hosts: {
    read: (s) => s.admin.hosts,
    initial: [],
    values: [
      ['gw.example.com', ['gw.example.com']],
      ['A.example.', ['a.example']],
      ['x', ['x']],
    ],
    bad: ['gw.example.com:8080', 'http://gw', '*.example.com'],
  },
  tls_cert: {
    read: (s) => s.tls?.cert ?? null,
    initial: null,
    values: [
      ['/a.pem', '/a.pem'],
      ['/b.pem', '/b.pem'],
      ['/c.pem', '/c.pem'],
    ],
    bad: ['-----BEGIN CERTIFICATE-----'],
    needs: { APIGATE_TLS_KEY: '/k.pem' },
  },
  tls_key: {
    read: (s) => s.tls?.key ?? null,
    initial: null,
    values: [
      ['/a.pem', '/a.pem'],
      ['/b.pem', '/b.pem'],
      ['/c.pem', '/c.pem'],
    ],
    bad: ['-----BEGIN PRIVATE KEY-----'],
    needs: { APIGATE_TLS_CERT: '/c.pem' },
  },
  tls_port: {
    read: (s) => s.tls?.port ?? null,
    initial: null,
    values: [
      ['443', 443],
      ['1', 1],
      ['65535', 65_535],
    ],
    bad: ['0', '65536', 'https'],
    needs: tls,
  },
  max_connections: {
    read: (s) => s.limits.maxConnections,
    initial: 20_000,
    values: [
      ['1', 1],
      ['1000000', 1_000_000],
      ['5', 5],
    ],
    bad: ['0', '1000001', 'many'],
  },
  max_body: {
    read: (s) => s.limits.maxBody,
    initial: 0,
    values: [
      ['0', 0],
      ['1048576', 1_048_576],
      ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ],
    bad: ['10MB', '-1', '9007199254740992', '1e6'],
  },
  max_head: {
    read: (s) => s.limits.maxHead,
    initial: 16_384,
    values: [
      ['8192', 8192],
      ['1048576', 1_048_576],
      ['32768', 32_768],
    ],
    bad: ['1023', '1048577', '16k'],
  },
  max_headers: {
    read: (s) => s.limits.maxHeaders,
    initial: 100,
    values: [
      ['10', 10],
      ['10000', 10_000],
      ['50', 50],
    ],
    bad: ['9', '10001', '0'],
  },
  max_target: {
    read: (s) => s.limits.maxTarget,
    initial: 8192,
    values: [
      ['256', 256],
      ['16384', 16_384],
      ['4096', 4096],
    ],
    bad: ['255', '1048577', '8k'],
  },
  websocket_idle: {
    read: (s) => s.limits.websocketIdleMs,
    initial: 300_000,
    values: [
      ['0', 0],
      ['1500ms', 1500],
      ['1h', 3_600_000],
    ],
    bad: ['300', '-1s', 'never', '25h'],
  },
  transform_body_limit: {
    read: (s) => s.transform.bodyLimit,
    initial: 1_048_576,
    values: [
      ['1024', 1024],
      ['2097152', 2_097_152],
      ['67108864', 67_108_864],
    ],
    bad: ['0', '1023', '67108865', '1M'],
  },
  transform_env: {
    read: (s) => s.transform.env,
    initial: [],
    values: [
      ['REGION', ['REGION']],
      ['REGION, _stage2', ['REGION', '_stage2']],
      ['A B', ['A', 'B']],
    ],
    bad: ['2X', 'A-B', '${REGION}', 'APIGATE_SECRET_KEY', 'A=B'],
  },
  dns_servers: {
    read: (s) => s.dnsServers,
    initial: null,
    values: [
      ['10.0.0.2', ['10.0.0.2']],
      ['10.0.0.2:5353', ['10.0.0.2:5353']],
      ['[fd00::1]:53', ['[fd00::1]:53']],
    ],
    bad: ['dns.example', '10.0.0.2:0', '10.0.0.2:65536', '[10.0.0.2]:53', '1.2.3'],
  },
};

function yamlLine(key: string, text: string): string {
  return `${key}: ${JSON.stringify(text)}\n`;
}

describe('every setting', () => {
  it('is in this table', () => {
    assert.deepEqual(Object.keys(rows), [...settingKeys]);
  });

  for (const key of settingKeys) {
    const { read, initial, values, bad, needs = {} } = rows[key];
    const name = environmentName(key);
    const { flag, placeholder, secret } = settingRow(key);
    const [[first, firstValue], [second, secondValue], [third, thirdValue]] = values;

    it(`${key}: default`, () => {
      const cwd = directory();
      const settings = load({ cwd });
      assert.deepEqual(read(settings), key === 'database_dsn' ? join(cwd, 'apigate.db') : initial);
      assert.deepEqual(settings.origins[key], { kind: 'default' });
    });

    it(`${key}: from the file, the environment, a file that the environment names, and the flag, the later beating the earlier`, () => {
      const valueFile = join(directory(), 'value');
      const cwd = directory(yamlLine(key, first));
      const others = { ...needs };
      delete others[name];
      for (const [text, value] of values) {
        const fromFile = load({ cwd: directory(yamlLine(key, text)), env: others });
        assert.deepEqual(read(fromFile), value, `file: ${text}`);
        assert.equal(fromFile.origins[key].kind, 'file');
        const fromEnvironment = load({ env: { ...others, [name]: text } });
        assert.deepEqual(read(fromEnvironment), value, `environment: ${text}`);
        assert.deepEqual(fromEnvironment.origins[key], { kind: 'environment', name });
        writeFileSync(valueFile, `${text}\n`);
        const fromValueFile = load({ env: { ...others, [`${name}_FILE`]: valueFile } });
        assert.deepEqual(read(fromValueFile), value, `value file: ${text}`);
        assert.deepEqual(fromValueFile.origins[key], { kind: 'environment', name: `${name}_FILE`, file: valueFile });
        if (flag === undefined) continue;
        const fromFlag = load({ env: others, flags: { [flag]: placeholder === undefined ? value === true : text } });
        assert.deepEqual(read(fromFlag), value, `flag: ${text}`);
        assert.deepEqual(fromFlag.origins[key], { kind: 'flag', flag });
      }

      assert.deepEqual(read(load({ cwd, env: others })), firstValue);
      assert.deepEqual(read(load({ cwd, env: { ...others, [name]: second } })), secondValue);
      if (flag !== undefined) {
        const flagValue = placeholder === undefined ? thirdValue === true : third;
        assert.deepEqual(read(load({ cwd, env: { ...others, [name]: second }, flags: { [flag]: flagValue } })), thirdValue);
      }
      assert.deepEqual(read(load({ cwd, env: { ...others, [name]: '' } })), firstValue, 'an empty variable counts as unset');
    });

    it(`${key}: a value that cannot be used is an error that names key, source and what to write`, () => {
      for (const text of bad) {
        const sources: readonly (readonly [string, Partial<SettingsSources>])[] = [
          ['line 1', { cwd: directory(yamlLine(key, text)), env: needs[name] === undefined ? needs : {} }],
          [`environment ${name}`, { env: { ...needs, [name]: text } }],
          ...(flag === undefined || placeholder === undefined
            ? []
            : [[`flag --${flag}`, { env: needs, flags: { [flag]: text } }] as const]),
        ];
        for (const [source, given] of sources) {
          const problem = problemsOf(given).find((each) => each.key === key);
          assert.ok(problem, `${text} from ${source}`);
          assert.ok(problem.source.includes(source), `${problem.source} names ${source}`);
          assert.ok((problem.suggestion ?? '').length > 0, `a suggestion for ${text}`);
          assert.ok(problem.message.length > 0);
        }
      }
    });

    it(`${key}: both the variable and its _FILE form are refused`, () => {
      const [problem] = problemsOf({ env: { ...needs, [name]: first, [`${name}_FILE`]: '/nowhere' } });
      assert.equal(problem?.key, key);
      assert.match(problem.message, /_FILE is set too/);
    });

    it(`${key}: a value file that is missing, empty or no text is an error without the content`, () => {
      const binary = join(directory(), 'binary');
      writeFileSync(binary, Buffer.from([0x73, 0xff, 0xfe]));
      const empty = join(directory(), 'empty');
      writeFileSync(empty, '\n');
      for (const [path, expected] of [
        ['/nowhere/value', /cannot be read \(ENOENT\)/],
        [binary, /not UTF-8/],
        [empty, /is empty/],
      ] as const) {
        const problem = problemsOf({ env: { [`${name}_FILE`]: path } }).find((each) => each.key === key);
        assert.match(problem?.message ?? '', expected);
        assert.equal(problem?.source, `environment ${name}_FILE`);
      }
    });

    it(`${key}: is described, ${secret ? 'masked' : 'as it is'}, with its origin`, () => {
      const shown = describeSettings(load({ env: { ...needs, [name]: first } })).find((each) => each.key === key);
      assert.equal(shown?.origin, `environment ${name}`);
      assert.equal(shown.environment, name);
      assert.equal(shown.flag, flag === undefined ? null : `--${flag}`);
      if (secret) assert.equal(shown.value, '********');
      else assert.notEqual(shown.value, null);
    });

    it(`${key}: what is described can be written into a file and means the same`, () => {
      if (secret) return;
      const before = load({ env: { ...needs, [name]: second } });
      const shown = describeSettings(before).find((each) => each.key === key)?.value;
      const after_ = load({ cwd: directory(`${key}: ${JSON.stringify(shown)}\n`), env: needs[name] === undefined ? needs : {} });
      assert.deepEqual(read(after_), read(before));
    });
  }
});

describe('lists', () => {
  it('are separated by commas or spaces in text, and sequences in the file', () => {
    const expected = [...one('10.0.0.0', 8), ...one('fd00::', 8, 'ipv6')];
    assert.deepEqual(load({ env: { APIGATE_TRUSTED_PROXIES: '10.0.0.0/8,fd00::/8' } }).server.trustedProxies, expected);
    assert.deepEqual(load({ env: { APIGATE_TRUSTED_PROXIES: ' 10.0.0.0/8  fd00::/8 ' } }).server.trustedProxies, expected);
    assert.deepEqual(load({ cwd: directory('trusted_proxies:\n  - 10.0.0.0/8\n  - "fd00::/8"\n') }).server.trustedProxies, expected);
    assert.deepEqual(load({ cwd: directory('trusted_proxies: [10.0.0.0/8, "fd00::/8"]\n') }).server.trustedProxies, expected);
  });

  it('may be empty, but not the one that would shut everybody out', () => {
    const settings = load({ cwd: directory('trusted_proxies: []\nadmin_hosts: []\n') });
    assert.deepEqual(settings.server.trustedProxies, []);
    assert.equal(settings.origins.trusted_proxies.kind, 'file');
    assert.match(problemsOf({ cwd: directory('admin_allow: []\n') })[0]?.message ?? '', /shut everybody out/);
  });

  it('fit only where a list is meant', () => {
    const [problem] = problemsOf({ cwd: directory('server_port: [8080]\n') });
    assert.equal(problem?.key, 'server_port');
    assert.match(problem.message, /list does not fit/);
  });
});

describe('unknown names', () => {
  it('in the environment are errors that suggest the nearest one', () => {
    const problems = problemsOf({ env: { APIGATE_SERVER_PROT: '1', APIGATE_LOGLEVEL: 'info', APIGATE_NONSENSE_XYZ: '1' } });
    assert.deepEqual(
      problems.map(({ key, suggestion }) => [key, suggestion]),
      [
        ['APIGATE_SERVER_PROT', 'did you mean APIGATE_SERVER_PORT?'],
        ['APIGATE_LOGLEVEL', 'did you mean APIGATE_LOG_LEVEL?'],
        ['APIGATE_NONSENSE_XYZ', 'unset it'],
      ],
    );
  });

  it('do not include what the CLI and other programs read', () => {
    assert.doesNotThrow(() =>
      load({
        env: {
          APIGATE_TOKEN: 'agt_x',
          APIGATE_TOKEN_FILE: '/x',
          APIGATE_SERVER: 'http://x',
          PATH: '/bin',
          NAPIGATE_X: '1',
          APIGATEWAY_X: '1',
        },
      }),
    );
  });

  it('do not include what Kubernetes sets for Services called apigate or apigate-admin', () => {
    assert.doesNotThrow(() =>
      load({
        env: {
          APIGATE_SERVICE_HOST: '10.0.0.1',
          APIGATE_SERVICE_PORT: '8080',
          APIGATE_SERVICE_PORT_HTTP: '8080',
          APIGATE_PORT: 'tcp://10.0.0.1:8080',
          APIGATE_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
          APIGATE_PORT_8080_TCP_PROTO: 'tcp',
          APIGATE_PORT_8080_TCP_PORT: '8080',
          APIGATE_PORT_8080_TCP_ADDR: '10.0.0.1',
          APIGATE_ADMIN_SERVICE_HOST: '10.0.0.2',
          APIGATE_ADMIN_PORT: 'tcp://10.0.0.2:8081',
        },
      }),
    );
    assert.match(problemsOf({ env: { APIGATE_PORT: '8080' } })[0]?.suggestion ?? '', /APIGATE_/);
    assert.match(problemsOf({ env: { APIGATE_SERVER_PORT: 'tcp://10.0.0.1:80' } })[0]?.suggestion ?? '', /enableServiceLinks/);
  });

  it('in the file are errors with line and suggestion', () => {
    const cwd = directory('server_port: 1\nsever_host: x\nserver:\n  port: 8080\n  host: x\nport: 80\nAPIGATE_WORKERS: 3\nzzz: 1\n');
    assert.deepEqual(
      problemsOf({ cwd }).map(({ key, source, suggestion }) => [key, source, suggestion]),
      [
        ['sever_host', `${cwd}/apigate.yaml line 2`, 'did you mean server_host?'],
        ['server', `${cwd}/apigate.yaml line 3`, 'keys are flat: write server_port, server_host'],
        ['port', `${cwd}/apigate.yaml line 6`, 'did you mean server_port?'],
        ['APIGATE_WORKERS', `${cwd}/apigate.yaml line 7`, 'did you mean workers?'],
        ['zzz', `${cwd}/apigate.yaml line 8`, 'see examples/apigate.yaml for all keys'],
      ],
    );
  });

  it('among flags are errors too', () => {
    assert.equal(problemsOf({ flags: { 'admin-lisen': 'x' } })[0]?.suggestion, 'did you mean --admin-listen?');
  });
});

describe('the settings file', () => {
  it('is apigate.yaml in the working directory, when there is one', () => {
    assert.equal(load({ cwd: directory('server_port: 9000\n') }).server.port, 9000);
    assert.equal(load({ cwd: directory() }).server.port, 8080);
    assert.equal(load({ cwd: directory('') }).server.port, 8080);
    assert.equal(load({ cwd: directory('# nothing\n') }).server.port, 8080);
  });

  it('is the one of --config instead, which must exist', () => {
    const cwd = directory('server_port: 9000\n');
    writeFileSync(join(cwd, 'other.yaml'), 'server_port: 9001\n');
    const settings = load({ cwd, flags: { config: 'other.yaml' } });
    assert.equal(settings.server.port, 9001);
    assert.equal(originText(settings.origins.server_port), `${cwd}/other.yaml line 1`);
    const [problem] = problemsOf({ cwd, flags: { config: 'none.yaml' } });
    assert.deepEqual([problem?.key, problem?.source], ['config', 'flag --config']);
    assert.match(problem?.message ?? '', /none\.yaml cannot be read \(ENOENT\)/);
  });

  it('means paths from its own folder, while flags and variables mean them from the working directory', () => {
    const cwd = directory();
    mkdirSync(join(cwd, 'etc'));
    writeFileSync(join(cwd, 'etc/a.yaml'), 'database_dsn: data/a.db\ntls_cert: c.pem\ntls_key: k.pem\n');
    const settings = load({ cwd, flags: { config: 'etc/a.yaml' } });
    assert.equal(settings.database.path, join(cwd, 'etc/data/a.db'));
    assert.deepEqual(settings.tls, { cert: join(cwd, 'etc/c.pem'), key: join(cwd, 'etc/k.pem'), port: 8443 });
    assert.equal(load({ cwd, flags: { config: 'etc/a.yaml', database: 'b.db' } }).database.path, join(cwd, 'b.db'));
    assert.equal(load({ cwd, env: { APIGATE_DATABASE_DSN: 'c.db' } }).database.path, join(cwd, 'c.db'));
  });

  it('keeps a plain value as it is written, whatever YAML takes it for', () => {
    const settings = load({ cwd: directory('secret_key: 0123\nadmin_password: 1e5\nadmin_email: "a@b"\n') });
    assert.deepEqual(settings.secrets, { secretKey: '0123', firstAdminPassword: '1e5' });
  });

  it('takes an empty value as not given, and follows anchors', () => {
    assert.equal(load({ cwd: directory('upstream_url:\nlog_level: ~\nserver_host: ""\n') }).server.host, '0.0.0.0');
    assert.equal(load({ cwd: directory('drain_timeout: &t 5s\nshutdown_delay: *t\n') }).shutdown.delayMs, 5000);
  });

  it('is refused where it is no YAML, no mapping, or says a key twice', () => {
    for (const [yaml, expected] of [
      ['server_port: [1\n', /not valid YAML/],
      ['server_port: 1\nserver_port: 2\n', /not valid YAML.*unique/],
      ['- server_port\n', /not a list of KEY: VALUE/],
      ['just text\n', /not a list of KEY: VALUE/],
      ['server_port:\n  deep: 1\n', /not a single value/],
    ] as const) {
      const [problem] = problemsOf({ cwd: directory(yaml) });
      assert.match(problem?.message ?? '', expected, yaml);
      assert.match(problem?.source ?? '', /apigate\.yaml/);
    }
  });

  it('with secrets that others may read is warned about', () => {
    const cwd = directory('secret_key: s3cret\n');
    assert.deepEqual(load({ cwd }).warnings, []);
    chmodSync(join(cwd, 'apigate.yaml'), 0o644);
    const { warnings } = load({ cwd });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /secret_key.*mode 644.*chmod 600/);
    assert.doesNotMatch(warnings[0] ?? '', /s3cret/);
  });
});

describe('settings that contradict each other', () => {
  for (const [what, env, key, expected] of [
    ['a certificate without key', { APIGATE_TLS_CERT: '/c' }, 'tls_cert', /set tls_key/],
    ['a key without certificate', { APIGATE_TLS_KEY: '/k' }, 'tls_key', /set tls_cert/],
    ['an HTTPS port without certificate', { APIGATE_TLS_PORT: '443' }, 'tls_port', /set tls_cert and tls_key/],
    ['no listener at all', { APIGATE_SERVER_PORT: '0' }, 'server_port', /give a port/],
    ['one port for HTTP and HTTPS', { ...tls, APIGATE_SERVER_PORT: '8443' }, 'server_port', /different ports/],
    ['one port for HTTPS and HTTP', { ...tls, APIGATE_TLS_PORT: '8080' }, 'tls_port', /different ports/],
    ['the admin on the traffic port', { APIGATE_ADMIN_LISTEN: '127.0.0.1:8080' }, 'admin_listen', /another port/],
    ['the admin on the HTTPS port', { ...tls, APIGATE_ADMIN_LISTEN: '[::]:8443' }, 'admin_listen', /another port/],
    ['public without upstream', { APIGATE_UPSTREAM_PUBLIC: 'true' }, 'upstream_public', /set upstream_url/],
    ['an admin without password', { APIGATE_ADMIN_EMAIL: 'a@b' }, 'admin_email', /set admin_password/],
    ['a password without admin', { APIGATE_ADMIN_PASSWORD: 'hunter22' }, 'admin_password', /set admin_email/],
    ['a target larger than the head', { APIGATE_MAX_TARGET: '20000' }, 'max_target', /at or below/],
    ['a head smaller than the target', { APIGATE_MAX_HEAD: '4096' }, 'max_head', /at or below/],
  ] as const) {
    it(`${what}: refused`, () => {
      const problems = problemsOf({ env });
      assert.equal(problems.length, 1);
      assert.equal(problems[0]?.key, key);
      assert.match(problems[0]?.suggestion ?? '', expected);
      assert.doesNotMatch(JSON.stringify(problems), /hunter22/);
    });
  }

  for (const [what, env, key] of [
    ['an upstream that cannot be read, and public', { APIGATE_UPSTREAM_URL: 'ftp://a', APIGATE_UPSTREAM_PUBLIC: 'true' }, 'upstream_url'],
    [
      'a port that cannot be read, and HTTPS on the default one',
      { ...tls, APIGATE_SERVER_PORT: 'x', APIGATE_TLS_PORT: '8080' },
      'server_port',
    ],
    ['a target that cannot be read, and a small head', { APIGATE_MAX_TARGET: 'x', APIGATE_MAX_HEAD: '4096' }, 'max_target'],
  ] as const) {
    it(`${what}: only what cannot be read is told`, () => {
      assert.deepEqual(
        problemsOf({ env }).map((problem) => problem.key),
        [key],
      );
    });
  }

  it('ports that only look alike are fine', () => {
    assert.doesNotThrow(() => load({ env: { APIGATE_SERVER_HOST: '192.0.2.1', APIGATE_ADMIN_LISTEN: '127.0.0.1:8080' } }));
    assert.deepEqual(load({ env: { ...tls, APIGATE_SERVER_PORT: '0' } }).tls?.port, 8443);
  });
});

describe('errors', () => {
  it('come all at once, from every source', () => {
    const cwd = directory('max_body: 10MB\nfoo: 1\n');
    const problems = problemsOf({ cwd, env: { APIGATE_DRAIN_TIMEOUT: '30', APIGATE_FOO: '1' }, flags: { port: 'x', workers: '0' } });
    assert.deepEqual(problems.map(({ key }) => key).toSorted(), [
      'APIGATE_FOO',
      'drain_timeout',
      'foo',
      'max_body',
      'server_port',
      'workers',
    ]);
    assert.equal(problems.find(({ key }) => key === 'max_body')?.suggestion, 'write it in bytes: 10485760');
    assert.equal(problems.find(({ key }) => key === 'drain_timeout')?.suggestion, 'give the unit too, as in 30s or 30ms');
  });

  it('concern only the value that would hold', () => {
    assert.equal(load({ env: { APIGATE_SERVER_PORT: 'x' }, flags: { port: '9' } }).server.port, 9);
  });

  it('never hold control characters or endless values', () => {
    const [problem] = problemsOf({ env: { APIGATE_LOG_LEVEL: `\u001b]0;x\u0007${'y'.repeat(500)}` } });
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(problem?.message ?? '', /[\u0000-\u001f]/);
    assert.ok((problem?.message ?? '').length < 200);
  });

  it('an empty flag is one', () => {
    assert.match(problemsOf({ flags: { host: '' } })[0]?.message ?? '', /empty/);
  });
});

it('the log is text on a terminal', () => {
  assert.equal(load({ terminal: true }).log.format, 'text');
  assert.equal(load({ terminal: true, env: { APIGATE_LOG_FORMAT: 'json' } }).log.format, 'json');
});
