import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseExactJson } from './exact-json.ts';

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
      assert.equal(JSON.stringify(parseExactJson(text)), text);
    }),
    { numRuns: 2000 },
  );
});

test('what is not JSON is refused, with and without such numbers', () => {
  for (const text of ['', '{', "{'a':1}", '01', '1.', '.5', '+1', '[1,]', '{"a":1,}', 'NaN', '1e', '[1.0', '\ufeff1'])
    assert.throws(() => parseExactJson(text), SyntaxError, text);
});

test('a key __proto__ is a key, and changes nothing that is inherited', () => {
  for (const text of ['{"__proto__":{"a":1}}', '{"__proto__":{"a":1.0}}']) {
    const value = parseExactJson(text) as Record<string, unknown>;
    assert.equal(value['a'], undefined);
    assert.equal(JSON.stringify(value), text);
  }
});
