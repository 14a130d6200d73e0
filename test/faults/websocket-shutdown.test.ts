import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deadlineIn } from '../support/byte-stream.ts';
import { eventually } from '../support/eventually.ts';
import type { RawClient } from '../support/raw-client.ts';
import { type Script, startScriptedUpstream, type UpstreamConnection } from '../support/scripted-upstream.ts';
import { startGateway } from '../support/start-gateway.ts';
import { frame, openTunnel, tunnel } from '../support/websocket.ts';

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe('at the drain deadline', { concurrency: 4 }, () => {
  /** Hands `serve` what a tunnel is like on a gateway that has 700 ms to drain; `stop` begins the shutdown. */
  async function draining(
    script: Script,
    serve: (client: RawClient, upstream: UpstreamConnection, stop: () => void) => Promise<void>,
  ): Promise<void> {
    const upstream = await startScriptedUpstream(script);
    const gateway = await startGateway({ upstream: upstream.url, env: { APIGATE_DRAIN_TIMEOUT: '700ms' } });
    try {
      using client = await openTunnel(gateway.port);
      await serve(client, upstream.open[0]!, () => gateway.process.kill('SIGTERM'));
      await eventually(() => gateway.exit !== undefined, 'the exit', 5_000);
      assert.equal(gateway.exit, 0);
      assert.equal((await gateway.record(({ status }) => status === 101))['reason'], 'the drain deadline passed');
    } finally {
      gateway.process.kill('SIGKILL');
      await gateway.stop();
      await upstream.close();
    }
  }

  test('a tunnel between two frames gets a close frame 1001 on both sides, and serves until then', async () => {
    let received = Buffer.alloc(0);
    const keeps = tunnel(async (connection) => {
      for (;;) {
        const piece = await connection.stream.some(deadlineIn(60_000), 'bytes of the tunnel');
        if (piece === undefined) return;
        received = Buffer.concat([received, piece]);
        if (piece[0] === 0x81) await connection.write(piece);
      }
    });
    await draining(keeps, async (client, upstream, stop) => {
      const began = performance.now();
      stop();
      await pause(200);
      const sent = frame('still served', true);
      await client.send(sent);
      assert.ok(sent.equals(await client.stream.exactly(sent.length, deadlineIn(2_000), 'the echo')));
      const { ending, rest } = await client.ended(5_000);
      assert.deepEqual([ending, rest.toString('hex')], ['fin', '880203e9']);
      assert.ok(performance.now() - began > 600, 'not before the deadline');
      await upstream.closed;
      const [first, second, mask, payload] = [received.at(-8), received.at(-7), received.subarray(-6, -2), received.subarray(-2)];
      assert.deepEqual([first, second], [0x88, 0x82], 'masked, as all that goes to a server');
      assert.equal(((payload[0]! ^ mask[0]!) << 8) | (payload[1]! ^ mask[1]!), 1001);
    });
  });

  test('a tunnel in the middle of a frame is reset on both sides', async () => {
    const half = Buffer.from('827e0fff', 'hex');
    const halves = tunnel(async (connection) => {
      await connection.write(half);
      await connection.closed;
    });
    await draining(halves, async (client, upstream, stop) => {
      await client.stream.exactly(half.length, deadlineIn(2_000), 'half a frame');
      await client.send(Buffer.from('82fe0fff00000000', 'hex'));
      await eventually(() => upstream.receivedBytes > 0 && upstream.stream.peek().length === 8, 'half a frame upstream');
      stop();
      assert.deepEqual(await client.ended(5_000), { ending: 'reset', rest: Buffer.alloc(0) });
      assert.equal(await upstream.closed, 'reset');
    });
  });

  test('behind a close frame that has passed already comes no other', async () => {
    const closing = tunnel(async (connection) => {
      await connection.write(Buffer.from('880203e8', 'hex'));
      await connection.closed;
    });
    await draining(closing, async (client, _upstream, stop) => {
      stop();
      const { ending, rest } = await client.ended(5_000);
      assert.deepEqual([ending, rest.toString('hex')], ['fin', '880203e8']);
    });
  });
});
