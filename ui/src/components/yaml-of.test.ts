import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { yamlOf } from './yaml-of.ts';

test('any JSON reads back as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      fc.pre(!JSON.stringify(value).includes('__proto__'));
      const text = JSON.stringify(value);
      assert.deepEqual(parse(yamlOf(JSON.parse(text))), JSON.parse(text), yamlOf(JSON.parse(text)));
    }),
    { numRuns: 50 },
  );
  for (const value of [
    'no',
    'true',
    '1',
    '1.5',
    '~',
    '',
    ' a',
    'a ',
    'a: b',
    'a #b',
    '- a',
    '{a}',
    '/v2/$1',
    '${host}',
    '*.example.com',
    'é',
    '0x1f',
    '2026-01-01',
  ])
    assert.equal(parse(yamlOf({ value })).value, value, value);
});

test('is what a person would write', () => {
  assert.equal(
    yamlOf({ routes: [{ name: 'orders', methods: ['GET', 'POST'], cors: null, headers: [], set: { a: '${host}' }, priority: 10 }] }),
    `routes:
  - name: orders
    methods:
      - GET
      - POST
    cors: null
    headers: []
    set:
      a: \${host}
    priority: 10
`,
  );
});
