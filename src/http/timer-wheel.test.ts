import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Deadline, TimerWheel } from './timer-wheel.ts';

function wheelAt(): { wheel: TimerWheel; start: number; run: (to: number) => void } {
  const wheel = new TimerWheel(50);
  const start = wheel.now;
  let now = start;
  return {
    wheel,
    start,
    run(to) {
      while (now + 50 <= start + to) {
        now += 50;
        wheel.advance(now);
      }
    },
  };
}

test('a deadline comes due within one tick of its time, and once', () => {
  const { wheel, start, run } = wheelAt();
  const due: number[] = [];
  const deadline = new Deadline({ onDeadline: () => due.push(wheel.now - start) });
  wheel.arm(deadline, 1_000);
  run(5_000);
  assert.equal(due.length, 1);
  assert.ok(due[0]! >= 1_000 && due[0]! <= 1_100, String(due[0]));
});

test('a deadline that moves later is met at its last time; one that moves earlier, at its new one', () => {
  const { wheel, start, run } = wheelAt();
  const due: number[] = [];
  const deadline = new Deadline({ onDeadline: () => due.push(wheel.now - start) });
  wheel.arm(deadline, 500);
  run(400);
  wheel.arm(deadline, 500);
  run(850);
  assert.deepEqual(due, []);
  wheel.arm(deadline, 60_000);
  wheel.arm(deadline, 100);
  run(1_100);
  assert.equal(due.length, 1);
});

test('a deadline that moves earlier is met at its new time, however long the wheel has been turning', () => {
  for (const uptime of [0, 40_000, 60_000, 130_000, 1_000_000, 100_000_000]) {
    const wheel = new TimerWheel(50);
    const start = wheel.now + uptime;
    wheel.advance(start);
    wheel.advance(start);
    let due = 0;
    const deadline = new Deadline({ onDeadline: () => (due = wheel.now - start) });
    // As on a kept connection: a request that has 30 s is answered, the next one has 4 s.
    wheel.arm(deadline, 30_000);
    wheel.disarm(deadline);
    wheel.arm(deadline, 4_000);
    for (let ms = 50; ms <= 5_000; ms += 50) wheel.advance(start + ms);
    assert.ok(due >= 4_000 && due <= 4_100, `after ${uptime} ms it was met at ${due}`);
  }
});

test('deadlines further away than one turn of the wheel are met', () => {
  const { wheel, start, run } = wheelAt();
  let due = 0;
  const deadline = new Deadline({ onDeadline: () => (due = wheel.now - start) });
  wheel.arm(deadline, 200_000);
  run(199_900);
  assert.equal(due, 0);
  run(200_200);
  assert.ok(due >= 200_000);
});

test('after a stall of the event loop nothing expires before the sockets were read', () => {
  const wheel = new TimerWheel(50);
  let due = false;
  const deadline = new Deadline({ onDeadline: () => (due = true) });
  wheel.arm(deadline, 100);
  const late = wheel.now + 5_000;
  wheel.advance(late);
  assert.equal(due, false);
  wheel.advance(late + 50);
  assert.equal(due, true);
});

test('a loop that is late at every tick still meets its deadlines', () => {
  const wheel = new TimerWheel(50);
  let due = false;
  const deadline = new Deadline({ onDeadline: () => (due = true) });
  wheel.arm(deadline, 100);
  const start = wheel.now;
  for (let turn = 1; turn <= 4; turn++) wheel.advance(start + turn * 700);
  assert.equal(due, true);
});

test('whatever is armed, moved and taken back, every deadline is met once, in time, and no other', () => {
  const step = fc.record({ who: fc.nat(4), what: fc.constantFrom('arm', 'disarm', 'remove', 'wait'), ms: fc.nat(70_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { wheel, start, run } = wheelAt();
      let clock = 0;
      const expected = [Infinity, Infinity, Infinity, Infinity, Infinity];
      const deadlines = expected.map(
        (_, who) =>
          new Deadline({
            onDeadline: () => {
              const now = wheel.now - start;
              assert.ok(now >= expected[who]! && now <= expected[who]! + 100, `${who} due at ${expected[who]} was met at ${now}`);
              expected[who] = Infinity;
            },
          }),
      );
      for (const { who, what, ms } of steps) {
        if (what === 'wait') {
          clock += Math.round(ms / 50) * 50;
          run(clock);
        } else if (what === 'arm') {
          expected[who] = wheel.now - start + ms;
          wheel.arm(deadlines[who]!, ms);
        } else {
          expected[who] = Infinity;
          wheel[what](deadlines[who]!);
        }
        for (const due of expected) assert.ok(due >= wheel.now - start - 100 || due === Infinity);
      }
    }),
    { numRuns: 200 },
  );
});
