import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { goodPassword } from '../control/access-fixture.ts';
import { ensureSetupCode } from '../control/setup.ts';
import type { AuditRow } from '../store/store.ts';
import { type Answer, type AppFixture, type CallOptions, firstAdmin, firstSignIn, openApp } from './admin-app-fixture.ts';

/** How a route is called so that it does what it is for, and the actions that the audit log must have of it. */
interface Act {
  readonly path: string;
  readonly json?: unknown;
  readonly actions: readonly string[];
}

/** Makes what the call needs first, and answers the call. */
type ActMaker = (fixture: AppFixture, call: AppFixture['call']) => Act | Promise<Act>;

let names = 0;
const newName = (): string => `n${(names += 1)}`;
const upstream = (name = newName()) => ({ name, base_url: 'http://10.0.0.1', auth_type: 'bearer', auth_value: 'canary' });
const route = (upstreamName: string, name = newName()) => ({ name, path_pattern: `/${name}`, upstream_id: upstreamName });
const token = () => ({ name: newName(), scope: 'read' });
const key = () => ({ name: newName() });
const admin = () => ({ email: `${newName()}@example.com`, password: 'another good passphrase' });

async function made(call: AppFixture['call'], path: string, json: unknown): Promise<Answer['body']> {
  const answer = await call('POST', path, { json });
  assert.ok(answer.status === 201 || answer.status === 200, answer.text);
  return answer.body;
}

/** An upstream and a route to it; their names. */
async function madeRoute(call: AppFixture['call']): Promise<{ upstream: string; route: string }> {
  const { name } = await made(call, '/admin/upstreams', upstream());
  return { upstream: name, route: (await made(call, '/admin/routes', route(name))).name };
}

const madeOne = (path: string, input: () => object, act: Omit<Act, 'path'>, at = ''): ActMaker => {
  return async (_fixture, call) => ({ path: `${path}/${(await made(call, path, input())).id}${at}`, ...act });
};

/** Every route that may change something. One that is not here fails the test: a new one has to say what the log tells of it. */
const acts: Readonly<Record<string, ActMaker>> = {
  'POST /admin/login': () => ({ path: '/admin/login', json: firstSignIn, actions: ['session.sign_in'] }),
  'POST /admin/logout': () => ({ path: '/admin/logout', actions: ['session.sign_out'] }),
  'DELETE /admin/sessions/:id': async (fixture, call) => {
    await fixture.signIn();
    const { data } = (await call('GET', '/admin/sessions')).body as { data: { id: string; current: boolean }[] };
    return { path: `/admin/sessions/${data.find(({ current }) => !current)!.id}`, actions: ['session.end'] };
  },
  'POST /admin/upstreams': () => ({ path: '/admin/upstreams', json: upstream(), actions: ['upstream.create'] }),
  'PUT /admin/upstreams/:id': madeOne('/admin/upstreams', upstream, { json: { timeout_ms: 5 }, actions: ['upstream.update'] }),
  'PATCH /admin/upstreams/:id': madeOne('/admin/upstreams', upstream, { json: { auth_value: 'other' }, actions: ['upstream.update'] }),
  'DELETE /admin/upstreams/:id': async (_fixture, call) => {
    return { path: `/admin/upstreams/${(await madeRoute(call)).upstream}?cascade=true`, actions: ['route.delete', 'upstream.delete'] };
  },
  'POST /admin/routes': async (_fixture, call) => {
    const { name } = await made(call, '/admin/upstreams', upstream());
    return { path: '/admin/routes', json: route(name), actions: ['route.create'] };
  },
  'PUT /admin/routes/:id': async (_fixture, call) => {
    return { path: `/admin/routes/${(await madeRoute(call)).route}`, json: { priority: 3 }, actions: ['route.update'] };
  },
  'PATCH /admin/routes/:id': async (_fixture, call) => {
    return { path: `/admin/routes/${(await madeRoute(call)).route}`, json: { enabled: false }, actions: ['route.update'] };
  },
  'DELETE /admin/routes/:id': async (_fixture, call) => {
    return { path: `/admin/routes/${(await madeRoute(call)).route}`, actions: ['route.delete'] };
  },
  'POST /admin/keys': () => ({ path: '/admin/keys', json: key(), actions: ['key.create'] }),
  'PUT /admin/keys/:id': madeOne('/admin/keys', key, { json: { rate_limit_per_minute: 3 }, actions: ['key.update'] }),
  'PATCH /admin/keys/:id': madeOne('/admin/keys', key, { json: { name: 'web' }, actions: ['key.update'] }),
  'POST /admin/keys/:id/revoke': madeOne('/admin/keys', key, { actions: ['key.revoke'] }, '/revoke'),
  'DELETE /admin/keys/:id': madeOne('/admin/keys', key, { actions: ['key.delete'] }),
  'POST /admin/apply': () => ({
    path: '/admin/apply',
    json: { upstreams: [upstream('applied')], routes: [{ name: 'applied', path_pattern: '/x', upstream: 'applied' }], keys: [key()] },
    actions: ['key.create', 'route.create', 'upstream.create'],
  }),
  'POST /admin/history/:revision/rollback': async (_fixture, call) => {
    const { name } = await made(call, '/admin/upstreams', upstream());
    const [{ revision }] = (await call('GET', '/admin/history?limit=1')).body.data as [{ revision: number }];
    await call('PATCH', `/admin/upstreams/${name}`, { json: { timeout_ms: 5 } });
    return { path: `/admin/history/${revision}/rollback`, actions: ['upstream.update'] };
  },
  'POST /admin/tokens': () => ({ path: '/admin/tokens', json: token(), actions: ['token.create'] }),
  'PUT /admin/tokens/:id': madeOne('/admin/tokens', token, { json: { scope: 'write' }, actions: ['token.update'] }),
  'PATCH /admin/tokens/:id': madeOne('/admin/tokens', token, { json: { name: 'cd' }, actions: ['token.update'] }),
  'POST /admin/tokens/:id/revoke': madeOne('/admin/tokens', token, { actions: ['token.revoke'] }, '/revoke'),
  'DELETE /admin/tokens/:id': madeOne('/admin/tokens', token, { actions: ['token.delete'] }),
  'POST /admin/admins': () => ({ path: '/admin/admins', json: admin(), actions: ['admin.create'] }),
  'PUT /admin/admins/:id': madeOne('/admin/admins', admin, { json: { email: 'eve@example.com' }, actions: ['admin.update'] }),
  'PATCH /admin/admins/:id': madeOne('/admin/admins', admin, { json: { password: goodPassword }, actions: ['admin.update'] }),
  'DELETE /admin/admins/:id': madeOne('/admin/admins', admin, { actions: ['admin.delete'] }),
};

/** They change nothing: tests, a preview and an explanation, of what is not stored too. */
const withoutChange = new Set([
  'POST /admin/upstreams/test',
  'POST /admin/upstreams/:id/test',
  'POST /admin/routes/preview',
  'POST /admin/explain',
]);
/** It works without an admin only: see below. */
const atTheBeginning = 'POST /admin/setup';

let requests = 0;

/** One call, and the rows that it left in the audit log. */
async function rowsOf(fixture: AppFixture, method: string, { path, json, ...options }: CallOptions & { path: string }) {
  const requestId = `audited-${(requests += 1)}`;
  const env = { remoteAddress: '10.1.2.3', requestId };
  const answer = await fixture.call(method, path, { ...options, ...(json === undefined ? {} : { json }), env });
  const rows = (await fixture.access.audit()).filter((row) => row.request_id === requestId);
  return { answer, rows };
}

const actionsOf = (rows: readonly AuditRow[]): string[] => rows.map(({ action }) => action).toSorted();

describe('the audit log', () => {
  it('has what every route of the router does that may change something: who, from where, with which request', async () => {
    await using fixture = await openApp();
    const routes = fixture.app.access.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(
      routes.filter((each) => !(each in acts) && !withoutChange.has(each) && each !== atTheBeginning),
      [],
      'a route that may change something and does not say here what the audit log has of it',
    );
    assert.deepEqual(
      [...Object.keys(acts), ...withoutChange].filter((each) => !routes.includes(each)),
      [],
      'routes that there are no more',
    );
    for (const [name, act] of Object.entries(acts)) {
      const cookie = await fixture.signIn();
      const call: AppFixture['call'] = (method, path, options) => fixture.call(method, path, { cookie, ...options });
      const { actions, ...rest } = await act(fixture, call);
      const { answer, rows } = await rowsOf(fixture, name.split(' ')[0]!, { cookie, ...rest });
      assert.ok(answer.status >= 200 && answer.status < 300, `${name}: ${answer.status} ${answer.text}`);
      assert.deepEqual(actionsOf(rows), actions, name);
      for (const row of rows) {
        assert.deepEqual([row.actor_kind, row.actor_label, row.remote_address], ['admin', firstAdmin, '10.1.2.3'], name);
        assert.ok(row.resource_id !== '' && row.resource_name !== '', name);
        assert.doesNotMatch(JSON.stringify(row), /canary|passphrase|correct horse/, name);
      }
    }
  });

  it('has who did it by token too', async () => {
    await using fixture = await openApp();
    const authorization = await fixture.token('admin');
    const { rows } = await rowsOf(fixture, 'POST', { path: '/admin/upstreams', json: upstream(), authorization });
    assert.deepEqual(
      rows.map(({ action, actor_kind: kind }) => [action, kind]),
      [['upstream.create', 'token']],
    );
  });

  it('has the set-up, and codes that were wrong', async () => {
    await using fixture = await openApp({ admins: [] });
    const code = await ensureSetupCode(fixture.access.access);
    const wrong = await rowsOf(fixture, 'POST', { path: '/admin/setup', json: { code: 'AAAA-BBBB', ...firstSignIn } });
    assert.deepEqual([wrong.answer.status, actionsOf(wrong.rows)], [401, ['set_up.failed']]);
    const right = await rowsOf(fixture, 'POST', { path: '/admin/setup', json: { code, ...firstSignIn } });
    assert.deepEqual([right.answer.status, actionsOf(right.rows)], [201, ['session.sign_in', 'set_up.complete']]);
  });

  it('has sign-ins that were refused, of known accounts by name, and what was guessed in none of them', async () => {
    await using fixture = await openApp();
    const guess = 'a canary that was typed';
    const known = await rowsOf(fixture, 'POST', { path: '/admin/login', json: { email: firstAdmin, password: guess } });
    const unknown = await rowsOf(fixture, 'POST', {
      path: '/admin/login',
      json: { email: `${guess}@example.com`.replaceAll(' ', '-'), password: guess },
    });
    for (const { answer, rows } of [known, unknown]) {
      assert.equal(answer.status, 401);
      assert.deepEqual(
        rows.map((row) => [row.action, row.actor_kind, row.remote_address]),
        [['session.sign_in_failed', 'anonymous', '10.1.2.3']],
      );
      assert.doesNotMatch(JSON.stringify(rows), /canary/);
    }
    assert.equal(known.rows[0]!.resource_name, firstAdmin);
  });

  it('has guesses of the current password by whoever has a session, and not what was guessed', async () => {
    await using fixture = await openApp();
    const cookie = await fixture.signIn();
    const json = { password: 'a new good passphrase', current_password: 'a canary that was guessed' };
    const { answer, rows } = await rowsOf(fixture, 'PATCH', { path: `/admin/admins/${firstAdmin}`, json, cookie });
    assert.equal(answer.status, 422);
    assert.deepEqual(
      rows.map((row) => [row.action, row.actor_label, row.resource_name]),
      [['admin.password_refused', firstAdmin, firstAdmin]],
    );
    assert.doesNotMatch(JSON.stringify(rows), /canary|passphrase/);
  });

  it('has nothing of what was refused or changes nothing', async () => {
    await using fixture = await openApp();
    const cookie = await fixture.signIn();
    await made((method, path, options) => fixture.call(method, path, { cookie, ...options }), '/admin/upstreams', upstream('api'));
    for (const [method, path, json] of [
      ['POST', '/admin/apply?dry_run=true', { upstreams: [upstream('new')] }],
      ['POST', '/admin/history/1/rollback?dry_run=true', undefined],
      ['PATCH', '/admin/upstreams/api', { timeout_ms: 0 }],
      ['PATCH', '/admin/upstreams/api', { name: 'api' }],
      ['DELETE', '/admin/upstreams/none', undefined],
    ] as const) {
      const { rows } = await rowsOf(fixture, method, { path, cookie, ...(json === undefined ? {} : { json }) });
      assert.deepEqual(rows, [], `${method} ${path}`);
    }
  });
});
