// Over 300 lines: one gateway, a canary for each kind of secret, and every way in which one might come out.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import tls from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { type Canary, findCanaries, type Searched } from '../support/canary-search.ts';
import { hasOpenssl, TestAuthority } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { localEnvironment, remoteEnvironment, runApigate } from '../support/run-apigate.ts';
import { answerOk, type Script, type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { adminEmail, type Gateway, launchGateway, startGateway } from '../support/start-gateway.ts';

/** Signs that JSON, URLs and HTML write otherwise, and one beyond ASCII, so that no form is like another. */
const awkward = '"\\&<ü>/+%';
const secrets = {
  bearer: `bearer-canary-4f81${awkward}`,
  header: `header-canary-a20c ${awkward}`,
  basic: `user-canary-71d3:word-canary-77be${awkward}`,
  env: `env-canary-5d19${awkward}`,
  file: `file-canary-90ee${awkward}`,
  replaced: `replaced-canary-e3f0${awkward}`,
  template: `template-canary-0b7d${awkward}`,
  masterKey: '5ec7e7ca4a471234567890abcdef5ec7e7ca4a471234567890abcdef5ec7e7ca',
  password: 'password-canary-c9d2"\\&<ü>',
  newPassword: 'new-password-canary-18aa"\\&<ü>',
  wrongPassword: 'mistyped-canary-6b6b"\\&<ü>',
};

let gateway: Gateway;
let upstream: ScriptedUpstream;
let script: Script = answerOk;
/** Everything that came out of the gateway and of commands. */
const seen: Searched[] = [];
const canaries: Canary[] = [];
let cookie = '';
let apiKey = '';
let token = '';

interface Call {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** What is taken out of the answer before it is searched: what is shown just this once. */
  readonly shownOnce?: (answer: { readonly text: string; readonly headers: http.IncomingHttpHeaders }) => readonly string[];
}

/** One request on the traffic port, whose whole answer is searched. */
function call(method: string, path: string, { headers = {}, body, shownOnce }: Call = {}): Promise<{ status: number; text: string }> {
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve) => {
    const options = {
      host: '127.0.0.1',
      port: gateway.port,
      method,
      path,
      agent: false,
      headers: {
        ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
        ...headers,
      },
    };
    const done = (status: number, text: string, answerHeaders: http.IncomingHttpHeaders): void => {
      let all = `${JSON.stringify(answerHeaders)}\n${text}`;
      for (const once of shownOnce?.({ text, headers: answerHeaders }) ?? []) all = all.replaceAll(once, '');
      seen.push({ where: `the answer to ${method} ${path.split('?')[0]}`, bytes: all });
      resolve({ status, text });
    };
    const request = http.request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.once('close', () => done(response.statusCode ?? 0, text, response.headers));
      response.once('error', () => undefined);
    });
    request.once('error', (error) => done(0, String(error), {}));
    request.end(payload);
  });
}

const admin = (method: string, path: string, body?: unknown, more: Call = {}) =>
  call(method, `/admin${path}`, { ...more, headers: { cookie, ...more.headers }, ...(body === undefined ? {} : { body }) });

/** A command of the CLI, whose whole output is searched. */
async function command(
  args: readonly string[],
  options: Parameters<typeof runApigate>[1] & { readonly shownOnce?: (stdout: string) => string } = {},
): Promise<string> {
  const { stdout, stderr } = await runApigate(args, options);
  seen.push({
    where: `the output of apigate ${args.slice(0, 2).join(' ')}`,
    bytes: `${(options.shownOnce ?? ((text) => text))(stdout)}\n${stderr}`,
  });
  return stdout;
}

const credentials = [
  ['bearer', { auth_type: 'bearer', auth_value: secrets.bearer }],
  ['header', { auth_type: 'header', auth_header: 'X-Key', auth_value: secrets.header }],
  ['basic', { auth_type: 'basic', auth_value: secrets.basic }],
  ['env', { auth_type: 'bearer', auth_value: '${env.CANARY}' }],
  ['file', { auth_type: 'bearer', auth_value: '' }],
] as const;

/** Where upstreams of each kind of credential lead to. */
const targets: { name: string; url: string }[] = [];
let authority: TestAuthority | undefined;
const closing: (() => unknown)[] = [];

before(async () => {
  upstream = await startScriptedUpstream((request, connection) => script(request, connection));
  gateway = await startGateway({
    admin: true,
    workers: 2,
    env: {
      APIGATE_SECRET_KEY: secrets.masterKey,
      APIGATE_ADMIN_PASSWORD: secrets.password,
      APIGATE_LOG_LEVEL: 'debug',
      CANARY: secrets.env,
      APIGATE_TRANSFORM_ENV: 'TEMPLATE_CANARY',
      TEMPLATE_CANARY: secrets.template,
    },
  });
  writeFileSync(join(gateway.directory, 'credential'), `${secrets.file}\n`);
  for (const [kind, value] of Object.entries(secrets)) canaries.push({ kind, value });
  // What the upstream is sent; part of it is enough to find.
  canaries.push({ kind: 'basic, encoded', value: Buffer.from(secrets.basic, 'latin1').toString('base64') });
  canaries.push({ kind: 'basic, the password of it', value: secrets.basic.split(':')[1]! });
  targets.push(
    { name: 'up', url: upstream.url },
    { name: 'refused', url: `http://127.0.0.1:${await freePort()}` },
    { name: 'nowhere', url: 'http://nowhere.invalid' },
  );
  targets.push({ name: 'no-tls', url: upstream.url.replace('http:', 'https:') });
  if (hasOpenssl()) {
    authority = new TestAuthority();
    const server = tls.createServer(authority.issue(['IP:127.0.0.1']), (socket) => socket.end());
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => server.close());
    targets.push({ name: 'untrusted', url: `https://127.0.0.1:${(server.address() as { port: number }).port}` });
  }
});

after(async () => {
  await gateway?.stop();
  await upstream?.close();
  for (const close of closing) close();
  authority?.remove();
});

/** Each a way to make the gateway speak. A new feature that touches secrets adds its own; all that `call` and `command` see is searched. */
const paths: readonly (readonly [string, () => Promise<unknown>])[] = [
  [
    'signing in, wrongly and rightly',
    async () => {
      await call('POST', '/admin/login', { body: { email: adminEmail, password: secrets.wrongPassword } });
      await call('POST', '/admin/login', { body: { email: secrets.wrongPassword, password: secrets.password } });
      await call('POST', '/admin/login', { body: { email: adminEmail, password: [secrets.password] } });
      await call('POST', '/admin/login', { body: { email: adminEmail, passwd: secrets.password } });
      await call('POST', '/admin/login', { body: `{"email": "${adminEmail}", "password": "${secrets.wrongPassword}` });
      const cookieOf = (headers: http.IncomingHttpHeaders): string => /^session=([^;]+)/.exec(headers['set-cookie']?.[0] ?? '')?.[1] ?? '';
      await call('POST', '/admin/login', {
        body: { email: adminEmail, password: secrets.password },
        shownOnce: ({ headers }) => {
          cookie = `session=${cookieOf(headers)}`;
          return [cookieOf(headers)];
        },
      });
      assert.match(cookie, /^session=[0-9a-f]{64}$/);
      canaries.push({ kind: 'session id', value: cookie.slice('session='.length) });
    },
  ],
  [
    'making a key, a token and upstreams with each kind of credential',
    async () => {
      const once =
        (field: string) =>
        ({ text }: { readonly text: string }) => [(JSON.parse(text) as Record<string, string>)[field]!];
      apiKey = (JSON.parse((await admin('POST', '/keys', { name: 'client' }, { shownOnce: once('key') })).text) as { key: string }).key;
      token = (
        JSON.parse((await admin('POST', '/tokens', { name: 'ci', scope: 'admin' }, { shownOnce: once('token') })).text) as { token: string }
      ).token;
      canaries.push({ kind: 'API key', value: apiKey }, { kind: 'API token', value: token });
      for (const { name, url } of targets) {
        for (const [kind, fields] of credentials) {
          const credential = kind === 'file' ? { ...fields, auth_value: `\${file:${gateway.directory}/credential}` } : fields;
          const made = await admin('POST', '/upstreams', { name: `${name}-${kind}`, base_url: url, timeout_ms: 300, ...credential });
          assert.equal(made.status, 201, made.text);
          await admin('POST', '/routes', {
            name: `${name}-${kind}`,
            path_pattern: `/${name}-${kind}`,
            upstream_id: `${name}-${kind}`,
            auth_required: false,
          });
        }
      }
      await admin('POST', '/routes', { name: 'keyed', path_pattern: '/keyed', upstream_id: 'up-bearer' });
    },
  ],
  [
    'exports, applied files, previews and tests of upstreams',
    async () => {
      await admin('GET', '/export');
      await command(['export'], { cwd: gateway.directory, env: { APIGATE_SECRET_KEY: secrets.masterKey } });
      const declared = { upstreams: [{ name: 'up-bearer', base_url: upstream.url, auth_type: 'bearer', auth_value: secrets.bearer }] };
      for (const body of [declared, { ...declared, routes: [{ name: 'x' }] }, { upstreams: [{ ...declared.upstreams[0], nme: 1 }] }]) {
        await admin('POST', '/apply?dry_run=true', body);
      }
      await admin('POST', '/routes/preview', {
        route: { name: 'preview', path_pattern: '/p', upstream_id: 'up-bearer', path_rewrite: '/q' },
        request: { method: 'GET', url: 'http://gateway.test/p', headers: { 'X-API-Key': apiKey } },
      });
      for (const { name } of targets)
        for (const [kind] of credentials) await admin('POST', `/upstreams/${name}-${kind}/test`, { wait_ms: 200 });
      await admin('POST', '/upstreams/test', { upstream: declared.upstreams[0] });
    },
  ],
  [
    'tests of what requests may not go to: nothing is sent there, and nothing told',
    async () => {
      const credential = { auth_type: 'bearer', auth_value: secrets.bearer };
      for (const base_url of ['http://169.254.169.254', 'http://[fe80::1]', 'http://0.0.0.0:80', gateway.url, 'http://nowhere.invalid']) {
        await admin('POST', '/upstreams/test', { upstream: { name: 'forbidden', base_url, ...credential } });
        await admin('POST', '/upstreams', { name: 'forbidden', base_url, ...credential });
        await admin('POST', '/upstreams/up-bearer/test', { upstream: { base_url } });
        await admin('POST', '/apply', { upstreams: [{ name: 'forbidden', base_url, ...credential }] });
      }
      await admin('DELETE', '/upstreams/forbidden');
    },
  ],
  [
    'transformations that read a secret of the environment, and fail in every way',
    async () => {
      const value = '${env.TEMPLATE_CANARY}';
      const transform = {
        headers: { set: { 'X-Template': value } },
        query: { set: { template: value } },
        body: { json: { inject: { template: value }, mask: ['masked'] } },
      };
      const route = { path_pattern: '/transformed', upstream_id: 'up-bearer', auth_required: false, request_transform: transform };
      assert.equal((await admin('POST', '/routes', { ...route, name: 'transformed' })).status, 201);
      await admin('POST', '/routes', { ...route, name: 'broken', path_pattern: '/broken', path_rewrite: `/x/${value}/..` });
      await admin('POST', '/routes', { ...route, name: 'unknown', path_rewrite: '${env.CANARY}' });
      // The usual answer would repeat the target.
      script = async (request, connection) => {
        if (await request.complete) await connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      };
      for (const path of ['/transformed/x', '/broken/x'])
        for (const body of ['{"masked": "x"}', '{"masked":', '[1]', '']) await call('POST', path, { body });
      script = answerOk;
      const json = { 'content-type': 'application/json' };
      for (const request of [
        { method: 'POST', url: 'http://gateway.test/transformed/x', headers: json, body: '{"a":1}' },
        { method: 'POST', url: 'http://gateway.test/transformed/x', headers: json, body: '{"a":' },
        { method: 'GET', url: 'http://gateway.test/broken/x', headers: { 'X-API-Key': apiKey, Cookie: cookie } },
      ]) {
        await admin('POST', '/routes/preview', { request });
        await admin('POST', '/routes/preview', { route: { ...route, name: 'draft', path_rewrite: `/y/${value}` }, request });
      }
    },
  ],
  [
    'an upgrade with its key in the query, let in and refused',
    async () => {
      await admin('POST', '/routes', {
        name: 'live',
        path_pattern: '/live',
        upstream_id: 'up-bearer',
        protocol: 'websocket',
        api_key_query: true,
      });
      const headers = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      };
      for (const query of [`api_key=${apiKey}`, `api_key=${apiKey}0`, `api_key=${apiKey}&api_key=${token}`])
        await call('GET', `/live/x?${query}`, { headers });
    },
  ],
  [
    'requests that fail at the upstream in every way, and those that work',
    async () => {
      const answers: Script[] = [
        answerOk,
        ...[301, 401, 404, 429, 500, 503].map(
          (status): Script =>
            (_request, connection) =>
              connection.write(`HTTP/1.1 ${status} No\r\nLocation: /elsewhere\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno`),
        ),
        (_request, connection) => connection.write('HTTP/9.9 nonsense\r\n\r\n'),
        (_request, connection) => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\n'),
        (_request, connection) => void connection.socket.destroy(),
        async () => {},
      ];
      for (script of answers)
        for (const [kind] of credentials) await call('GET', `/up-${kind}/x?y=z`, { headers: { 'x-api-key': apiKey } });
      script = answerOk;
      for (const { name } of targets)
        for (const [kind] of credentials)
          await call('POST', `/${name}-${kind}`, { body: { a: 1 }, headers: { authorization: `Bearer ${apiKey}` } });
      for (const [kind] of credentials) assert.equal((await call('GET', `/up-${kind}`)).status, 200, kind);
    },
  ],
  [
    'keys and tokens in wrong places',
    async () => {
      for (const headers of [
        { 'x-api-key': apiKey },
        { authorization: `Bearer ${apiKey}` },
        { 'x-api-key': `${apiKey}x` },
        { authorization: `Bearer ${token}` },
        { authorization: `Basic ${apiKey}` },
      ] as Record<string, string>[]) {
        await call('GET', '/keyed', { headers });
        await call('GET', '/admin/me', { headers });
        await call('GET', '/nowhere', { headers });
      }
      await call('GET', `/keyed?api_key=${apiKey}&token=${token}`);
      await call('GET', `/admin/me?token=${token}`);
      await call('GET', '/admin/me', { headers: { cookie: `session=${token}; session=${apiKey}` } });
      await call('GET', '/keyed', { headers: { cookie, 'x-api-key': 'ak_wrong' } });
    },
  ],
  [
    'values that are refused, bodies that are no JSON, fields that are not there',
    async () => {
      for (const auth_value of [
        `${secrets.bearer}\r\nX: y`,
        `${secrets.bearer}\0`,
        `${secrets.bearer} \u4e2d`,
        secrets.bearer.repeat(3_000),
        [secrets.bearer],
        { value: secrets.bearer },
        `\${env.${secrets.bearer}}`,
        `\${file:${secrets.bearer}}`,
      ]) {
        await admin('POST', '/upstreams', { name: 'bad', base_url: upstream.url, auth_type: 'bearer', auth_value });
        await admin('PUT', '/upstreams/up-bearer', { auth_value });
      }
      for (const fields of [
        { auth_type: 'basic', auth_value: secrets.bearer.replaceAll(':', '') },
        { auth_type: 'header', auth_header: 'a b', auth_value: secrets.header },
        { auth_type: 'magic', auth_value: secrets.header },
        { auth_type: 'none', auth_value: secrets.header },
        { auth_type: 'bearer', auth_value_encrypted: secrets.bearer },
        { auth_type: 'bearer', auth_vaule: secrets.bearer },
      ])
        await admin('POST', '/upstreams', { name: 'bad', base_url: upstream.url, ...fields });
      for (const body of [
        `{"auth_value": "${secrets.header.slice(0, 20)}`,
        `{"auth_value": ${secrets.header}}`,
        '{"auth_value":"a","auth_value":"header-canary-a20c"}',
        `[${JSON.stringify(secrets.header)}]`,
      ])
        await admin('PUT', '/upstreams/up-header', body);
      await admin('PUT', '/upstreams/up-header', { base_url: 'http://127.0.0.1:1' });
      await admin('POST', '/admins', { email: 'x@example.com', password: secrets.newPassword.slice(0, 4) });
      await admin('PUT', `/admins/${adminEmail}`, { password: secrets.newPassword, current_password: secrets.wrongPassword });
      await admin('POST', '/tokens', { name: 'x', scope: 'admin', token: secrets.bearer });
      await admin('POST', '/setup', { code: secrets.wrongPassword, email: 'x@example.com', password: secrets.newPassword });
    },
  ],
  [
    'a credential that is replaced, a password that is changed',
    async () => {
      await admin('POST', '/upstreams', { name: 'replaced', base_url: upstream.url, auth_type: 'bearer', auth_value: secrets.replaced });
      await admin('PUT', '/upstreams/replaced', { auth_value: 'short-lived' });
      await admin('DELETE', '/upstreams/replaced');
      assert.equal(
        (await admin('PUT', `/admins/${adminEmail}`, { password: secrets.newPassword, current_password: secrets.password })).status,
        200,
      );
    },
  ],
  [
    'references that lead nowhere',
    async () => {
      writeFileSync(join(gateway.directory, 'bad-credential'), `${secrets.file}\nsecond line`);
      for (const value of [
        '${env.NOT_SET}',
        '${file:/nowhere}',
        `\${file:${gateway.directory}/bad-credential}`,
        `\${file:${gateway.directory}/apigate.db}`,
      ]) {
        await admin('PUT', '/upstreams/refused-file', { auth_value: value });
        await call('GET', '/refused-file');
      }
      await admin('PUT', '/upstreams/refused-file', { auth_value: `\${file:${gateway.directory}/credential}` });
    },
  ],
  [
    'a database that is locked, and one with a value that was copied and one that was damaged',
    async () => {
      const locker = new DatabaseSync(join(gateway.directory, 'apigate.db'), { timeout: 2_000 });
      locker.exec('BEGIN IMMEDIATE');
      const answer = await admin('POST', '/upstreams', {
        name: 'locked',
        base_url: upstream.url,
        auth_type: 'bearer',
        auth_value: secrets.bearer,
      });
      assert.equal(answer.status, 503);
      locker.exec(
        "UPDATE upstreams SET auth_value_sealed = (SELECT auth_value_sealed FROM upstreams WHERE name = 'up-bearer') WHERE name = 'up-header'",
      );
      locker.exec("UPDATE upstreams SET auth_value_sealed = substr(auth_value_sealed, 1, 40) WHERE name = 'up-basic'");
      locker.exec('COMMIT');
      locker.close();
      for (const name of ['up-header', 'up-basic']) {
        await admin('PUT', `/upstreams/${name}`, { description: 'opened anew' });
        assert.equal((await call('GET', `/${name}`)).status, 503, 'L03');
      }
      await admin('PUT', '/upstreams/up-header', { auth_value: secrets.header });
      await admin('PUT', '/upstreams/up-basic', { auth_value: secrets.basic });
    },
  ],
  [
    'the history: each revision, differences, going back and forth over replaced credentials',
    async () => {
      const latest = JSON.parse((await admin('GET', '/history?limit=1')).text) as { data: { revision: number }[] };
      const { revision } = latest.data[0]!;
      await admin('GET', '/history?limit=500');
      for (let each = 0; each <= revision; each += 1) await admin('GET', `/history/${each}`);
      for (const from of [0, 1, Math.floor(revision / 2), revision]) await admin('GET', `/history/diff?from=${from}`);
      await admin('POST', `/history/${Math.floor(revision / 2)}/rollback?dry_run=true`);
      const made = await admin('PUT', '/upstreams/up-bearer', { auth_value: secrets.replaced });
      assert.equal(made.status, 200);
      assert.equal((await admin('POST', `/history/${revision}/rollback?keep_keys=true`)).status, 200);
      assert.equal((await admin('POST', `/history/${revision}/rollback?keep_keys=true&expect_revision=1`)).status, 412);
    },
  ],
  [
    'what is shown of requests and of the health of upstreams',
    async () => {
      const listed = JSON.parse((await admin('GET', '/requests?own=true&limit=500')).text) as { data: { id: string }[] };
      for (const { id } of listed.data.slice(0, 40)) await admin('GET', `/requests/${id}`);
      for (const path of ['/requests?failed=true', '/health', '/events', '/upstreams/up-bearer/health']) await admin('GET', path);
      await admin('GET', `/requests?key=${apiKey}`);
      await admin('GET', `/requests?path=${encodeURIComponent(secrets.bearer)}`);
    },
  ],
  [
    'everything that can be read: resources, lists, audit, descriptions, metrics',
    async () => {
      for (const path of [
        '/upstreams?limit=500',
        '/routes?limit=500',
        '/keys',
        '/tokens',
        '/admins',
        '/sessions?all=true',
        '/audit?limit=500',
        '/me',
        '/openapi.json',
        '/setup',
        '/docs',
        '',
      ])
        await admin('GET', path);
      for (const { name } of targets) for (const [kind] of credentials) await admin('GET', `/upstreams/${name}-${kind}`);
      for (const path of ['/metrics', '/version', '/healthz', '/readyz', '/ui']) await call('GET', path, { headers: { cookie } });
    },
  ],
  [
    'the CLI, on the database and over REST',
    async () => {
      const local = {
        env: {
          ...localEnvironment(gateway),
          APIGATE_SECRET_KEY: secrets.masterKey,
          APIGATE_ADMIN_PASSWORD: secrets.password,
          APIGATE_ADMIN_EMAIL: adminEmail,
        },
      };
      for (const format of ['table', 'json']) {
        await command(['settings', 'show', '-o', format], local);
        await command(['upstreams', 'list', '-o', format], local);
        await command(['upstreams', 'get', 'up-bearer', '-o', format], local);
        await command(['secrets', 'status', '-o', format], local);
      }
      for (const words of [
        ['audit', 'list', '--limit', '1000', '-o', 'json'],
        ['sessions', 'list'],
        ['keys', 'list'],
        ['tokens', 'list'],
        ['admins', 'list'],
      ])
        await command(words, local);
      for (const words of [
        ['history', '--resource', 'up-bearer', '-o', 'json'],
        ['diff', '1'],
        ['rollback', '1', '--dry-run'],
        ['doctor', '-o', 'json'],
        ['requests', 'list', '-o', 'json'],
        ['upstreams', 'test', 'up-bearer', '-o', 'json'],
      ])
        await command(words, local);
      const forbidden = ['--url', 'http://169.254.169.254', '--auth-type', 'bearer', '--auth-value', '-'];
      await command(['upstreams', 'test', ...forbidden], { ...local, input: secrets.bearer });
      await command(['apply', '-f', '-', '--dry-run'], {
        ...local,
        input: JSON.stringify({
          upstreams: [{ name: 'up-bearer', base_url: upstream.url, auth_type: 'bearer', auth_value: secrets.header, x: 1 }],
        }),
      });
      await command(['upstreams', 'update', 'up-bearer', '--auth-value', '-'], { ...local, input: `${secrets.bearer}\n` });
      await command(['upstreams', 'update', 'up-bearer', '--auth-value', '-'], { ...local, input: `${secrets.bearer}\u4e2d\n` });
      await command(
        ['upstreams', 'update', 'up-bearer', '--auth-type', 'basic', '--auth-value', secrets.bearer.replaceAll(':', '')],
        local,
      );
      await command(['upstreams', 'list'], { env: { ...local.env, APIGATE_SECRET_KEY: `${secrets.masterKey}0` } });
      await command(['secrets', 'rotate', '--new-key', '-'], { ...local, input: `${secrets.masterKey}0` });
      const remote = { env: remoteEnvironment(gateway, token) };
      await command(['upstreams', 'get', 'up-bearer', '-o', 'json'], remote);
      await command(['upstreams', 'update', 'up-bearer', '--auth-value', '-'], { ...remote, input: `${secrets.bearer}\u0007\n` });
      await command(['doctor'], remote);
      await command(['upstreams', 'list'], { env: remoteEnvironment(gateway, `${token}0`) });
      await command(['upstreams', 'list'], { env: { APIGATE_SERVER: 'http://127.0.0.1:9', APIGATE_TOKEN: token } });
      await command(['backup', join(gateway.directory, 'copy.db')], local);
    },
  ],
];

describe('I3 L05 secrets are seen nowhere', () => {
  for (const [name, run] of paths) test(name, async () => void (await run()));

  test('the search would see them: each canary did go where it belongs', () => {
    // Templates are written in UTF-8, credentials as they are.
    const sent = upstream.requests.flatMap(({ fields }) => fields.flatMap(([, value]) => [value, Buffer.from(value, 'latin1').toString()]));
    for (const kind of ['bearer', 'header', 'env', 'file', 'template'] as const) {
      assert.ok(
        sent.some((value) => value.includes(secrets[kind])),
        kind,
      );
    }
    assert.ok(seen.length > 300);
    assert.equal(canaries.length, 16);
  });

  test('not in answers, nor in what commands print', () => {
    assert.deepEqual(findCanaries(canaries, seen), []);
  });

  test('not in the log, at level debug, nor on standard error', async () => {
    await eventually(() => gateway.records.length > 50, 'access records');
    assert.deepEqual(
      findCanaries(canaries, [
        { where: 'the output', bytes: gateway.output },
        ...gateway.lines.map((line) => ({
          where: `the log line ${String(line['msg'])}`,
          bytes: `${JSON.stringify(line)} ${Object.values(line).map(String).join(' ')}`,
        })),
      ]),
      [],
    );
  });

  test('not in the command lines of its threads', { skip: process.platform !== 'linux' && 'needs /proc' }, () => {
    const lines = readdirSync(`/proc/${gateway.pid}/task`).flatMap((thread) =>
      ['cmdline', 'comm'].map((file) => ({ where: `/proc/…/${file}`, bytes: readFileSync(`/proc/${gateway.pid}/task/${thread}/${file}`) })),
    );
    assert.deepEqual(findCanaries(canaries, lines), []);
  });

  test('not in the database, its log, or a backup; only the credential file itself has what it holds', () => {
    const files = readdirSync(gateway.directory).filter((name) => !name.endsWith('credential'));
    assert.deepEqual(files.toSorted(), ['apigate.db', 'apigate.db-serving', 'apigate.db-shm', 'apigate.db-wal', 'copy.db']);
    assert.deepEqual(
      findCanaries(
        canaries,
        files.map((name) => ({ where: name, bytes: readFileSync(join(gateway.directory, name)) })),
      ),
      [],
    );
  });

  test('the one-time set-up code is printed at the start and nowhere else', async () => {
    const other = await launchGateway({ env: { APIGATE_LOG_LEVEL: 'debug' } });
    const main = gateway;
    try {
      await eventually(
        async () => (await other.status('/readyz')) === 200 && /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){4}/.test(other.stderr),
        'the set-up code',
        20_000,
      );
      const code = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){4}/.exec(other.stderr)![0];
      const keyText = readFileSync(join(other.directory, 'apigate.db.key'), 'utf8').trim();
      const codes = [
        { kind: 'set-up code', value: code },
        { kind: 'set-up code', value: code.replaceAll('-', '') },
        { kind: 'key of the key file', value: keyText },
        { kind: 'key of the key file, its bytes', value: Buffer.from(keyText, 'hex').toString('latin1') },
      ];
      gateway = other;
      const from = seen.length;
      await call('POST', '/admin/setup', { body: { code, email: 'no address', password: 'x' } });
      await call('POST', '/admin/setup', { body: { code: `${code}X`, email: adminEmail, password: secrets.password } });
      await call('GET', `/admin/setup?code=${code}`);
      await call('POST', '/admin/setup', { body: { code, email: adminEmail, password: secrets.password } });
      await call('POST', '/admin/setup', { body: { code, email: adminEmail, password: secrets.password } });
      const files = readdirSync(other.directory).filter((name) => !name.endsWith('.key'));
      const log = other.lines.map((line) => ({ where: 'the log', bytes: JSON.stringify(line) }));
      assert.deepEqual(
        findCanaries(codes, [
          ...seen.slice(from),
          ...log,
          ...files.map((name) => ({ where: name, bytes: readFileSync(join(other.directory, name)) })),
        ]),
        [],
      );
    } finally {
      gateway = main;
      await other.stop();
    }
  });
});
