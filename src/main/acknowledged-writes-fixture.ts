/**
 * A process that makes one upstream after another on the local database, as CLI commands do, until it is killed:
 * `node acknowledged-writes-fixture.ts PREFIX`. Prints each name when it was acknowledged.
 */
import { openLocalAdmin } from './open-local-admin.ts';
import { loadSettings } from '../settings/load-settings.ts';

const [prefix = ''] = process.argv.slice(2);
const admin = await openLocalAdmin(loadSettings({ env: process.env, cwd: process.cwd() }), process.stderr);
for (let number = 0; ; number += 1) {
  const name = `${prefix}-${number}`;
  const body = JSON.stringify({ name, base_url: 'http://127.0.0.1:9', auth_type: 'bearer', auth_value: `canary-${name}` });
  const request = new Request('http://localhost/admin/upstreams', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const answer = await admin.fetch(request);
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  process.stdout.write(`${name}\n`);
}
