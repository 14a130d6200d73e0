import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { RawClient } from '../support/raw-client.ts';
import { adminEmail, adminPassword } from '../support/start-gateway.ts';
import { residentMemoryOf } from '../support/tcp-sockets.ts';

const harness = useGateway({ admin: true, workers: 2, concurrent: true });
const attempts = 1_000;
const skip = process.env['APIGATE_TEST_LONG'] !== '1' && 'takes 15 s of the processor: set APIGATE_TEST_LONG=1';

test(
  `O08 ${attempts} sign-ins at once: few are hashed, the others are told to come back, and traffic is served all the time`,
  { skip },
  async () => {
    const { gateway } = harness;
    const anybody = new AdminSession(gateway, {});
    const memory = residentMemoryOf(gateway.pid);
    const flood = { isOver: false };
    const latencies: number[] = [];
    const traffic = (async () => {
      using client = await RawClient.connect(harness.port);
      while (!flood.isOver) {
        const start = performance.now();
        assert.equal((await client.request('GET', { target: '/beside' })).status, 200);
        latencies.push(performance.now() - start);
      }
    })();
    const answers: Awaited<ReturnType<AdminSession['call']>>[] = [];
    // Accounts of their own: what holds them back is the work, not the count of failures.
    const all = Promise.all(
      Array.from({ length: attempts }, async (_, index) => {
        answers.push(await anybody.call('POST', '/login', { body: { email: `nobody-${index}@example.test`, password: 'wrong' } }));
      }),
    );
    await eventually(() => answers.length >= attempts / 2, 'answers to most of them', 60_000);
    const highest = residentMemoryOf(gateway.pid) - memory;
    await all;
    flood.isOver = true;
    await traffic;
    const statuses = new Map<number, number>();
    for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    assert.deepEqual(
      [...statuses.keys()].toSorted((a, b) => a - b),
      [401, 429],
    );
    // Two at once, thirty-two that wait, and the few whose turn comes meanwhile; ten are free for an address.
    assert.ok(statuses.get(401)! <= 60, `${statuses.get(401)} were hashed`);
    for (const { status, headers } of answers) if (status === 429) assert.match(headers['retry-after'] ?? '', /^\d+$/);
    latencies.sort((a, b) => a - b);
    const p99 = latencies[Math.floor(latencies.length * 0.99)]!;
    assert.ok(latencies.length > 100 && p99 < 1_000, `${latencies.length} requests beside, p99 ${p99} ms`);
    // scrypt takes 128 MiB for each that runs.
    assert.ok(highest < 600 * 1_048_576, `${Math.round(highest / 1_048_576)} MiB more`);

    await eventually(
      async () => (await anybody.call('POST', '/login', { body: { email: adminEmail, password: adminPassword } })).status === 200,
      'a sign-in once it is over',
      90_000,
    );
  },
);
