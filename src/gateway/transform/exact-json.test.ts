import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseExactJson, writeExactJson } from './exact-json.ts';

test('every number is written as it was read', () => {
  const digits = (min: number, max: number): fc.Arbitrary<string> =>
    fc.array(fc.integer({ min: 0, max: 9 }), { minLength: min, maxLength: max }).map((all) => all.join(''));
  const number = fc
    .tuple(
      fc.constantFrom('', '-'),
      fc.oneof(
        fc.constant('0'),
        fc.tuple(fc.integer({ min: 1, max: 9 }), digits(0, 24)).map(([first, rest]) => `${first}${rest}`),
      ),
      fc.option(digits(1, 24)),
      fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'E-'), digits(1, 3))),
    )
    .map(
      ([sign, whole, fraction, exponent]) =>
        sign + whole + (fraction === null ? '' : `.${fraction}`) + (exponent === null ? '' : exponent.join('')),
    );
  fc.assert(
    fc.property(fc.array(number, { maxLength: 5 }), (numbers) => {
      const text = `{"a":[${numbers.join(',')}]}`;
      assert.equal(writeExactJson(parseExactJson(text)), text);
    }),
    { numRuns: 2000 },
  );
});

test('what is not JSON is refused, with and without such numbers', () => {
  for (const text of [
    '',
    '{',
    "{'a':1}",
    '01',
    '1.',
    '.5',
    '+1',
    '[1,]',
    '{"a":1,}',
    'NaN',
    '1e',
    '[1.0',
    '\ufeff1',
    '{1.0:2}',
    '{ 1.0 \n: 2}',
    '1.0 2.0',
    'x1.0',
    '1.0"a"',
    '-',
    '1.0.0',
    '1e5e5',
    '01.0',
    '"1.0',
    '[1.0 1e400]',
    '"\\',
  ])
    assert.throws(() => parseExactJson(text), SyntaxError, text);
});

test('a key __proto__ is a key, and changes nothing that is inherited', () => {
  for (const text of ['{"__proto__":{"a":1}}', '{"__proto__":{"a":1.0}}']) {
    const parsed = parseExactJson(text);
    assert.equal((parsed.value as Record<string, unknown>)['a'], undefined);
    assert.equal(writeExactJson(parsed), text);
  }
});

test('strings that look like numbers, with quotes and backslashes, stay as they are', () => {
  fc.assert(
    fc.property(
      fc.json({ stringUnit: 'binary' }),
      fc.array(fc.constantFrom('"', '\\', '1.0', '1e400', '-0', ':', 'a', '\n')),
      (text, parts) => {
        const both = `[${text},${JSON.stringify(parts.join(''))},1.0]`;
        const written = writeExactJson(parseExactJson(both));
        assert.deepEqual(JSON.parse(written), JSON.parse(both));
        assert.ok(written.endsWith(',1.0]'));
      },
    ),
    { numRuns: 1000 },
  );
});

test('a text is JSON to it exactly where it is to JSON.parse', () => {
  const part = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '1.0',
    '-0',
    '1e400',
    '01',
    '12345678901234567890',
    'true',
    'e',
    '.',
    '-',
    ' ',
    '"a"',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const text = parts.join('');
      const valid = (() => {
        try {
          JSON.parse(text);
          return true;
        } catch {
          return false;
        }
      })();
      if (valid) assert.deepEqual(JSON.parse(writeExactJson(parseExactJson(text))), JSON.parse(text));
      else assert.throws(() => parseExactJson(text), SyntaxError, text);
    }),
    { numRuns: 20_000 },
  );
});
