import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventCounter } from './event-counter.ts';

function countIn(pieces: readonly Uint8Array[]): number {
  const counter = new EventCounter();
  for (const piece of pieces) counter.count(piece, 0, piece.length);
  return counter.events;
}

/** The standard's own way (HTML, 9.2.6), on the whole stream as text. */
function reference(bytes: Uint8Array): number {
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
  const lines = text.split(/\r\n|\n|\r/);
  lines.pop(); // what has no line end yet
  let events = 0;
  let data = '';
  for (const line of lines) {
    if (line === '') {
      if (data !== '') events++;
      data = '';
    } else {
      const colon = line.indexOf(':');
      const [field, value] = colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
      if (field === 'data') data += `${value}\n`;
    }
  }
  return events;
}

for (const [text, events] of [
  ['data: a\n\n', 1],
  ['data: a\r\n\r\ndata: b\r\n\r\n', 2],
  ['data: a\r\rdata: b\r\r', 2],
  ['data\n\n', 1],
  ['data:\n\n', 1],
  ['data: a\ndata: b\nid: 1\n\n', 1],
  [': comment\n\n', 0],
  ['event: x\nid: 4\nretry: 1\n\n', 0],
  ['\n\n\n\n', 0],
  ['data: unfinished', 0],
  ['data: undispatched\n', 0],
  ['dat: a\n\ndatas: b\n\n data: c\n\nDATA: d\n\n', 0],
  ['\xef\xbb\xbfdata: a\n\n', 1],
  ['\xef\xbbdata: a\n\n', 0],
  ['\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n', 0],
  ['data: \xef\xbb\xbf\n\n', 1],
  ['data: a\n\r\n', 1],
  ['data: a\n\ndata: b\n\n\n\n', 2],
] as const) {
  test(`${JSON.stringify(text)} holds ${events}`, () => {
    const bytes = Buffer.from(text, 'latin1');
    assert.equal(countIn([bytes]), events);
    assert.equal(countIn([...bytes].map((byte) => Uint8Array.of(byte))), events, 'byte by byte');
    assert.equal(reference(bytes), events);
  });
}

test('property: as many events as by the standard, in whatever pieces they pass', () => {
  const part = fc.constantFrom('data', 'data:', 'd', 'x', ':', ' ', '\n', '\n', '\r', '\r\n', '\n\n', '\xef\xbb\xbf', '\xef', 'id: 1');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), fc.array(fc.nat(200), { maxLength: 10 }), (parts, cuts) => {
      const bytes = Buffer.from(parts.join(''), 'latin1');
      const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
      const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
      assert.equal(countIn(pieces), reference(bytes));
    }),
    { numRuns: 3000 },
  );
});
