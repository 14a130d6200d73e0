import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createPoolSlots, PoolLimits, readPoolGauges, reclaimPoolShare } from './pool-limits.ts';

test('the cap on idle connections holds over all workers together', () => {
  const slots = createPoolSlots(2);
  const [a, b] = [new PoolLimits(2, 0), new PoolLimits(2, 1)];
  const assigned = slots.assign(['up_1']);
  a.directory.learn(assigned);
  b.directory.learn(assigned);
  const slot = a.directory.slotOf('up_1');
  assert.equal(a.tryParkIdle(slot, 2), true);
  assert.equal(b.tryParkIdle(slot, 2), true);
  assert.equal(a.tryParkIdle(slot, 2), false);
  assert.equal(b.tryParkIdle(slot, 2), false);
  a.unparkIdle(slot);
  assert.equal(b.tryParkIdle(slot, 2), true);
  assert.equal(b.tryParkIdle(slot, 0), false);
  assert.deepEqual(readPoolGauges(slots, 'up_1'), { idle: 2, active: 0 });
  assert.equal(readPoolGauges(slots, 'up_2'), null);
});

test('a cap of 0 on active connections is none; they are counted all the same', () => {
  const slots = createPoolSlots(1);
  const limits = new PoolLimits(1, 0);
  limits.directory.learn(slots.assign(['up_1']));
  for (let i = 0; i < 1000; i++) assert.equal(limits.tryAcquireActive(0, 0), true);
  assert.equal(limits.active(0), 1000);
  assert.equal(limits.tryAcquireActive(0, 1000), false);
  limits.releaseActive(0);
  assert.equal(limits.tryAcquireActive(0, 1000), true);
});

test('many upstreams: slots in later segments work and do not touch one another', () => {
  const slots = createPoolSlots(4);
  const limits = new PoolLimits(4, 3);
  const ids = Array.from({ length: 2500 }, (_, i) => `up_${i}`);
  limits.directory.learn(slots.assign(ids));
  for (const [i, id] of ids.entries()) for (let k = 0; k < i % 3; k++) limits.tryParkIdle(limits.directory.slotOf(id), 10);
  for (const [i, id] of ids.entries()) assert.equal(readPoolGauges(slots, id)!.idle, i % 3);
  assert.throws(() => limits.tryParkIdle(-1, 1), RangeError);
  assert.throws(() => limits.tryParkIdle(1e6, 1), RangeError);
});

test('four workers racing for the same places never exceed the cap, and a killed one gives all back', async () => {
  const workers = 4;
  const slots = createPoolSlots(workers);
  slots.assign(['up_1']);
  const source = `
    const { workerData, parentPort } = require('node:worker_threads');
    import(workerData.url).then(({ PoolLimits }) => {
      const limits = new PoolLimits(workerData.workers, workerData.index);
      limits.directory.learn(workerData.assignments);
      const forever = workerData.index === 0;
      let over = 0, parked = 0;
      parentPort.postMessage('ready');
      for (let i = 0; forever || i < 200000; i++) {
        if (limits.tryParkIdle(0, 3)) { parked++; if (limits.idle(0) > 3) over++; limits.unparkIdle(0); }
        if (limits.tryAcquireActive(0, 2)) { if (limits.active(0) > 2) over++; limits.releaseActive(0); }
      }
      parentPort.postMessage({ over, parked });
    });`;
  const url = new URL('./pool-limits.ts', import.meta.url).href;
  const threads = Array.from({ length: workers }, (_, index) => {
    const workerData = { url, workers, index, assignments: slots.all() };
    return new Worker(source, { eval: true, workerData });
  });
  const results = threads.slice(1).map(
    (thread) =>
      new Promise<{ over: number; parked: number }>((resolve, reject) => {
        thread.on('message', (message) => message !== 'ready' && resolve(message));
        thread.once('error', reject);
      }),
  );
  for (const { over, parked } of await Promise.all(results)) {
    assert.equal(over, 0);
    assert.ok(parked > 0);
  }
  await threads[0]!.terminate();
  reclaimPoolShare(slots, 0);
  assert.deepEqual(readPoolGauges(slots, 'up_1'), { idle: 0, active: 0 });
});

test('a deleted upstream keeps its slot from others until its last connection is gone', () => {
  const slots = createPoolSlots(1);
  const limits = new PoolLimits(1, 0);
  limits.directory.learn(slots.assign(['up_1']));
  limits.tryAcquireActive(0, 0);
  slots.release(['up_1']);
  assert.equal(slots.assign(['up_2']).slots[0]![1], 1);
  limits.releaseActive(0);
  assert.equal(slots.assign(['up_3']).slots[0]![1], 0);
});
