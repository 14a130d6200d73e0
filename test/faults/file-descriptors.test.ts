import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { fetchRaw } from '../support/raw-client.ts';
import { answerOk, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { startGateway } from '../support/start-gateway.ts';
import { networkSocketsOf } from '../support/tcp-sockets.ts';

test('out of file descriptors and back: the gateway lives, says so, and serves again', async () => {
  const upstream = await startScriptedUpstream(answerOk);
  const gateway = await startGateway({ upstream: upstream.url, openFiles: 160 });
  try {
    assert.equal((await fetchRaw(gateway.port, 'GET')).status, 200);
    await upstream.dropConnections();
    const sockets = Array.from({ length: 300 }, () => {
      const socket = net.connect(gateway.port, '127.0.0.1');
      socket.on('error', () => {});
      return socket;
    });
    await eventually(() => networkSocketsOf(gateway.pid) > 60, 'descriptors are used up');
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(gateway.exit, undefined);
    // One that was accepted may ask; its upstream connect has no descriptor left.
    for (const socket of sockets.slice(0, 5)) socket.write('GET /starved HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 500));
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
