import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonParts } from './json-parts.ts';

test('the parts together are what JSON.stringify makes', () => {
  const list = (length: number): object[] =>
    Array.from({ length }, (_, at) => ({ at, text: `"${at}" \u2028 ü`, none: undefined, null: null }));
  for (const value of [
    {},
    { none: undefined },
    { none: undefined, 'a "b"': 1, list: [] },
    ...[1, 100, 101, 200, 1_234].map((length) => ({ first: list(length), null: null, nested: { list: list(3) }, last: list(length) })),
    { holes: Array.from({ length: 250 }, () => undefined), last: undefined },
  ]) {
    assert.equal([...jsonParts(value)].join(''), JSON.stringify(value));
  }
});

test('a long list is made in many parts', () => {
  assert.ok([...jsonParts({ list: Array.from({ length: 10_000 }, (_, at) => at) })].length >= 100);
});
