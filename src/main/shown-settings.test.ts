import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSettings } from '../settings/load-settings.ts';
import { shownSettings } from './shown-settings.ts';

test('settings are shown with where they came from and how to set them, and secrets never', () => {
  const secrets = {
    APIGATE_SECRET_KEY: 'c2VjcmV0LUNhbmFyeS1rZXktb2YtMzItYnl0ZXMhISE=',
    APIGATE_ADMIN_PASSWORD: 'a-long-Canary-passphrase-93',
  };
  const env = { ...secrets, APIGATE_ADMIN_EMAIL: 'ann@example.com', APIGATE_MAX_HEADERS: '50' };
  const shown = shownSettings(loadSettings({ flags: { port: '9000' }, env, cwd: '/tmp' }));
  const byKey = new Map(shown.map((setting) => [setting.key, setting]));
  assert.deepEqual(byKey.get('server_port'), {
    key: 'server_port',
    flag: '--port',
    environment: 'APIGATE_SERVER_PORT',
    value: 9000,
    origin: 'flag --port',
    help: 'port for HTTP; 0 turns plain HTTP off (with TLS)',
    default: '8080',
    secret: false,
  });
  assert.equal(byKey.get('max_headers')?.origin, 'environment APIGATE_MAX_HEADERS');
  assert.equal(byKey.get('workers')?.origin, 'default');
  assert.deepEqual([byKey.get('secret_key')?.secret, byKey.get('admin_password')?.secret], [true, true]);
  const text = JSON.stringify(shown);
  for (const secret of Object.values(secrets)) assert.ok(!text.includes(secret), 'a secret is shown');
});
