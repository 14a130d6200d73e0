import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latencyBucketOf, latencyBuckets, latencyOfBucket, percentileBuckets } from './latency-histogram.ts';

test('a bucket tells each time between 1/16 ms and 65 s within 6.5 %, and buckets are in order', () => {
  let before = 0;
  for (let ms = 0.0625; ms < 65_000; ms *= 1.003) {
    const bucket = latencyBucketOf(ms);
    assert.ok(bucket >= before, `${ms}`);
    before = bucket;
    assert.ok(Math.abs(latencyOfBucket(bucket) - ms) / ms <= 0.065, `${ms} ms is told as ${latencyOfBucket(bucket)}`);
  }
  assert.equal(before, latencyBuckets - 1);
});

test('times that are shorter or longer, or no times at all, have the first and the last bucket', () => {
  for (const ms of [0, -1, 0.001, 0.0624]) assert.equal(latencyBucketOf(ms), 0, `${ms}`);
  for (const ms of [65_536, 1e9, Infinity, Number.NaN]) assert.equal(latencyBucketOf(ms), latencyBuckets - 1, `${ms}`);
});

test('percentiles are those of the nearest rank', () => {
  const histogram = new Uint32Array(latencyBuckets);
  assert.deepEqual(percentileBuckets(histogram, [0.5, 0.9]), [-1, -1]);
  histogram[7] = 1;
  assert.deepEqual(percentileBuckets(histogram, [0.01, 0.5, 1]), [7, 7, 7]);
  histogram[7] = 94;
  histogram[20] = 5;
  histogram[150] = 1;
  assert.deepEqual(percentileBuckets(histogram, [0.5, 0.94, 0.95, 0.99, 0.995]), [7, 7, 20, 20, 150]);
});
