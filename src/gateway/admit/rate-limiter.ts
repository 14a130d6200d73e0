import { SlotAllocator, SlotDirectory } from '../../telemetry/shared-slots.ts';

/** Main's side: slots for the buckets of keys that have a rate limit. */
export function createRateSlots(): SlotAllocator {
  return new SlotAllocator({ bytesPerSlot: 8, slotsPerSegment });
}

/**
 * Token buckets that all workers draw from, exact to the request: a bucket holds as many tokens as the key may send requests
 * per minute and fills up evenly. One 64-bit word holds a bucket: the time of the last drawing (milliseconds, upper half) and
 * the debt (what is missing from a full bucket, in fractions of a token, lower half); so one compare-and-exchange takes a
 * token, and no worker can hold a lock while it dies. A bucket that was never used, all zero, is full.
 * After `take` the public fields tell how the bucket stands.
 */
export class RateLimiter {
  readonly directory = new SlotDirectory();
  /** Whole tokens left. */
  remaining = 0;
  /** Seconds, rounded up, until the bucket is full again if nobody draws from it. */
  resetSeconds = 0;
  /** Seconds, rounded up, until there is a token; 0 when one was taken. */
  retryAfterSeconds = 0;
  readonly #views: BigInt64Array[] = [];

  /**
   * Draws one token. `limit`: tokens per minute and size of the bucket. `nowMs`: monotonic, with the same zero in all
   * workers (`monotonicMs`). False when there is none.
   */
  take(slot: number, limit: number, nowMs: number): boolean {
    const view = this.#views[slot >> segmentBits] ?? this.#openSegment(slot);
    const index = slot & (slotsPerSegment - 1);
    // Fractions of a token so small that a millisecond adds a whole number of them, as long as 32 bits allow.
    const token = limit <= exactLimit ? msPerMinute : Math.floor(maxDebt / limit);
    const perMs = (limit * token) / msPerMinute;
    const full = limit * token;
    const now = nowMs | 0;
    for (;;) {
      const word = Atomics.load(view, index);
      const last = Number(word >> 32n);
      const elapsed = word === 0n ? 0 : (now - last) | 0;
      // A worker whose clock was read a moment earlier than another's must not turn the time back; one that seems to be
      // minutes early is later by so much that 32 bits of milliseconds have wrapped round.
      const earlier = elapsed <= 0 && elapsed > -msPerMinute && word !== 0n;
      let debt = 0;
      if (earlier) debt = Math.min(Number(BigInt.asUintN(32, word)), full);
      else if (elapsed > 0) debt = Math.max(0, Math.min(Number(BigInt.asUintN(32, word)), full) - Math.floor(elapsed * perMs));
      if (debt > full - token) {
        this.#tell(debt, full, token, perMs);
        this.retryAfterSeconds = Math.max(1, Math.ceil((debt - (full - token)) / perMs / 1000));
        return false;
      }
      debt += token;
      const next = (BigInt(earlier ? last : now) << 32n) | BigInt(debt);
      if (Atomics.compareExchange(view, index, word, next) === word) {
        this.#tell(debt, full, token, perMs);
        this.retryAfterSeconds = 0;
        return true;
      }
    }
  }

  #tell(debt: number, full: number, token: number, perMs: number): void {
    this.remaining = Math.floor((full - debt) / token);
    this.resetSeconds = Math.ceil(debt / perMs / 1000);
  }

  #openSegment(slot: number): BigInt64Array {
    const buffer = this.directory.segments[slot >> segmentBits];
    if (slot < 0 || buffer === undefined) throw new RangeError(`no rate limit slot ${slot}: main has not assigned it`);
    return (this.#views[slot >> segmentBits] = new BigInt64Array(buffer));
  }
}

const segmentBits = 10;
const slotsPerSegment = 1 << segmentBits;
const msPerMinute = 60_000;
const maxDebt = 0xffff_ffff;
/** Up to this limit, buckets fill up without any rounding. */
const exactLimit = Math.floor(maxDebt / msPerMinute);
