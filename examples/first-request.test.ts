import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, unlessInstalled } from '../test/support/foreign-program.ts';
import { machineEnvironment } from '../test/support/machine-node.ts';
import { answerOk, startScriptedUpstream } from '../test/support/scripted-upstream.ts';
import { entry, startGateway } from '../test/support/start-gateway.ts';

test('first-request.sh gets an answer of the upstream, with a key made for it', { skip: unlessInstalled('curl') }, async () => {
  const upstream = await startScriptedUpstream(answerOk);
  const gateway = await startGateway();
  try {
    const result = await run(join(import.meta.dirname, 'first-request.sh'), [upstream.url, '/v1/users'], {
      cwd: gateway.directory,
      env: { ...machineEnvironment(), APIGATE: `${process.execPath} ${entry}`, GATEWAY: gateway.url },
    });
    assert.equal(result.code, 0, result.stdout + result.stderr);
    const seen = upstream.requests.at(-1);
    assert.equal(seen?.target, '/v1/users');
  } finally {
    assert.equal(await gateway.stop(), 0);
    await upstream.close();
  }
});
