import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameCounter } from './frame-counter.ts';

interface Frame {
  readonly first: number;
  readonly masked: boolean;
  readonly size: number;
  /** Written with more length bytes than it needs: forbidden, and still to be followed. */
  readonly wide: boolean;
}

const frames = fc.array(
  fc.record({
    first: fc.integer({ min: 0, max: 255 }),
    masked: fc.boolean(),
    size: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(125, 126, 127, 65_535, 65_536)),
    wide: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

function bytesOf({ first, masked, size, wide }: Frame): Buffer {
  const mask = masked ? 0x80 : 0;
  const head = Buffer.alloc(14);
  head[0] = first;
  let length = 2;
  if (size > 65_535 || wide) {
    head[1] = 127 | mask;
    head.writeBigUInt64BE(BigInt(size), 2);
    length = 10;
  } else if (size > 125) {
    head[1] = 126 | mask;
    head.writeUInt16BE(size, 2);
    length = 4;
  } else {
    head[1] = size | mask;
  }
  // What looks like frames in the payload is none.
  return Buffer.concat([head.subarray(0, length), Buffer.alloc((masked ? 4 : 0) + size, 0x88)]);
}

test('property: frames are counted the same in whatever pieces they pass', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 20 }), (list, sizes) => {
      const bytes = Buffer.concat(list.map(bytesOf));
      const counter = new FrameCounter();
      let at = 0;
      for (let i = 0; at < bytes.length; i++) {
        const end = Math.min(bytes.length, at + sizes[i % sizes.length]!);
        counter.count(bytes, at, end);
        at = end;
      }
      assert.equal(counter.frames, list.length);
      assert.ok(counter.isBetweenFrames);
      assert.equal(
        counter.closing,
        list.some(({ first }) => (first & 0x0f) === 8),
      );
    }),
  );
});

test('within a header and within a payload it is not between frames', () => {
  const bytes = bytesOf({ first: 0x82, masked: true, size: 200, wide: false });
  const counter = new FrameCounter();
  for (let at = 0; at < bytes.length; at++) {
    assert.equal(counter.isBetweenFrames, at === 0, `before byte ${at}`);
    counter.count(bytes, at, at + 1);
  }
  assert.ok(counter.isBetweenFrames);
});

test('a length of 2^64 - 1 is followed for ever without keeping anything', () => {
  const counter = new FrameCounter();
  const head = Buffer.from('ffffffffffffffffffff00000000', 'hex');
  counter.count(head, 0, head.length);
  const payload = Buffer.alloc(1_000_000, 0x81);
  for (let i = 0; i < 100; i++) counter.count(payload, 0, payload.length);
  assert.equal(counter.frames, 1);
  assert.ok(!counter.isBetweenFrames);
});
