import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { localEnvironment, runApigate } from '../test/support/run-apigate.ts';
import { answerOk, startScriptedUpstream } from '../test/support/scripted-upstream.ts';
import { startGateway } from '../test/support/start-gateway.ts';

test('gateway.yaml is applied as it is, and what it declares is served', async () => {
  const upstream = await startScriptedUpstream(answerOk);
  const gateway = await startGateway({ env: { ORDERS_TOKEN: 'token-of-orders' } });
  try {
    const file = join(gateway.directory, 'gateway.yaml');
    await copyFile(join(import.meta.dirname, 'gateway.yaml'), file);
    const options = { env: localEnvironment(gateway), cwd: gateway.directory };
    const first = await runApigate(['apply', '-f', 'gateway.yaml'], options);
    assert.equal(first.code, 0, first.stderr);
    const key = /^API key mobile-app: (ak_\S+)$/m.exec(first.stdout)?.[1];
    assert.ok(key, first.stdout);

    const here = (await readFile(file, 'utf8')).replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, upstream.url);
    await writeFile(file, here);
    const second = await runApigate(['apply', '-f', 'gateway.yaml'], options);
    assert.equal(second.code, 0, second.stderr);
    // The origin changed; the reference was given again, so that is no way to steal a credential.
    assert.match(second.stdout, /updated upstream orders\n {2}base_url: /);

    const orders = await fetch(`${gateway.url}/orders/1`, { headers: { 'X-API-Key': key } });
    assert.equal(orders.status, 200, await orders.text());
    assert.equal(upstream.requests.at(-1)?.value('authorization'), 'Bearer token-of-orders');
    const status = await fetch(`${gateway.url}/status`);
    assert.equal(status.status, 200, await status.text());
    assert.equal(upstream.requests.at(-1)?.target, '/public/status');
  } finally {
    assert.equal(await gateway.stop(), 0);
    await upstream.close();
  }
});
