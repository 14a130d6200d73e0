import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { fetchRaw } from '../support/raw-client.ts';
import { answerOk, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { startGateway } from '../support/start-gateway.ts';
import { openFilesOf } from '../support/tcp-sockets.ts';

const openFiles = 160;

test('out of file descriptors and back: the gateway lives, says so, and serves again', async () => {
  const upstream = await startScriptedUpstream(answerOk);
  const gateway = await startGateway({ upstream: upstream.url, openFiles });
  try {
    assert.equal((await fetchRaw(gateway.port, 'GET')).status, 200);
    await upstream.dropConnections();
    const sockets = Array.from({ length: 300 }, () => {
      const socket = net.connect(gateway.port, '127.0.0.1');
      socket.on('error', () => {});
      return socket;
    });
    await eventually(() => openFilesOf(gateway.pid) >= openFiles, 'descriptors are used up', 10_000);
    assert.equal(gateway.exit, undefined);
    // One that was accepted may ask; its upstream connect has no descriptor left.
    const answers = sockets.slice(0, 5).map(
      (socket) =>
        new Promise<string>((resolve) => {
          let text = '';
          socket.on('data', (piece: Buffer) => (text += piece.latin1Slice()));
          socket.on('close', () => resolve(text));
          socket.write('GET /starved HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        }),
    );
    const starved = await answers[0]!;
    assert.match(starved, /^HTTP\/1\.1 503 /, 'the gateway cannot take more: no defect, and not for ever');
    assert.match(starved, /\r\nRetry-After: \d+\r\n/);
    assert.match(starved, /"code":"upstream_overloaded"/);
    const record = await gateway.record((each) => each.request_id === /\r\nX-Request-Id: (\S+)/.exec(starved)![1]);
    assert.equal(record.outcome, 'overload');
    assert.match(JSON.stringify(record), /file descriptors/, 'the operator is told what to raise');
    assert.equal(gateway.exit, undefined);
    for (const socket of sockets) socket.destroy();
    await eventually(
      async () => (await fetchRaw(gateway.port, 'GET', { timeoutMs: 1_000 }).catch(() => undefined))?.status === 200,
      'service again',
      5_000,
    );
    for (let round = 0; round < 20; round += 1) assert.equal((await fetchRaw(gateway.port, 'GET')).status, 200);
    assert.doesNotMatch(gateway.stderr, /Uncaught|Unhandled|    at .*\.ts/);
    assert.equal(await gateway.stop(), 0);
  } finally {
    gateway.process.kill('SIGKILL');
    await gateway.stop();
    await upstream.close();
  }
});
