import assert from 'node:assert/strict';
import { it } from 'node:test';
import { visibleText } from './visible-text.ts';

it('writes out what a terminal would act on', () => {
  assert.equal(visibleText('a\u001b[2Jb\nc\r\td\u0000'), 'a\\u001b[2Jb\\nc\\r\\td\\u0000');
  assert.equal(visibleText('\u009b31m'), '\\u009b31m', 'C1 controls are escape sequences too');
});

it('writes out what would reorder or hide text', () => {
  assert.equal(visibleText('abc\u202etxt.exe'), 'abc\\u202etxt.exe');
  assert.equal(visibleText('a\u200bb'), 'a\\u200bb');
  assert.equal(visibleText('a\u2028b'), 'a\\u2028b');
});

it('leaves text of any script alone', () => {
  for (const text of ['', 'plain', 'Ünïcödé', '日本語', '👩‍👩‍👧', 'עברית']) assert.equal(visibleText(text), text);
});
