import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { constantPart, LineWriter } from './line-writer.ts';

function written(write: (line: LineWriter) => void): string {
  const line = new LineWriter(64 * 1024);
  write(line);
  return Buffer.from(line.takeFilled()).toString('latin1');
}

test('property: any text comes out as visible ASCII that JSON reads back as the text', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary-ascii' }), fc.string());
  fc.assert(
    fc.property(text, text, (a, b) => {
      const out = written((line) => {
        line.text(a, 1000);
        line.text(b, 1000);
      });
      assert.match(out, /^[\x20-\x7e]*$/);
      assert.equal(JSON.parse(`"${out}"`), a + b);
    }),
    { numRuns: 2000 },
  );
});

test('a text that is too long is cut, and what had been written of it leaves no trace', () => {
  assert.equal(
    written((line) => line.text('abcdef', 3)),
    'abc...',
  );
  assert.equal(
    written((line) => line.text('ab\u0000', 2)),
    'ab...',
  );
  assert.equal(
    written((line) => {
      line.text(`${'x'.repeat(50)}\n`, 100);
      line.text('.', 1);
    }),
    `${'x'.repeat(50)}\\u000a.`,
  );
});

test('property: numbers are those that String and toFixed write', () => {
  for (const value of [0, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53])
    assert.equal(
      written((line) => line.integer(value)),
      String(value),
    );
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(1e9), (value, microseconds) => {
      assert.equal(
        written((line) => line.integer(value)),
        String(value),
      );
      assert.equal(
        written((line) => line.milliseconds(microseconds / 1000)),
        (microseconds / 1000).toFixed(3),
      );
    }),
  );
});

test('property: times are those of toISOString', () => {
  const line = new LineWriter(64);
  fc.assert(
    fc.property(fc.nat(4_000_000_000_000), (ms) => {
      line.length = 0;
      line.time(ms);
      assert.equal(Buffer.from(line.bytes.subarray(0, line.length)).toString(), new Date(ms).toISOString());
    }),
  );
});

test('what is taken has memory of its own', () => {
  const line = new LineWriter(8);
  line.constant(constantPart('one'));
  const first = line.takeFilled();
  line.constant(constantPart('two'));
  assert.equal(Buffer.from(first).toString(), 'one');
  assert.notEqual(first.buffer, line.bytes.buffer);
});
