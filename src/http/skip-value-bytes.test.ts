import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isValueByte } from './characters.ts';
import { skipValueBytes, WordView } from './skip-value-bytes.ts';

function byTable(bytes: Buffer, position: number, end: number): number {
  let at = position;
  while (at < end && isValueByte[bytes[at]!] === 1) at++;
  return at;
}

test('every byte at every place within a word is judged as the table judges it', () => {
  const view = new WordView();
  for (let byte = 0; byte < 256; byte++) {
    for (let place = 0; place < 12; place++) {
      const bytes = Buffer.alloc(16, 0x61);
      bytes[place] = byte;
      for (let start = 0; start <= place; start++)
        assert.equal(
          skipValueBytes(bytes, view.of(bytes), bytes.byteOffset, start, 16),
          byTable(bytes, start, 16),
          `${byte} at ${place} from ${start}`,
        );
    }
  }
});

test('any bytes, in any part of any memory, are skipped as far as the table allows, and never past the end', () => {
  const view = new WordView();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(7), fc.nat(60), fc.nat(60), (content, shift, from, to) => {
      const memory = Buffer.alloc(shift + content.length + 5, 0x61);
      const bytes = memory.subarray(shift);
      bytes.set(content);
      const start = Math.min(from, content.length);
      const end = Math.max(start, Math.min(to, content.length));
      assert.equal(skipValueBytes(bytes, view.of(bytes), bytes.byteOffset, start, end), byTable(bytes, start, end));
    }),
    { numRuns: 2_000 },
  );
});
