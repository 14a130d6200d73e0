import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors/gateway-error.ts';
import { WorkTurns } from './work-turns.ts';
import { Pace } from './pace.ts';

test('drafts are looked at one after the other, in their order; one that fails makes room, and too many are refused', async () => {
  const turns = new WorkTurns(16);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const draft = (number: number): Promise<void> =>
    turns.take(async () => {
      begun.push(number);
      await new Promise<void>((resolve) => void ends.push(resolve));
      if (number === 0) throw new Error('wrong');
    });
  const drafts = Array.from({ length: 17 }, (_, number) => draft(number));
  const refused = draft(17);
  await assert.rejects(refused, (error) => error instanceof GatewayError && error.code === 'too_many_attempts' && error.retryAfter === 1);
  assert.deepEqual(begun, [0]);
  ends.shift()!();
  await assert.rejects(drafts[0]!, /wrong/);
  assert.deepEqual(begun, [0, 1]);
  for (let number = 1; number < 17; number++) {
    ends.shift()!();
    await drafts[number];
  }
  assert.deepEqual(
    begun,
    drafts.map((_, number) => number),
  );
  const late = draft(18);
  ends.shift()!();
  await late;
});

test('work that takes longer than it may ends at its next rest', async () => {
  const pace = new Pace(25, () => new Error('too long'));
  const workFor = (ms: number): void => {
    const begun = process.threadCpuUsage();
    for (let used = 0; used < ms * 1_000;) {
      const { user, system } = process.threadCpuUsage(begun);
      used = user + system;
    }
  };
  workFor(12);
  await pace.rest();
  workFor(30);
  await assert.rejects(pace.rest(), /too long/);
});
