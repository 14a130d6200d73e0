import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RawClient } from '../support/raw-client.ts';
import { answerOk, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { startGateway } from '../support/start-gateway.ts';

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** More than the kernel's buffers between gateway and client hold at first: some of it is still to be sent when the answer is written. */
const size = 1_500_000;
const further = 'GET /further HTTP/1.1\r\nHost: a.example\r\n\r\n';

// Closing a socket with unread bytes, or before more arrive, makes the kernel throw away what it has not sent (RFC 9112 section 9.6).
describe(
  'the last answer on a connection arrives whole, however slowly it is read and whatever the client sends behind its request',
  { concurrency: true },
  () => {
    const closing: Readonly<Record<string, string>> = {
      'Connection: close': 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n',
      'HTTP/1.0': 'GET / HTTP/1.0\r\nHost: a.example\r\n\r\n',
    };
    const behind: Readonly<Record<string, string>> = { 'more than is kept': further.repeat(4_000), 'a late empty line': '\r\n' };
    for (const [how, request] of Object.entries(closing)) {
      for (const [what, bytes] of Object.entries(behind)) {
        test(`${how}, ${what}`, async () => {
          const upstream = await startScriptedUpstream(async (received, connection) => {
            await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n${received.nonceEcho}\r\n`);
            await connection.write(Buffer.alloc(size, 'a'));
          });
          const gateway = await startGateway({ upstream: upstream.url });
          try {
            using client = await RawClient.connect(gateway.port);
            client.socket.pause();
            void client.send(request);
            await pause(500);
            void client.send(bytes);
            await pause(200);
            client.socket.resume();
            const response = await client.response();
            assert.equal(response.status, 200);
            assert.equal(response.body.length, size);
            assert.equal((await client.ended()).ending, 'fin');
          } finally {
            await gateway.stop();
            await upstream.close();
          }
        });
      }
    }

    test('a drain that begins while requests wait behind the first', async () => {
      const upstream = await startScriptedUpstream(async (request, connection) => {
        if (request.target !== '/first') return answerOk(request, connection);
        await pause(300);
        await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        await connection.write(Buffer.alloc(size, 'a'));
      });
      const gateway = await startGateway({ upstream: upstream.url });
      try {
        using client = await RawClient.connect(gateway.port);
        client.socket.pause();
        void client.send(`GET /first HTTP/1.1\r\nHost: a.example\r\n\r\n${further.repeat(4_000)}`);
        await pause(100);
        gateway.process.kill('SIGTERM');
        await pause(800);
        client.socket.resume();
        const response = await client.response();
        assert.equal(response.body.length, size);
        assert.equal(response.value('connection'), 'close');
        assert.equal(await gateway.exited, 0);
      } finally {
        await gateway.stop();
        await upstream.close();
      }
    });
  },
);
