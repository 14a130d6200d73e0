import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silenceLimit, WorkerWatch } from './worker-watch.ts';

function rig(): { readonly beats: number[]; look: (now: number) => number[]; watch: WorkerWatch } {
  const beats = [0, 0];
  const watch = new WorkerWatch((index) => beats[index]!, 0);
  return { beats, watch, look: (now) => watch.look(now, [0, 1]) };
}

test('a worker that beats is never lost, one that does not is lost after the limit, and named once', () => {
  const { beats, look } = rig();
  const lost: [number, number[]][] = [];
  for (let now = 1_000; now <= 15_000; now += 1_000) {
    beats[0]! += 1;
    const found = look(now);
    if (found.length > 0) lost.push([now, found]);
  }
  assert.deepEqual(lost, [[silenceLimit + 2_000, [1]]]);
});

test('while main itself did not run, nobody is to blame', () => {
  const { look } = rig();
  look(1_000);
  for (const now of [100_000, 200_000, 300_000]) assert.deepEqual(look(now), [], `after a stop until ${now}`);
});

test('a worker that beats again after a long silence starts from zero', () => {
  const { beats, look } = rig();
  for (let now = 1_000; now <= 60_000; now += 1_000) {
    if (now % 9_000 === 0) beats[0]! += 1;
    beats[1]! += 1;
    assert.deepEqual(look(now), []);
  }
});

test('a new worker is not charged with the silence of the one before', () => {
  const { beats, look, watch } = rig();
  for (let now = 1_000; now <= 30_000; now += 1_000) {
    beats[1]! += 1;
    if (now % 8_000 === 0) watch.begin(0);
    assert.deepEqual(look(now), []);
  }
});
