import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlotAllocator, SlotDirectory } from './shared-slots.ts';

test('each id gets its own slot, and the same one again', () => {
  const slots = new SlotAllocator({ bytesPerSlot: 8, slotsPerSegment: 4 });
  const first = slots.assign(['a', 'b', 'c', 'd', 'e']);
  assert.deepEqual(first.slots, [
    ['a', 0],
    ['b', 1],
    ['c', 2],
    ['d', 3],
    ['e', 4],
  ]);
  assert.equal(first.segments.length, 2);
  const again = slots.assign(['e', 'f']);
  assert.deepEqual(again.slots, [
    ['e', 4],
    ['f', 5],
  ]);
  assert.equal(again.segments.length, 0);
  assert.equal(again.firstSegment, 2);
  assert.equal(slots.highWater, 6);
});

test('a worker that learns in steps and one that learns all at once see the same memory', () => {
  const slots = new SlotAllocator({ bytesPerSlot: 8, slotsPerSegment: 2 });
  const early = new SlotDirectory();
  early.learn(slots.all());
  early.learn(slots.assign(['a', 'b']));
  early.learn(slots.assign(['c']));
  const late = new SlotDirectory();
  late.learn(slots.all());
  assert.equal(early.segments.length, 2);
  assert.deepEqual(
    late.segments.map((s, i) => s === early.segments[i]),
    [true, true],
  );
  for (const id of ['a', 'b', 'c']) assert.equal(late.slotOf(id), early.slotOf(id));
  assert.equal(early.slotOf('unknown'), -1);
  early.forget(['a']);
  assert.equal(early.slotOf('a'), -1);
});

test('a freed slot is used again zeroed, but not while something still counts on it', () => {
  let busy = true;
  const slots = new SlotAllocator({ bytesPerSlot: 8, slotsPerSegment: 4, isIdle: () => !busy });
  slots.assign(['a', 'b']);
  new Int32Array(slots.segments[0]!)[0] = 7;
  slots.release(['a', 'nobody']);
  assert.equal(slots.slotOf('a'), undefined);
  assert.deepEqual(slots.assign(['c']).slots, [['c', 2]]);
  busy = false;
  assert.deepEqual(slots.assign(['d']).slots, [['d', 0]]);
  assert.equal(new Int32Array(slots.segments[0]!)[0], 0);
});
