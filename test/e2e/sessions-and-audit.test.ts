import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { useGateway } from '../support/harness.ts';
import { localEnvironment, remoteEnvironment, runApigate } from '../support/run-apigate.ts';
import { adminEmail, adminPassword } from '../support/start-gateway.ts';

const harness = useGateway({ admin: true, script: false, concurrent: true });
const local = () => ({ env: localEnvironment(harness.gateway) });
const otherEmail = 'other@example.test';

async function rows(args: readonly string[], options: Parameters<typeof runApigate>[1] = local()): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await runApigate([...args, '-o', 'json'], options);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Record<string, unknown>[];
}

describe('sessions', () => {
  test('M01 are listed and ended, one or all of an admin, by the CLI and over REST; what was ended is 401 at once', async () => {
    const { gateway } = harness;
    await gateway.admin.must('POST', '/admins', { email: otherEmail, password: adminPassword });
    const first = await AdminSession.signIn(gateway);
    const second = await AdminSession.signIn(gateway);
    const other = await AdminSession.signIn(gateway, otherEmail, adminPassword);
    const listed = await rows(['sessions', 'list', '--admin', adminEmail]);
    assert.ok(listed.length >= 2 && listed.every(({ email }) => email === adminEmail));
    assert.ok(!JSON.stringify(listed).includes(first.cookie.slice('session='.length)));
    const own = await second.must('GET', '/sessions');
    const current = (own['data'] as { id: string; current: boolean; email: string }[]).find((session) => session.current);
    assert.equal(current?.email, adminEmail);
    const ended = await runApigate(['sessions', 'revoke', current.id], local());
    assert.deepEqual([ended.code, ended.stderr], [0, `Ended session ${current.id}.\n`]);
    assert.equal((await second.call('GET', '/me')).status, 401);
    assert.equal((await first.call('GET', '/me')).status, 200);
    const again = await runApigate(['sessions', 'revoke', current.id], local());
    assert.equal(again.code, 3, again.stderr);
    const token = (await first.must('POST', '/tokens', { name: 'ops', scope: 'admin' }))['token'] as string;
    const all = await runApigate(['sessions', 'revoke', '--admin', otherEmail], { env: remoteEnvironment(gateway, token) });
    assert.equal(all.stderr, 'Ended 1 session.\n');
    assert.equal((await other.call('GET', '/me')).status, 401);
    assert.equal((await first.call('GET', '/me')).status, 200);
    for (const wrong of [[], ['--all', '--admin', otherEmail], ['ses_1', '--all']])
      assert.equal((await runApigate(['sessions', 'revoke', ...wrong], local())).code, 2);
  });

  test('a new password ends the other sessions, and the one that changed it goes on', async () => {
    const { gateway } = harness;
    const email = 'changes@example.test';
    await gateway.admin.must('POST', '/admins', { email, password: adminPassword });
    const changing = await AdminSession.signIn(gateway, email, adminPassword);
    const left = await AdminSession.signIn(gateway, email, adminPassword);
    assert.notEqual(changing.cookie, left.cookie, 'each sign-in has an id of its own');
    await changing.must('PUT', `/admins/${email}`, { password: 'quite-another-passphrase', current_password: adminPassword });
    assert.equal((await left.call('GET', '/me')).status, 401);
    assert.equal((await changing.call('GET', '/me')).status, 200);
    assert.equal((await left.call('POST', '/login', { body: { email, password: adminPassword } })).status, 401);
  });
});

describe('the audit log', () => {
  test('has every change and every sign-in, is searched and paged, and is for scope admin alone', async () => {
    const { gateway } = harness;
    const session = await AdminSession.signIn(gateway);
    await session.call('POST', '/login', { body: { email: adminEmail, password: 'wrong' } });
    const since = new Date().toISOString();
    const made = await session.must('POST', '/upstreams', { name: 'audited', base_url: 'http://127.0.0.1:9' });
    await session.must('PUT', '/upstreams/audited', { timeout_ms: 1_234 });
    const { code } = await runApigate(['upstreams', 'update', 'audited', '--timeout', '2000'], local());
    assert.equal(code, 0);
    await session.must('DELETE', '/upstreams/audited');
    const list = async (query: string): Promise<{ total: number; next_cursor: string | null; data: Record<string, unknown>[] }> =>
      (await session.must('GET', `/audit?${query}`)) as never;
    const all = await list('resource=audited');
    assert.deepEqual(
      all.data.map(({ action, actor_kind: kind }) => [action, kind]),
      [
        ['upstream.delete', 'admin'],
        ['upstream.update', 'cli'],
        ['upstream.update', 'admin'],
        ['upstream.create', 'admin'],
      ],
    );
    assert.deepEqual([all.total, all.next_cursor], [4, null]);
    assert.match(JSON.stringify(all.data[2]!['detail']), /timeout_ms/);
    assert.equal(all.data[3]!['resource_id'], made['id']);
    const page = await list('resource=audited&limit=3');
    assert.equal(page.data.length, 3);
    assert.deepEqual(
      (await list(`resource=audited&limit=3&cursor=${page.next_cursor}`)).data.map(({ action }) => action),
      ['upstream.create'],
    );
    assert.deepEqual((await list(`resource=audited&actor=${adminEmail}&action=upstream.update&since=${since}`)).data.length, 1);
    assert.equal((await list('resource=audited&until=2020-01-01')).total, 0);
    assert.ok((await list('action=session.sign_in_failed')).total >= 1);
    assert.ok((await list('action=session')).data.some(({ action }) => action === 'session.sign_in'));
    for (const [query, field] of [
      ['since=yesterday', 'since'],
      ['until=2027-13-01', 'until'],
      ['limit=0', 'limit'],
      ['cursor=x', 'cursor'],
      ['q=x', 'q'],
    ] as const) {
      const answer = await session.call('GET', `/audit?${query}`);
      assert.deepEqual([answer.status, (answer.body['errors'] as { field: string }[])[0]?.field], [422, field]);
    }
    for (const scope of ['read', 'write', 'admin']) {
      const token = (await session.must('POST', '/tokens', { name: `audit-${scope}`, scope }))['token'] as string;
      assert.equal((await AdminSession.withToken(gateway, token).call('GET', '/audit')).status, scope === 'admin' ? 200 : 403, scope);
    }
  });

  test('is read with the CLI, newest first, as many as asked for', async () => {
    const found = await rows(['audit', 'list', '--resource', 'audited', '--limit', '2']);
    assert.deepEqual(
      found.map(({ action }) => action),
      ['upstream.delete', 'upstream.update'],
    );
    const table = await runApigate(['audit', 'list', '--resource', 'audited'], local());
    assert.match(table.stdout, /TIME +ACTOR +FROM +ACTION +RESOURCE +REVISION\n.*upstream\.delete/);
    const none = await runApigate(['audit', 'list', '--resource', 'nothing'], local());
    assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'No entries match.\n']);
    const wrong = await runApigate(['audit', 'list', '--since', 'yesterday'], local());
    assert.equal(wrong.code, 2);
    assert.equal((await runApigate(['audit', 'list', '--limit', '0'], local())).code, 2);
  });
});
