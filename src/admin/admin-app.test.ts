import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ensureSetupCode } from '../control/setup.ts';
import { goodPassword } from '../control/access-fixture.ts';
import { fieldsOf, firstAdmin, firstSignIn, openApp, signedIn, type Answer } from './admin-app-fixture.ts';

const upstream = { name: 'my-api', base_url: 'https://api.example.com' };

describe('sign-in', () => {
  it('sets a cookie with all its flags, a new one each time, and sign-out ends it on both sides', async () => {
    await using fixture = await openApp();
    const plain = await fixture.call('POST', '/admin/login', { json: firstSignIn });
    assert.match(plain.headers.get('set-cookie') ?? '', /^session=[0-9a-f]{64}; HttpOnly; SameSite=Strict; Path=\/$/);
    assert.equal(plain.body.email, firstAdmin);
    const secure = await fixture.call('POST', '/admin/login', { json: firstSignIn, env: { scheme: 'https' } });
    assert.match(secure.headers.get('set-cookie') ?? '', /^session=[0-9a-f]{64}; HttpOnly; SameSite=Strict; Path=\/; Secure$/);
    const fixed = await fixture.call('POST', '/admin/login', { json: firstSignIn, cookie: `session=${'a'.repeat(64)}` });
    assert.doesNotMatch(fixed.headers.get('set-cookie') ?? '', /a{64}/, 'an id that was there before sign-in is not taken over');

    const cookie = (plain.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
    const me = await fixture.call('GET', '/admin/me', { cookie });
    assert.deepEqual([me.status, me.body.kind, me.body.label, me.body.scope], [200, 'admin', firstAdmin, 'admin']);
    const out = await fixture.call('POST', '/admin/logout', { cookie });
    assert.equal(out.status, 204);
    assert.equal(out.headers.get('set-cookie'), 'session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0');
    assert.equal((await fixture.call('GET', '/admin/me', { cookie })).status, 401);
  });

  it('refuses with 401 alike whether the account exists, and with 429 and Retry-After after too many failures', async () => {
    await using fixture = await openApp();
    const wrong = await fixture.call('POST', '/admin/login', { json: { email: firstAdmin, password: 'wrong' } });
    const unknown = await fixture.call('POST', '/admin/login', { json: { email: 'nobody@example.com', password: 'wrong' } });
    assert.deepEqual([wrong.status, wrong.body.code], [401, 'invalid_credentials']);
    assert.deepEqual({ ...unknown.body, request_id: '' }, { ...wrong.body, request_id: '' });
    assert.equal(fixture.access.derivations(), 2, 'the same work for both');
    for (let index = 0; index < 8; index += 1)
      await fixture.call('POST', '/admin/login', { json: { email: `x${index}@example.com`, password: 'wrong' } });
    const slowed = await fixture.call('POST', '/admin/login', { json: firstSignIn });
    assert.deepEqual([slowed.status, slowed.body.code, slowed.headers.get('retry-after')], [429, 'too_many_attempts', '1']);
    fixture.access.advance(1_000);
    assert.equal((await fixture.call('POST', '/admin/login', { json: firstSignIn })).status, 200);
  });

  it('names every field at fault', async () => {
    await using fixture = await openApp();
    const login = (json: unknown): Promise<Answer> => fixture.call('POST', '/admin/login', { json });
    assert.deepEqual(fieldsOf(await login({})), ['email', 'password']);
    assert.deepEqual(fieldsOf(await login({ email: 1, password: null, remember: true })), ['email', 'password', 'remember']);
    assert.deepEqual(fieldsOf(await login([])), ['']);
  });
});

describe('set-up', () => {
  it('makes the first admin with the one-time code, once', async () => {
    await using fixture = await openApp({ admins: [] });
    assert.deepEqual((await fixture.call('GET', '/admin/setup')).body, { required: true });
    const code = await ensureSetupCode(fixture.access.access);
    const wrong = await fixture.call('POST', '/admin/setup', { json: { code: 'AAAA-AAAA-AAAA-AAAA-AAAA', ...firstSignIn } });
    assert.deepEqual([wrong.status, wrong.body.code], [401, 'invalid_credentials']);
    assert.deepEqual(fieldsOf(await fixture.call('POST', '/admin/setup', { json: { code, email: 'x' } })), ['email', 'password']);
    const made = await fixture.call('POST', '/admin/setup', { json: { code, ...firstSignIn } });
    assert.equal(made.status, 201);
    assert.equal(made.headers.get('location'), `/admin/admins/${made.body.id}`);
    const cookie = (made.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
    assert.equal((await fixture.call('GET', '/admin/me', { cookie })).body.label, firstAdmin);
    const again = await fixture.call('POST', '/admin/setup', { json: { code, ...firstSignIn } });
    assert.deepEqual([again.status, again.body.code], [409, 'conflict']);
    assert.deepEqual((await fixture.call('GET', '/admin/setup')).body, { required: false });
  });
});

describe('upstreams', () => {
  it('are made, read, changed by PUT and PATCH alike, and deleted, as the documentation shows', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    const made = await call('POST', '/admin/upstreams', {
      json: { ...upstream, timeout_ms: 30000, auth_type: 'bearer', auth_value: 'secret-token', enabled: true },
    });
    assert.equal(made.status, 201, made.text);
    assert.match(made.body.id, /^up_[0-9a-f]{16}$/);
    assert.equal(made.headers.get('location'), `/admin/upstreams/${made.body.id}`);
    assert.equal(made.headers.get('x-apigate-revision'), '1');
    assert.equal(made.body.auth_value_set, true);
    const path = `/admin/upstreams/${made.body.id}`;

    const read = await call('GET', path);
    assert.deepEqual(read.body, made.body);
    assert.equal(read.headers.get('etag'), made.headers.get('etag'));
    assert.match(read.headers.get('etag') ?? '', /^"[\w-]+"$/);
    assert.deepEqual((await call('GET', '/admin/upstreams/my-api')).body, made.body);

    const put = await call('PUT', path, { json: { timeout_ms: 60000 } });
    assert.deepEqual([put.status, put.body.timeout_ms, put.body.auth_value_set], [200, 60000, true]);
    assert.equal(put.headers.get('x-apigate-revision'), '2');
    assert.notEqual(put.headers.get('etag'), read.headers.get('etag'));
    const patch = await call('PATCH', path, { json: { timeout_ms: null, description: 'mine' } });
    assert.deepEqual([patch.body.timeout_ms, patch.body.description, patch.body.name], [30000, 'mine', 'my-api']);

    const list = await call('GET', '/admin/upstreams');
    assert.deepEqual(list.body, { data: [patch.body], total: 1, next_cursor: null });
    const gone = await call('DELETE', path);
    assert.deepEqual([gone.status, gone.text, gone.headers.get('x-apigate-revision')], [204, '', '4']);
    assert.equal((await call('GET', path)).status, 404);
    for (const answer of [made, read, put, patch, list]) assert.ok(!answer.text.includes('secret-token') && !('auth_value' in answer.body));
  });

  it('in use are deleted only with cascade', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    await call('POST', '/admin/upstreams', { json: upstream });
    assert.equal((await call('POST', '/admin/routes', { json: { name: 'r', path_pattern: '/r', upstream_id: 'my-api' } })).status, 201);
    const refused = await call('DELETE', '/admin/upstreams/my-api');
    assert.equal(refused.status, 409);
    assert.match(refused.body.detail, /"r"/);
    assert.equal((await call('DELETE', '/admin/upstreams/my-api?cascade=false')).status, 409);
    assert.deepEqual(fieldsOf(await call('DELETE', '/admin/upstreams/my-api?cascade=yes')), ['cascade']);
    assert.deepEqual(fieldsOf(await call('DELETE', '/admin/upstreams/my-api?casacde=true')), ['casacde']);
    assert.equal((await call('DELETE', '/admin/upstreams/my-api?cascade=true')).status, 204);
    assert.equal((await call('GET', '/admin/routes')).body.total, 0);
  });

  it('that changed since they were read are not changed: 412', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    const etag = (await call('POST', '/admin/upstreams', { json: upstream })).headers.get('etag') ?? '';
    const second = await call('PUT', '/admin/upstreams/my-api', { json: { timeout_ms: 1 }, headers: { 'if-match': etag } });
    assert.equal(second.status, 200);
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const stale = await call(method, '/admin/upstreams/my-api', {
        ...(method === 'DELETE' ? {} : { json: { timeout_ms: 2 } }),
        headers: { 'if-match': etag },
      });
      assert.deepEqual([stale.status, stale.body.code], [412, 'precondition_failed'], method);
    }
    assert.equal((await call('GET', '/admin/upstreams/my-api')).body.timeout_ms, 1);
    assert.equal((await call('PUT', '/admin/upstreams/my-api', { json: { timeout_ms: 3 }, headers: { 'if-match': '*' } })).status, 200);
    assert.equal(
      (
        await call('DELETE', '/admin/upstreams/my-api', {
          headers: { 'if-match': `"x", ${(await call('GET', '/admin/upstreams/my-api')).headers.get('etag')}` },
        })
      ).status,
      204,
    );
  });

  it('of bad input are refused with every field and a suggestion, and change nothing', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    const bad = await call('POST', '/admin/upstreams', {
      json: { name: '', base_url: 'ftp://x', timeout_ms: '30', auth_type: 'magic', timout_ms: 5 },
    });
    assert.deepEqual(fieldsOf(bad), ['auth_type', 'base_url', 'name', 'timeout_ms', 'timout_ms']);
    assert.match(bad.body.errors.find(({ field }: { field: string }) => field === 'timout_ms').message, /did you mean timeout_ms/);
    assert.deepEqual(
      fieldsOf(
        await call('POST', '/admin/upstreams', { body: '{"__proto__":{"name":"x"}}', headers: { 'content-type': 'application/json' } }),
      ),
      ['__proto__', 'base_url', 'name'],
    );
    assert.equal(({} as { name?: string }).name, undefined);
    await call('POST', '/admin/upstreams', { json: upstream });
    assert.equal((await call('POST', '/admin/upstreams', { json: upstream })).status, 409);
    assert.equal((await call('GET', '/admin/upstreams')).body.total, 1);
    assert.equal((await call('GET', '/version')).body.revision, 1);
  });

  it('are listed in pages, filtered by q and enabled; bad values are refused together', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    for (const name of ['alpha', 'beta', 'gamma'])
      await call('POST', '/admin/upstreams', { json: { ...upstream, name, enabled: name !== 'beta' } });
    const names = (answer: Answer): string[] => answer.body.data.map(({ name }: { name: string }) => name);
    const first = await call('GET', '/admin/upstreams?limit=2');
    assert.deepEqual([names(first), first.body.total], [['alpha', 'beta'], 3]);
    const second = await call('GET', `/admin/upstreams?limit=2&cursor=${first.body.next_cursor}`);
    assert.deepEqual([names(second), second.body.next_cursor], [['gamma'], null]);
    assert.deepEqual(names(await call('GET', '/admin/upstreams?q=AMM')), ['gamma']);
    assert.deepEqual(names(await call('GET', '/admin/upstreams?enabled=false')), ['beta']);
    assert.deepEqual(names(await call('GET', '/admin/upstreams?enabled=true&q=a&limit=1')), ['alpha']);
    assert.deepEqual(fieldsOf(await call('GET', '/admin/upstreams?limit=0&enabled=1&page=2&q=a&q=b')), ['enabled', 'limit', 'page', 'q']);
    for (const limit of ['', '501', '1.5', '-1', '1e2', 'ten'])
      assert.deepEqual(fieldsOf(await call('GET', `/admin/upstreams?limit=${limit}`)), ['limit']);
    assert.deepEqual(fieldsOf(await call('GET', '/admin/upstreams?cursor=nowhere!')), ['cursor']);
    for (const path of ['/admin/tokens', '/admin/admins', '/admin/keys', '/admin/sessions']) {
      assert.deepEqual(fieldsOf(await call('GET', `${path}?enabled=true&limit=501`)), ['enabled', 'limit'], path);
    }
  });
});

describe('routes and keys', () => {
  it('are made, changed, revoked and deleted; warnings travel in a header in ASCII, the key in the first answer alone', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    await call('POST', '/admin/upstreams', { json: upstream });
    const route = await call('POST', '/admin/routes', { json: { name: 'r', path_pattern: '/r', upstream_id: 'my-api' } });
    assert.equal(route.status, 201, route.text);
    assert.equal(route.headers.get('location'), `/admin/routes/${route.body.id}`);
    const warnings = route.headers.get('x-apigate-warnings') ?? '';
    assert.match(warnings, /^[\x20-\x7e]+$/);
    assert.deepEqual(JSON.parse(warnings), ['h\u00e9 \u201cwarned\u201d']);
    assert.equal((await call('PATCH', '/admin/routes/r', { json: { priority: 5 } })).body.priority, 5);

    const key = await call('POST', '/admin/keys', { json: { name: 'k', routes: ['r'] } });
    assert.equal(key.status, 201, key.text);
    assert.match(key.body.key, /^ak_[0-9a-f]{64}$/);
    const shown = await call('GET', '/admin/keys/k');
    assert.ok(!('key' in shown.body) && !shown.text.includes(key.body.key));
    assert.equal(shown.headers.get('etag'), key.headers.get('etag'));
    assert.equal((await call('PUT', '/admin/keys/k', { json: { rate_limit_per_minute: 60 } })).body.rate_limit_per_minute, 60);
    assert.notEqual((await call('POST', '/admin/keys/k/revoke')).body.revoked_at, null);
    assert.equal((await call('DELETE', '/admin/keys/k')).status, 204);
    assert.equal((await call('DELETE', '/admin/routes/r')).status, 204);
    assert.equal((await call('GET', '/admin/keys')).body.total + (await call('GET', '/admin/routes')).body.total, 0);
  });
});

describe('tokens, admins and sessions', () => {
  it('can be managed over REST', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    const token = await call('POST', '/admin/tokens', { json: { name: 'ci', scope: 'write' } });
    assert.equal(token.status, 201);
    assert.match(token.body.token, /^agt_[0-9a-f]{64}$/);
    assert.equal(token.body.created_by, firstAdmin);
    assert.ok(!(await call('GET', '/admin/tokens')).text.includes(token.body.token));
    assert.equal(
      (await call('PUT', '/admin/tokens/ci', { json: { scope: 'read' }, headers: { 'if-match': token.headers.get('etag') ?? '' } })).body
        .scope,
      'read',
    );
    assert.equal(
      (await call('PATCH', '/admin/tokens/ci', { json: { scope: 'admin' }, headers: { 'if-match': token.headers.get('etag') ?? '' } }))
        .status,
      412,
    );
    assert.notEqual((await call('POST', '/admin/tokens/ci/revoke')).body.revoked_at, null);
    assert.equal((await call('DELETE', '/admin/tokens/ci')).status, 204);

    const admin = await call('POST', '/admin/admins', { json: { email: 'Bob@example.com', password: goodPassword } });
    assert.deepEqual(
      [admin.status, admin.body.email, admin.headers.get('location')],
      [201, 'bob@example.com', `/admin/admins/${admin.body.id}`],
    );
    assert.equal((await call('PUT', '/admin/admins/bob@example.com', { json: { password: 'another good password' } })).status, 200);
    assert.deepEqual(fieldsOf(await call('PUT', `/admin/admins/${firstAdmin}`, { json: { password: 'another good password' } })), [
      'current_password',
    ]);
    assert.equal((await call('DELETE', `/admin/admins/${admin.body.id}`)).status, 204);
    const last = await call('DELETE', `/admin/admins/${firstAdmin}`);
    assert.deepEqual([last.status, last.body.code], [409, 'conflict']);

    await fixture.signIn();
    const sessions = await call('GET', '/admin/sessions');
    assert.deepEqual(sessions.body.data.map(({ current }: { current: boolean }) => current).toSorted(), [false, true]);
    const other = sessions.body.data.find(({ current }: { current: boolean }) => !current);
    assert.deepEqual((await call('GET', `/admin/sessions/${other.id}`)).body, other);
    assert.equal((await call('DELETE', `/admin/sessions/${other.id}`)).status, 204);
    assert.equal((await call('DELETE', `/admin/sessions/${other.id}`)).status, 404);
    assert.equal((await call('GET', '/admin/sessions?all=true')).body.total, 1);
  });

  it('change the own password, which ends the other sessions but not this one', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    const other = await fixture.signIn();
    const json = { password: 'another good password', current_password: goodPassword };
    assert.equal((await call('PUT', `/admin/admins/${firstAdmin}`, { json })).status, 200);
    assert.equal((await call('GET', '/admin/me')).status, 200);
    assert.equal((await fixture.call('GET', '/admin/me', { cookie: other })).status, 401);
  });
});

describe('/version', () => {
  it('tells anybody near the version, and callers with authority the rest', async () => {
    await using fixture = await openApp();
    assert.deepEqual((await fixture.call('GET', '/version')).body, { version: '1.2.3' });
    assert.deepEqual((await fixture.call('GET', '/version', { authorization: await fixture.token('read') })).body, {
      version: '1.2.3',
      node: process.version,
      revision: 0,
    });
  });
});
