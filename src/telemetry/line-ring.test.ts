import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineRing, linesOf } from './line-ring.ts';

function batch(lines: readonly string[]): Buffer {
  const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const own = Buffer.allocUnsafeSlow(text.length);
  text.copy(own);
  return own;
}

test('property: the last lines come out newest first with their numbers, whatever the batches, and from any number on', () => {
  const line = fc.string({ unit: fc.constantFrom('a', '"', '{', '}', ' '), maxLength: 5 });
  fc.assert(
    fc.property(
      fc.array(fc.array(line, { maxLength: 6 }), { maxLength: 20 }),
      fc.nat(60),
      fc.integer({ min: 1, max: 30 }),
      (batches, before, max) => {
        const ring = new LineRing({ maxLines: max, maxBytes: 1e6 });
        const all: { number: number; text: string }[] = [];
        for (const lines of batches) {
          ring.add(batch(lines), all.length, lines.length);
          for (const text of lines) all.push({ number: all.length, text });
        }
        const kept = [...ring.newestFirst()].map(({ number, bytes }) => ({ number, text: bytes.toString() }));
        assert.deepEqual(kept, all.slice(all.length - kept.length).toReversed());
        assert.ok(kept.length >= Math.min(all.length, max));
        assert.ok(kept.length < max + 6, 'no more than the batch that the last one is in');
        assert.equal(ring.oldest, kept.at(-1)?.number ?? Number.POSITIVE_INFINITY);
        assert.deepEqual(
          [...ring.newestFirst(before)].map(({ number }) => number),
          kept.filter(({ number }) => number < before).map(({ number }) => number),
        );
      },
    ),
  );
});

test('long lines push others out before they take too much memory; what is larger than all of it is left out', () => {
  const ring = new LineRing({ maxLines: 1_000, maxBytes: 10_000 });
  for (let number = 0; number < 100; number++) ring.add(batch(['x'.repeat(2_999)]), number, 1);
  assert.deepEqual(
    [...ring.newestFirst()].map(({ number }) => number),
    [99, 98, 97],
  );
  ring.add(batch(['y'.repeat(20_000)]), 100, 1);
  assert.deepEqual(
    [...ring.newestFirst()].map(({ number }) => number),
    [99, 98, 97],
  );
  ring.add(batch(['z'.repeat(9_999)]), 101, 1);
  assert.deepEqual(
    [...ring.newestFirst()].map(({ number, bytes }) => [number, bytes.toString()]),
    [[101, 'z'.repeat(9_999)]],
  );
});

test('the lines of a batch are numbered in their order', () => {
  assert.deepEqual(
    [...linesOf(batch(['a', '', 'b']), 7)].map(({ number, bytes }) => [number, bytes.toString()]),
    [
      [7, 'a'],
      [8, ''],
      [9, 'b'],
    ],
  );
});
