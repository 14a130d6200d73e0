import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { eventually } from '../support/eventually.ts';
import { RawClient } from '../support/raw-client.ts';
import { answerOk, type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { entry, type Gateway, startGateway } from '../support/start-gateway.ts';

/**
 * Loaded into the gateway's threads: a worker says how many client connections its memory holds when a file asks for it.
 * It takes a while, so not more often.
 */
const probe = `
  import { isMainThread } from 'node:worker_threads';
  import v8 from 'node:v8';
  import { rmSync, existsSync, writeSync } from 'node:fs';
  if (!isMainThread) {
    const { ServerConnection } = await import(${JSON.stringify(pathToFileURL(join(dirname(entry), `../http/server-connection${extname(entry)}`)).href)});
    setInterval(() => {
      if (!existsSync('ask')) return;
      writeSync(2, 'held=' + v8.queryObjects(ServerConnection) + '\\n');
      rmSync('ask');
    }, 50).unref();
  }
`;

let gateway: Gateway;
let upstream: ScriptedUpstream;
before(async () => {
  upstream = await startScriptedUpstream(answerOk);
  gateway = await startGateway({
    upstream: upstream.url,
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(probe)}` },
  });
});
after(async () => {
  await upstream.close();
  assert.equal(await gateway.stop(), 0);
});

async function held(): Promise<number> {
  const question = join(gateway.directory, 'ask');
  writeFileSync(question, '');
  await eventually(
    () => !existsSync(question),
    () => `an answer of the probe\n${gateway.stderr}`,
    20_000,
  );
  await eventually(() => /held=\d+\n[^]*$/.test(gateway.stderr), 'the count');
  return Number([...gateway.stderr.matchAll(/held=(\d+)\n/g)].at(-1)![1]);
}

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
  let count = 0;
  await eventually(
    async () => (count = await held()) <= 2,
    () => `${count} connections in memory`,
    8_000,
  );
});
