import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCanaries } from './canary-search.ts';

const canary = { kind: 'a password', value: 'canary "ünï" \\ & more' };

test('a canary is found in each form, wherever it begins, and nothing else is', () => {
  const { value } = canary;
  const hidden: (Buffer | string)[] = [
    `x${value}y`,
    Buffer.from(`x${value}y`, 'latin1'),
    encodeURIComponent(value),
    new URLSearchParams({ q: value }).toString(),
    JSON.stringify({ a: [value] }),
    JSON.stringify(JSON.stringify({ a: value })),
    Buffer.from(value).toString('hex'),
  ];
  for (let before = 0; before < 7; before += 1) {
    for (let after = 0; after < 4; after += 1) {
      const wrapped = Buffer.from(`${'b'.repeat(before)}${value}${'e'.repeat(after)}`);
      hidden.push(wrapped.toString('base64'), wrapped.toString('base64url'));
      hidden.push(Buffer.from(`${'b'.repeat(before)}${value}${'e'.repeat(after)}`, 'latin1').toString('base64'));
    }
  }
  for (const bytes of hidden) assert.notDeepEqual(findCanaries([canary], [{ where: 'here', bytes }]), [], bytes.toString());
  for (const bytes of ['', 'canary', value.slice(0, -1), Buffer.from(value.slice(1)).toString('base64')])
    assert.deepEqual(findCanaries([canary], [{ where: 'here', bytes }]), []);
});
