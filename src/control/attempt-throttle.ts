import { GatewayError } from '../errors/gateway-error.ts';

/** How one kind of key is slowed down. Delays in milliseconds. */
export interface ThrottleRule {
  /** Failures that cost nothing yet: people mistype. */
  readonly free: number;
  /** Longest delay. The delay doubles from one second with every failure beyond the free ones. */
  readonly longestDelay: number;
}

/** One thing that attempts are counted by, such as an address or an account. */
export interface ThrottleKey {
  readonly kind: string;
  readonly value: string;
  readonly rule: ThrottleRule;
}

/** An attempt that was let through. It counts as failed until it is told otherwise. */
export interface Attempt {
  /** Forgets the failures of its keys. */
  succeeded(): void;
  /** The attempt told nothing about a secret (it was not examined after all): it does not count. */
  withdrawn(): void;
}

/** `too_many_attempts` with the seconds to wait. */
export class AttemptRefused extends GatewayError {
  /** The key that has longest to wait. */
  readonly by: ThrottleKey;

  constructor(by: ThrottleKey, retryAfter: number) {
    super('too_many_attempts', { detail: `Too many failed attempts; try again in ${retryAfter} s.`, retryAfter });
    this.by = by;
  }
}

export interface AttemptThrottle {
  /**
   * Lets an attempt through, or refuses it without counting it.
   * @throws AttemptRefused
   */
  begin(keys: readonly ThrottleKey[]): Attempt;
}

interface Count {
  failures: number;
  /** When the last counted attempt began. */
  last: number;
}

const firstDelay = 1_000;
/** A key without attempts for this long starts anew. */
const forgetAfter = 60 * 60 * 1_000;
const capacity = 10_000;

/**
 * Slows guessing down: each failure of a key beyond its free ones makes the next attempt wait twice as long, up to a
 * limit. Nothing is ever locked for good, and an attempt that is refused does not prolong the wait. Attempts count
 * when they begin, so that many at once gain nothing. Memory is bounded: the longest unused of 10,000 keys goes first.
 * @param clock milliseconds of a clock that never goes back
 */
export function createAttemptThrottle(clock: () => number): AttemptThrottle {
  // In order of last use: a Map keeps the order of insertion, and each use inserts anew.
  const counts = new Map<string, Count>();

  return {
    begin(keys) {
      const now = clock();
      let wait = 0;
      let slowest: ThrottleKey | undefined;
      for (const key of keys) {
        const name = nameOf(key);
        const count = counts.get(name);
        if (count === undefined) continue;
        const own = waitOf(count, key.rule, now);
        if (own > wait) slowest = key;
        wait = Math.max(wait, own);
        counts.delete(name);
        counts.set(name, count);
      }
      if (slowest !== undefined) throw new AttemptRefused(slowest, Math.ceil(wait / 1_000));
      for (const key of keys) {
        const name = nameOf(key);
        const count = counts.get(name);
        const failures = count === undefined || now - count.last >= forgetAfter ? 0 : count.failures;
        counts.delete(name);
        counts.set(name, { failures: failures + 1, last: now });
      }
      for (const name of counts.keys()) {
        if (counts.size <= capacity) break;
        counts.delete(name);
      }
      return {
        succeeded() {
          for (const key of keys) counts.delete(nameOf(key));
        },
        withdrawn() {
          for (const key of keys) {
            const count = counts.get(nameOf(key));
            if (count !== undefined && count.failures > 0) count.failures -= 1;
          }
        },
      };
    },
  };
}

function waitOf(count: Count, rule: ThrottleRule, now: number): number {
  if (count.failures < rule.free) return 0;
  const delay = Math.min(firstDelay * 2 ** Math.min(count.failures - rule.free, 30), rule.longestDelay);
  return Math.max(0, delay - (now - count.last));
}

function nameOf(key: ThrottleKey): string {
  return `${key.kind} ${key.value}`;
}
