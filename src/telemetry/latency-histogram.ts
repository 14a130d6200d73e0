/**
 * Buckets of times on a logarithmic scale, eight to each doubling between 1/16 ms and 65.5 s: a time that a bucket tells of is at
 * most 6.5 % off. The first holds all that is shorter, the last all that is longer.
 */
export const latencyBuckets = 160;

const scratch = new Float32Array(1);
const bits = new Uint32Array(scratch.buffer);
/** A float of 32 bits, read as a number and cut after three digits of its mantissa, is its place on the scale. */
const cut = 20;
const first = 123 << 3; // the exponent of 2^-4, biased by 127

/** The bucket of a time in milliseconds. */
export function latencyBucketOf(ms: number): number {
  scratch[0] = ms;
  const place = (bits[0]! >>> cut) - first;
  return place < 0 || ms <= 0 ? 0 : place < latencyBuckets ? place : latencyBuckets - 1;
}

/** The middle of a bucket, in milliseconds, with three digits. */
export function latencyOfBucket(bucket: number): number {
  return middles[bucket]!;
}

/**
 * The buckets that hold the times below which these parts of all times lie (0.95: nearest rank), in ascending order of parts;
 * −1 where there are no times.
 */
export function percentileBuckets(histogram: ArrayLike<number>, parts: readonly number[]): number[] {
  let total = 0;
  for (let bucket = 0; bucket < latencyBuckets; bucket++) total += histogram[bucket]!;
  if (total === 0) return parts.map(() => -1);
  const found: number[] = [];
  let below = 0;
  for (let bucket = 0; found.length < parts.length; bucket++) {
    below += histogram[bucket]!;
    while (found.length < parts.length && below >= Math.max(1, Math.ceil(parts[found.length]! * total))) found.push(bucket);
  }
  return found;
}

const middles = Array.from({ length: latencyBuckets }, (_, bucket) => {
  const low = lowOf(bucket);
  return Number(((low + lowOf(bucket + 1)) / 2).toPrecision(3));
});

function lowOf(bucket: number): number {
  bits[0] = (bucket + first) << cut;
  return scratch[0]!;
}
