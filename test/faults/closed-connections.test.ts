import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { RawClient } from '../support/raw-client.ts';
import { answerOk, type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';
import { probeEnvironment, threadMemory } from '../support/thread-probe.ts';

let gateway: Gateway;
let upstream: ScriptedUpstream;
before(async () => {
  upstream = await startScriptedUpstream(answerOk);
  gateway = await startGateway({ upstream: upstream.url, env: probeEnvironment });
});
after(async () => {
  await upstream.close();
  assert.equal(await gateway.stop(), 0);
});

test('connections that are closed do not stay in memory, whatever became of their last request', async () => {
  const requests = [
    'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n',
    'GET / HTTP/1.1\r\nHost : a.test\r\n\r\n',
    'GET /bad HTTP/1.1\r\nHost: a.test\r\n\r\n',
  ];
  upstream.script = async (request, connection) => {
    if (request.target === '/bad') await connection.write('HTTP/1.1 2x0\r\n\r\n');
    else await answerOk(request, connection);
  };
  for (const bytes of requests) {
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          using client = await RawClient.connect(gateway.port);
          await client.send(bytes);
          await client.response();
          client.end();
          await client.ended();
        }),
      );
    }
  }
  // The timers of a request are 30 s ahead: what is counted now is held on to, not merely not yet collected.
  let held = 0;
  await eventually(
    async () => (held = (await threadMemory(gateway, 1)).connections) <= 2,
    () => `${held} connections in memory`,
    8_000,
  );
});
