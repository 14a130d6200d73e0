import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createRateSlots, RateLimiter } from './rate-limiter.ts';

function limiter(): RateLimiter {
  const made = new RateLimiter();
  made.directory.learn(createRateSlots().assign(['a', 'b']));
  return made;
}

/** How many of `tries` drawings at one moment succeed. */
function burst(from: RateLimiter, limit: number, nowMs: number, tries = limit * 2 + 5): number {
  let taken = 0;
  for (let i = 0; i < tries; i++) if (from.take(0, limit, nowMs)) taken++;
  return taken;
}

const limits = [1, 2, 3, 7, 59, 60, 61, 100, 1000, 59_999, 71_582, 71_583, 100_000, 1_234_567];

for (const limit of limits) {
  test(`a limit of ${limit}: the burst is the limit, and a full minute brings it back`, () => {
    const start = 123_456_789;
    const bucket = limiter();
    assert.equal(burst(bucket, limit, start), limit);
    assert.equal(burst(bucket, limit, start, 5), 0);
    assert.equal(burst(bucket, limit, start + 60_000), limit);
  });
}

for (const limit of [1, 7, 60, 600, 71_583]) {
  test(`a limit of ${limit}: sustained drawing gets exactly the limit a minute`, () => {
    const bucket = limiter();
    const start = 1000;
    burst(bucket, limit, start);
    let taken = 0;
    const step = Math.max(1, Math.floor(7000 / limit));
    for (let now = start; now <= start + 5 * 60_000; now += step) {
      for (let i = 0; bucket.take(0, limit, now); i++) taken++;
    }
    assert.ok(taken <= limit * 5, `${taken} of ${limit * 5}`);
    assert.ok(taken >= limit * 5 - 1 - limit / 1000, `${taken} of ${limit * 5}`);
  });
}

test('what is left and when it comes back', () => {
  const bucket = limiter();
  assert.equal(bucket.take(0, 60, 0), true);
  assert.deepEqual([bucket.remaining, bucket.resetSeconds, bucket.retryAfterSeconds], [59, 1, 0]);
  burst(bucket, 60, 0);
  assert.deepEqual([bucket.remaining, bucket.resetSeconds, bucket.retryAfterSeconds], [0, 60, 1]);
  assert.equal(bucket.take(0, 60, 999), false);
  assert.equal(bucket.retryAfterSeconds, 1);
  assert.equal(bucket.take(0, 60, 1000), true);
  assert.deepEqual([bucket.remaining, bucket.resetSeconds], [0, 60]);
  assert.equal(bucket.take(1, 1, 0), true);
  assert.equal(bucket.take(1, 1, 1), false);
  assert.equal(bucket.retryAfterSeconds, 60);
});

test('a client that waits as long as Retry-After says gets through', () => {
  for (const limit of limits.slice(0, -2)) {
    const bucket = limiter();
    burst(bucket, limit, 500);
    assert.equal(bucket.take(0, limit, 500), false);
    assert.equal(bucket.take(0, limit, 500 + bucket.retryAfterSeconds * 1000), true, `limit ${limit}`);
  }
});

test('buckets do not touch one another', () => {
  const bucket = limiter();
  burst(bucket, 5, 0);
  assert.equal(bucket.take(1, 5, 0), true);
  assert.equal(bucket.take(0, 5, 0), false);
  assert.throws(() => bucket.take(-1, 5, 0), RangeError);
  assert.throws(() => bucket.take(5000, 5, 0), RangeError);
});

test('a lowered limit holds at once and blocks for no more than a minute', () => {
  const bucket = limiter();
  burst(bucket, 10_000, 0);
  assert.equal(bucket.take(0, 10, 0), false);
  assert.equal(burst(bucket, 10, 60_000), 10);
});

test('a clock that was read a moment earlier in another worker neither gives nor takes', () => {
  const bucket = limiter();
  assert.equal(burst(bucket, 60, 10_000), 60);
  assert.equal(bucket.take(0, 60, 9990), false);
  assert.equal(bucket.take(0, 60, 10_999), false);
  assert.equal(bucket.take(0, 60, 11_000), true);
});

test('a key that rested for weeks has a full bucket, whatever 32 bits of milliseconds say', () => {
  for (const days of [1, 10, 24.8, 24.9, 30, 49, 60, 100, 1000]) {
    const bucket = limiter();
    assert.equal(burst(bucket, 60, 77_777), 60);
    assert.equal(burst(bucket, 60, 77_777 + days * 86_400_000), 60, `${days} days`);
  }
});

test('four workers drawing at once get exactly the limit together', async () => {
  const slots = createRateSlots();
  slots.assign(['a']);
  // Near the highest that is kept without rounding.
  const limit = 66_000;
  const source = `
    const { workerData, parentPort } = require('node:worker_threads');
    import(workerData.url).then(({ RateLimiter }) => {
      const limiter = new RateLimiter();
      limiter.directory.learn(workerData.assignments);
      const gate = new Int32Array(workerData.gate);
      Atomics.add(gate, 1, 1);
      Atomics.wait(gate, 0, 0);
      {
        let taken = 0;
        for (let i = 0; i < 250000; i++) if (limiter.take(0, workerData.limit, 1000 + (i % 3))) taken++;
        let later = 0;
        for (let i = 0; i < 250000; i++) if (limiter.take(0, workerData.limit, 31002)) later++;
        parentPort.postMessage([taken, later]);
      }
    });`;
  const url = new URL('./rate-limiter.ts', import.meta.url).href;
  const gate = new SharedArrayBuffer(8);
  const workers = Array.from(
    { length: 4 },
    () => new Worker(source, { eval: true, workerData: { url, assignments: slots.all(), limit, gate } }),
  );
  const next = (worker: Worker) => new Promise<unknown>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const results = workers.map(next);
  // All wait at the gate, so that they draw at the same time.
  const atGate = new Int32Array(gate);
  while (Atomics.load(atGate, 1) < workers.length) await new Promise((resolve) => setTimeout(resolve, 5));
  Atomics.store(new Int32Array(gate), 0, 1);
  Atomics.notify(new Int32Array(gate), 0);
  const counts = (await Promise.all(results)) as [number, number][];
  const taken = counts.reduce((sum, [first, later]) => sum + first + later, 0);
  // The bucket, two milliseconds and then thirty seconds of refill.
  assert.equal(taken, limit + Math.floor(limit * (30_002 / 60_000)));
  assert.ok(counts.filter(([first]) => first > 0).length > 1, 'more than one worker drew');
});
