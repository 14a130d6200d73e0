import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApp } from './admin-app-fixture.ts';

test('settings are shown to admins and to tokens of scope admin, and to nobody else', async () => {
  await using fixture = await openApp();
  assert.equal((await fixture.call('GET', '/admin/settings')).status, 401);
  for (const scope of ['read', 'write'] as const) {
    assert.equal((await fixture.call('GET', '/admin/settings', { authorization: await fixture.token(scope) })).status, 403);
  }
  const { status, body } = await fixture.call('GET', '/admin/settings', { cookie: await fixture.signIn() });
  assert.equal(status, 200);
  assert.deepEqual([body.total, body.data[0].key, body.data[0].origin], [1, 'workers', 'flag --workers']);
  assert.deepEqual(body.listeners, [{ scheme: 'http', host: '0.0.0.0', port: 8080, planes: ['traffic', 'admin'] }]);
});
