import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskScalar } from './mask-value.ts';

test('an e-mail address keeps its first letters and the ending', () => {
  assert.equal(maskScalar('user@domain.com'), 'u***@d***.com');
  assert.equal(maskScalar('a.b@mail.example.co.uk'), 'a***@m***.uk');
  assert.equal(maskScalar('root@localhost'), 'r***@l***');
});

test('a telephone number keeps its first and its last three digits', () => {
  assert.equal(maskScalar('+1234567890'), '+1***890');
  assert.equal(maskScalar('+49 (30) 123-4567'), '+4***567');
});

test('other strings keep their first and last character; short ones keep nothing', () => {
  assert.equal(maskScalar('secret'), 's***t');
  assert.equal(maskScalar('ab'), '***');
  assert.equal(maskScalar('a'), '***');
  assert.equal(maskScalar(''), '');
  assert.equal(maskScalar('🔑abc🔒'), '🔑***🔒');
  assert.equal(maskScalar('@x'), '***');
});

test('numbers and booleans are hidden, null stays', () => {
  assert.equal(maskScalar(42), '***');
  assert.equal(maskScalar(true), '***');
  assert.equal(maskScalar(null), null);
});

test('what is masked already stays as it is: masks run before and after renames', () => {
  for (const value of ['user@domain.com', 'secret', '+1234567890', 'ab', 'x y z']) {
    assert.equal(maskScalar(maskScalar(value)), maskScalar(value));
  }
});
