import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';

async function withGateway(body: (gateway: Gateway) => Promise<void>, prefix: readonly string[] = []): Promise<void> {
  const upstream = await startScriptedUpstream(answerOk);
  const gateway = await startGateway({ upstream: upstream.url, workers: 2, prefix });
  try {
    await body(gateway);
    assert.equal(await gateway.stop(), 0);
  } finally {
    gateway.process.kill('SIGKILL');
    await gateway.stop();
    await upstream.close();
  }
}

/** Requests enough to fill any pipe with access lines; answers the slowest in milliseconds. */
async function load(gateway: Gateway, count: number): Promise<number> {
  let slowest = 0;
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      using client = await RawClient.connect(gateway.port);
      for (let round = 0; round < count / 4; round += 1) {
        const start = performance.now();
        assert.equal((await client.request('GET', { target: `/logged/${'p'.repeat(200)}` })).status, 200);
        slowest = Math.max(slowest, performance.now() - start);
      }
    }),
  );
  return slowest;
}

describe('K04 the consumer of stdout', { concurrency: true }, () => {
  test('K04 stops reading: requests are served, nothing blocks, and it may go on reading later', async () => {
    await withGateway(async (gateway) => {
      gateway.process.stdout!.pause();
      const slowest = await load(gateway, 4_000);
      assert.ok(slowest < 3_000, `the slowest answer took ${slowest} ms`);
      assert.equal(gateway.exit, undefined);
      gateway.process.stdout!.resume();
      await fetchRaw(gateway.port, 'GET', { target: '/after-the-pause' });
      await eventually(() => gateway.records.some((record) => record.path === '/after-the-pause'), 'records come again');
    });
  });

  test('K04 goes away (EPIPE): requests are served and the process lives', async () => {
    await withGateway(async (gateway) => {
      gateway.process.stdout!.destroy();
      await load(gateway, 400);
      assert.equal(gateway.exit, undefined);
      assert.equal(await gateway.status('/readyz'), 200);
    });
  });
});

test(
  'O05 a disk that is full of log: requests are served, what is lost is counted, and the process lives',
  { skip: !existsSync('/dev/full') && 'there is no /dev/full' },
  async () => {
    // Each write there fails as on a full disk.
    const prefix = ['sh', '-c', 'exec "$0" "$@" > /dev/full'];
    await withGateway(async (gateway) => {
      // Lines wait in 8 MiB, of which each of these takes a thousandth or so.
      const target = `/logged/${'p'.repeat(7_000)}`;
      let slowest = 0;
      const dropped = async (): Promise<number> => {
        const text = await (await fetch(`${gateway.url}/metrics`)).text();
        return Number(/^apigate_log_lines_dropped_total (\d+)$/m.exec(text)?.[1]);
      };
      using client = await RawClient.connect(gateway.port);
      for (let round = 0; (await dropped()) === 0; round += 1) {
        assert.ok(round < 40, 'nothing was dropped');
        for (let count = 0; count < 200; count += 1) {
          const start = performance.now();
          assert.equal((await client.request('GET', { target })).status, 200);
          slowest = Math.max(slowest, performance.now() - start);
        }
      }
      assert.ok(slowest < 3_000, `the slowest answer took ${slowest} ms`);
      assert.equal(gateway.exit, undefined);
      assert.equal(await gateway.status('/readyz'), 200);
    }, prefix);
  },
);
