import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../errors/gateway-error.ts';
import { createAttemptThrottle, type AttemptThrottle, type ThrottleKey } from './attempt-throttle.ts';

const rule = { free: 3, longestDelay: 8_000 };
const address = (value: string): ThrottleKey => ({ kind: 'address', value, rule });

/** Seconds to wait, or 0 when the attempt was let through. */
function attempt(throttle: AttemptThrottle, ...keys: ThrottleKey[]): number {
  try {
    throttle.begin(keys);
    return 0;
  } catch (error) {
    assert.ok(error instanceof GatewayError);
    assert.equal(error.code, 'too_many_attempts');
    return error.retryAfter ?? Number.NaN;
  }
}

describe('createAttemptThrottle', () => {
  it('lets the free failures pass, then doubles the wait up to its limit', () => {
    let now = 0;
    const throttle = createAttemptThrottle(() => now);
    const waits: number[] = [];
    for (let failure = 0; failure < 9; failure += 1) {
      const wait = attempt(throttle, address('a'));
      waits.push(wait);
      if (wait > 0) {
        now += wait * 1_000 - 1;
        assert.equal(attempt(throttle, address('a')), 1, 'not a moment earlier');
        now += 1;
        assert.equal(attempt(throttle, address('a')), 0, 'a refused attempt does not prolong the wait');
      }
    }
    assert.deepEqual(waits, [0, 0, 0, 1, 2, 4, 8, 8, 8]);
  });

  it('counts attempts when they begin, so that many at once gain nothing', () => {
    const throttle = createAttemptThrottle(() => 0);
    const let_through = Array.from({ length: 100 }, () => attempt(throttle, address('a'))).filter((wait) => wait === 0);
    assert.equal(let_through.length, 3);
  });

  it('forgets the failures of a key when an attempt succeeds, and of an idle key after an hour', () => {
    let now = 0;
    const throttle = createAttemptThrottle(() => now);
    for (let failure = 0; failure < 2; failure += 1) throttle.begin([address('a')]);
    throttle.begin([address('a')]).succeeded();
    for (let failure = 0; failure < 3; failure += 1) assert.equal(attempt(throttle, address('a')), 0);
    assert.equal(attempt(throttle, address('a')), 1);
    now += 3_600_000;
    for (let failure = 0; failure < 3; failure += 1) assert.equal(attempt(throttle, address('a')), 0);
    assert.equal(attempt(throttle, address('a')), 1);
  });

  it('keeps keys apart and obeys the slowest of those an attempt has', () => {
    const throttle = createAttemptThrottle(() => 0);
    const account: ThrottleKey = { kind: 'account', value: 'a', rule: { free: 1, longestDelay: 8_000 } };
    assert.equal(attempt(throttle, address('a'), account), 0);
    assert.equal(attempt(throttle, address('b'), account), 1);
    assert.equal(attempt(throttle, address('a')), 0);
    assert.equal(attempt(throttle, address('b')), 0);
  });

  it('stays bounded and drops the longest unused key first', () => {
    const throttle = createAttemptThrottle(() => 0);
    for (let failure = 0; failure < 3; failure += 1) attempt(throttle, address('old'));
    for (let failure = 0; failure < 3; failure += 1) attempt(throttle, address('used'));
    for (let index = 0; index < 9_998; index += 1) throttle.begin([address(`other ${index}`)]);
    assert.equal(attempt(throttle, address('used')), 1);
    throttle.begin([address('one more')]);
    assert.equal(attempt(throttle, address('old')), 0, 'dropped');
    assert.equal(attempt(throttle, address('used')), 1, 'kept');
  });
});
