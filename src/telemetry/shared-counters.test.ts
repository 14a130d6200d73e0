import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { errorCatalogue } from '../errors/catalogue.ts';
import {
  createSharedCounters,
  durationBucketsMs,
  openSharedCounters,
  readSharedCounters,
  tookLogBytes,
  zeroGauges,
} from './shared-counters.ts';

test('counts of all workers add up', () => {
  const shared = createSharedCounters({ workers: 3 });
  for (let i = 0; i < 3; i++) {
    const counters = openSharedCounters(shared, i);
    counters.connectionOpened();
    counters.requestStarted();
    counters.requestStarted();
    counters.requestFinished(200, null, 0.05, 10, 2 ** 40);
    counters.requestStarted();
    counters.requestFinished(502, 'upstream_reset', 3, 1, 1);
    counters.upstreamConnected();
    counters.retried();
    counters.logLinesDropped(4);
    counters.tunnelOpened();
    counters.tunnelOpened();
    counters.tunnelClosed();
    counters.tunnelReceived(100, 2);
    counters.tunnelSent(1000, 3);
    counters.streamOpened();
    counters.streamOpened();
    counters.streamClosed();
    counters.streamSent(50);
    counters.eventsSent(7);
  }
  const totals = readSharedCounters(shared);
  assert.equal(totals.requests, 9);
  assert.equal(totals.requestsInFlight, 3);
  assert.deepEqual(totals.byStatusClass, [0, 0, 3, 0, 0, 3]);
  assert.equal(totals.byErrorCode.get('upstream_reset'), 3);
  assert.equal(totals.byErrorCode.get('route_not_found'), 0);
  assert.equal(totals.byErrorCode.size, Object.keys(errorCatalogue).length);
  assert.equal(totals.bytesIn, 33);
  assert.equal(totals.bytesOut, 3 * 2 ** 40 + 3);
  assert.equal(totals.upstreamConnects, 3);
  assert.equal(totals.retries, 3);
  assert.equal(totals.logLinesDropped, 12);
  assert.equal(totals.clientConnections, 3);
  assert.deepEqual([totals.tunnelsOpen, totals.tunnelBytesReceived, totals.framesReceived], [3, 300, 6]);
  assert.deepEqual([totals.tunnelBytesSent, totals.framesSent], [3000, 9]);
  assert.deepEqual([totals.streamsOpen, totals.streamBytesSent, totals.eventsSent], [3, 150, 21]);
  assert.equal(totals.durationBuckets[0], 3);
  assert.ok(Math.abs(totals.durationSumMs - 9.15) < 1e-9);
});

test("a dead worker's gauges are taken back, its totals stay", () => {
  const shared = createSharedCounters({ workers: 2 });
  for (const i of [0, 1]) {
    openSharedCounters(shared, i).connectionOpened();
    openSharedCounters(shared, i).requestStarted();
    openSharedCounters(shared, i).tunnelOpened();
    openSharedCounters(shared, i).streamOpened();
    openSharedCounters(shared, i).eventsSent(2);
  }
  zeroGauges(shared, 1);
  const totals = readSharedCounters(shared);
  assert.equal(totals.clientConnections, 1);
  assert.equal(totals.requestsInFlight, 1);
  assert.deepEqual([totals.tunnelsOpen, totals.streamsOpen, totals.eventsSent], [1, 1, 4]);
  assert.equal(totals.requests, 2);
});

test('every duration falls into the first bucket that holds it', () => {
  assert.equal(durationBucketsMs.length, 31);
  assert.deepEqual(
    durationBucketsMs,
    durationBucketsMs.toSorted((a, b) => a - b),
  );
  assert.deepEqual([durationBucketsMs[0], durationBucketsMs[5], durationBucketsMs[30]], [0.1, 1, 100_000]);
  for (const [i, bound] of durationBucketsMs.entries()) {
    const shared = createSharedCounters({ workers: 1 });
    const counters = openSharedCounters(shared, 0);
    counters.requestFinished(200, null, bound, 0, 0);
    counters.requestFinished(200, null, bound * 1.0001, 0, 0);
    const { durationBuckets } = readSharedCounters(shared);
    assert.equal(durationBuckets[i], 1, `bound ${bound}`);
    assert.equal(durationBuckets[i + 1], 1, `above ${bound}`);
  }
});

test('an odd status or a worker that does not exist cannot write outside its place', () => {
  const shared = createSharedCounters({ workers: 1 });
  const counters = openSharedCounters(shared, 0);
  for (const status of [0, 99, 600, 1e9, -5, Number.NaN]) counters.requestFinished(status, null, 1, 0, 0);
  assert.deepEqual(readSharedCounters(shared).byStatusClass, [6, 0, 0, 0, 0, 0]);
  assert.throws(() => openSharedCounters(shared, 2), RangeError);
  assert.throws(() => openSharedCounters(shared, -1), RangeError);
});

test("main has a column of its own, and knows how much of a worker's log is on its way", () => {
  const shared = createSharedCounters({ workers: 1 });
  openSharedCounters(shared, 1).logLinesDropped(3);
  assert.equal(readSharedCounters(shared).logLinesDropped, 3);
  const worker = openSharedCounters(shared, 0);
  worker.logBytesSent(500);
  assert.equal(worker.logBacklog, 0, 'main has not begun to say');
  tookLogBytes(shared, 0, 100);
  assert.equal(worker.logBacklog, 400);
  zeroGauges(shared, 0);
  assert.equal(worker.logBacklog, 0);
});

test('main reads what a worker thread counted', async () => {
  const shared = createSharedCounters({ workers: 2 });
  const worker = new Worker(
    `const { workerData } = require('node:worker_threads');
     import(workerData.url).then(({ openSharedCounters }) => {
       const counters = openSharedCounters(workerData.shared, 1);
       for (let i = 0; i < 1000; i++) { counters.requestStarted(); counters.requestFinished(204, null, 1, 2, 3); }
     });`,
    { eval: true, workerData: { shared, url: new URL('./shared-counters.ts', import.meta.url).href } },
  );
  await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  const totals = readSharedCounters(shared);
  assert.equal(totals.requests, 1000);
  assert.equal(totals.bytesOut, 3000);
  assert.equal(totals.requestsInFlight, 0);
});
