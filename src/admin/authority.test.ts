import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemActor } from '../control/access-fixture.ts';
import { sessionIdleLimit } from '../control/sessions.ts';
import { createToken, revokeToken } from '../control/tokens.ts';
import type { TokenScope } from '../model/api-token.ts';
import { openApp, type AppFixture } from './admin-app-fixture.ts';

/** Every route as the router itself knows it, parameters filled in. */
function routesOf(fixture: AppFixture): { method: string; path: string; pattern: string }[] {
  const routes = fixture.app.routes.filter(({ method }) => method !== 'ALL');
  const unique = new Map(
    routes.map(({ method, path }) => [`${method} ${path}`, { method, pattern: path, path: path.replaceAll(/:\w+/g, 'x') }]),
  );
  return [...unique.values()];
}

const publicRoutes = new Set(['POST /admin/login', 'GET /admin/setup', 'POST /admin/setup', 'GET /version']);
const isUnsafe = (method: string): boolean => method !== 'GET';

describe('authority', () => {
  it('M01 M10 is asked for on every route of the router but the few public ones, whatever is sent instead of it', async () => {
    await using fixture = await openApp();
    const { access } = fixture.access;
    const live = await fixture.signIn();
    const out = await fixture.signIn();
    await fixture.call('POST', '/admin/logout', { cookie: out });
    const secretOf = async (name: string, extra: object): Promise<string> =>
      (await createToken(access, systemActor, { name, scope: 'admin', ...extra })).secret;
    const expired = await secretOf('expired', { expires_at: new Date(access.clock() + 1).toISOString() });
    const revoked = await secretOf('revoked', {});
    await revokeToken(access, systemActor, 'revoked');
    const good = await secretOf('good', {});
    fixture.access.advance(1);
    const idle = await fixture.signIn();
    fixture.access.advance(sessionIdleLimit);
    const attempts: [string, { cookie?: string; authorization?: string }, string?][] = [
      ['nothing', {}],
      ['an expired session', { cookie: idle }],
      ['a signed-out session', { cookie: out }],
      ['a tampered session', { cookie: live.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')) }],
      ['a made-up session', { cookie: `session=${'0'.repeat(64)}` }],
      ['an expired token', { authorization: `Bearer ${expired}` }],
      ['a revoked token', { authorization: `Bearer ${revoked}` }],
      ['an unknown token', { authorization: `Bearer agt_${'0'.repeat(64)}` }],
      ['an empty token', { authorization: 'Bearer ' }],
      ['a token as a cookie', { cookie: `session=${good}` }],
      ['a token as Basic', { authorization: `Basic ${Buffer.from(`${good}:`).toString('base64')}` }],
      ['a token in the query', {}, `?token=${good}&access_token=${good}&api_key=${good}`],
    ];
    const walked = routesOf(fixture);
    assert.ok(walked.length >= 40, 'the router was really walked');
    for (const { method, path, pattern } of walked) {
      if (publicRoutes.has(`${method} ${pattern}`)) continue;
      for (const [what, credentials, query = ''] of attempts) {
        const answer = await fixture.call(method, path + query, credentials);
        assert.equal(answer.status, 401, `${method} ${path} with ${what}`);
        assert.equal(answer.body.code, 'unauthenticated');
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="apigate"');
      }
    }
  });

  it('never comes from a cookie when a bad token is sent with it', async () => {
    await using fixture = await openApp();
    const cookie = await fixture.signIn();
    assert.equal((await fixture.call('GET', '/admin/me', { cookie })).status, 200);
    assert.equal((await fixture.call('GET', '/admin/me', { cookie, authorization: 'Bearer nonsense' })).status, 401);
    assert.equal(
      (await fixture.call('GET', '/admin/me', { cookie, authorization: 'Basic cHJveHk6eA==' })).status,
      200,
      'a proxy in front may have a password of its own',
    );
  });

  it('M10 of a token ends at its scope, on every route, as the access table says', async () => {
    await using fixture = await openApp();
    const tokens = { read: await fixture.token('read'), write: await fixture.token('write'), admin: await fixture.token('admin') };
    const scopes: readonly TokenScope[] = ['read', 'write', 'admin'];
    const table = new Map(fixture.app.access.map((entry) => [`${entry.method} ${entry.path}`, entry.access]));
    const walked = routesOf(fixture);
    assert.deepEqual(
      walked.map(({ method, pattern }) => `${method} ${pattern}`).toSorted(),
      [...table.keys()].toSorted(),
      "the table is the router's",
    );
    for (const { method, path, pattern } of walked) {
      const access = table.get(`${method} ${pattern}`);
      if (access === 'public') continue;
      for (const scope of scopes) {
        const { status } = await fixture.call(method, path, { authorization: tokens[scope] });
        const allowed =
          access !== 'session' && access !== undefined && scopes.indexOf(scope) >= scopes.indexOf(access === 'scrape' ? 'read' : access);
        if (allowed) assert.ok(status !== 401 && status !== 403, `${method} ${path} as ${scope}: ${status}`);
        else assert.equal(status, 403, `${method} ${path} as ${scope}`);
      }
    }
  });

  it('is split as documented: read sees, write changes the gateway config, admin does the rest', async () => {
    await using fixture = await openApp();
    for (const { method, path, access } of fixture.app.access) {
      const identity = /^\/admin\/(tokens|admins|sessions|audit|settings)/.test(path);
      const expected = publicRoutes.has(`${method} ${path}`)
        ? 'public'
        : path === '/admin/logout'
          ? 'session'
          : path === '/metrics'
            ? 'scrape'
            : identity
              ? 'admin'
              : // These need a body, and change nothing.
                method === 'GET' || path === '/admin/routes/preview' || path === '/admin/explain'
                ? 'read'
                : 'write';
      assert.equal(access, expected, `${method} ${path}`);
    }
  });
});

describe('cross-site requests', () => {
  const foreign: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', 'content-type': 'application/x-www-form-urlencoded' },
    { 'sec-fetch-site': 'cross-site', 'content-type': 'text/plain' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:8081' },
    { origin: 'http://localhost:8080.evil.example' },
    { origin: 'http://localhost:8080/' },
    { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
  ];

  it('M04 are refused on every unsafe route, signed in or not', async () => {
    await using fixture = await openApp();
    const cookie = await fixture.signIn();
    const unsafe = routesOf(fixture).filter(({ method }) => isUnsafe(method));
    assert.ok(unsafe.length >= 25);
    for (const { method, path } of unsafe) {
      for (const headers of foreign) {
        for (const credentials of [{ cookie }, {}]) {
          const answer = await fixture.call(method, path, {
            headers,
            ...credentials,
            ...(headers['content-type'] === undefined ? { json: {} } : { body: '{}' }),
          });
          assert.equal(answer.status, 403, `${method} ${path} ${JSON.stringify(headers)}`);
          assert.equal(answer.body.code, 'forbidden');
        }
      }
    }
    assert.equal((await fixture.call('GET', '/admin/me', { cookie })).status, 200, 'nobody was signed out');
  });

  it('change nothing and sign nobody in, even with everything else right', async () => {
    await using fixture = await openApp();
    const cookie = await fixture.signIn();
    const headers = { 'sec-fetch-site': 'cross-site' };
    assert.equal((await fixture.call('POST', '/admin/tokens', { cookie, headers, json: { name: 'evil' } })).status, 403);
    assert.equal((await fixture.call('GET', '/admin/tokens', { cookie })).body.total, 0);
    const login = await fixture.call('POST', '/admin/login', { headers, json: { email: 'ann@example.com', password: 'x' } });
    assert.equal(login.status, 403);
    assert.equal(login.headers.get('set-cookie'), null);
  });

  it('are told from those of our own pages and of clients that are no browsers', async () => {
    await using fixture = await openApp({ hosts: ['gateway.example'] });
    const cookie = await fixture.signIn();
    const own: Record<string, string>[] = [
      {},
      { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:8080' },
      { 'sec-fetch-site': 'none' },
      { origin: 'http://LOCALHOST:8080' },
      { host: 'gateway.example', origin: 'https://gateway.example' },
    ];
    for (const [index, headers] of own.entries()) {
      const answer = await fixture.call('POST', '/admin/tokens', { cookie, headers, json: { name: `own ${index}` } });
      assert.equal(answer.status, 201, JSON.stringify(headers));
    }
  });

  it('M04 with a token are answered: no page of another site has it', async () => {
    await using fixture = await openApp();
    const authorization = await fixture.token('admin');
    for (const [index, headers] of foreign.entries()) {
      if (headers['content-type'] !== undefined) continue;
      assert.equal((await fixture.call('POST', '/admin/tokens', { authorization, headers, json: { name: `t ${index}` } })).status, 201);
    }
  });
});

describe('who may come near', () => {
  it('is decided by address, before anything else', async () => {
    await using fixture = await openApp();
    const cookie = await fixture.signIn();
    for (const remoteAddress of ['8.8.8.8', '::ffff:8.8.8.8', '2001:db8::1', '']) {
      for (const path of ['/admin/me', '/version', '/admin/setup', '/admin/nowhere']) {
        assert.equal((await fixture.call('GET', path, { cookie, env: { remoteAddress } })).status, 403, `${path} from ${remoteAddress}`);
      }
    }
    for (const remoteAddress of ['127.0.0.1', '::1', '::ffff:10.0.0.1', '192.168.1.1', 'fd00::1']) {
      assert.equal((await fixture.call('GET', '/admin/me', { cookie, env: { remoteAddress } })).status, 200, remoteAddress);
    }
  });

  it('M04 is decided by host name, so that a rebound name of another site gets nowhere', async () => {
    await using fixture = await openApp({ hosts: ['gateway.example'] });
    const cookie = await fixture.signIn();
    const authorization = await fixture.token('admin');
    for (const host of ['evil.example', 'evil.example:8080', 'localhost.evil.example', '']) {
      assert.equal((await fixture.call('GET', '/admin/me', { cookie, headers: { host } })).status, 403, host);
      assert.equal((await fixture.call('GET', '/admin/me', { authorization, headers: { host } })).status, 403, host);
    }
    for (const host of ['127.0.0.1:8080', '[::1]:8080', 'localhost', 'gateway.example:8443']) {
      assert.equal((await fixture.call('GET', '/admin/me', { cookie, headers: { host } })).status, 200, host);
    }
  });

  it('does not bind the CLI in the same process, which has full authority and its own name in the audit log', async () => {
    await using fixture = await openApp({ allow: [] });
    const env = { remoteAddress: '', localActor: { kind: 'cli', id: '', label: 'root' } } as const;
    const headers = { host: 'anything.example', 'sec-fetch-site': 'cross-site' };
    const made = await fixture.call('POST', '/admin/tokens', { env, headers, json: { name: 'cli' } });
    assert.equal(made.status, 201);
    assert.equal(made.body.created_by, 'root');
    assert.deepEqual((await fixture.call('GET', '/admin/me', { env })).body, {
      kind: 'cli',
      id: '',
      label: 'root',
      scope: 'admin',
      expires_at: null,
    });
    assert.deepEqual((await fixture.access.audit()).at(-1)?.actor_kind, 'cli');
    assert.equal((await fixture.call('POST', '/admin/logout', { env })).status, 403, 'there is no session to end');
  });

  it('cannot become the CLI by anything in a request', async () => {
    await using fixture = await openApp();
    const headers = { localactor: '{"kind":"cli"}', 'x-apigate-local-actor': 'cli', 'x-apigate-client': '127.0.0.1' };
    assert.equal((await fixture.call('GET', '/admin/me?localActor=cli', { headers })).status, 401);
  });
});
