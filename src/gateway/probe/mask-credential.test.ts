import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CredentialMask, mask } from './mask-credential.ts';

const bearer = (value: string): CredentialMask => new CredentialMask({ auth_type: 'bearer', credential: { kind: 'value', value } });

test('a credential is hidden as it is, in any case, percent-encoded, in JSON, in HTML and in Base64', () => {
  const value = 'se"c<r>e/t é';
  const masking = bearer(value);
  for (const form of [
    value,
    value.toUpperCase(),
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    'se&quot;c&lt;r&gt;e/t é',
    Buffer.from(value, 'latin1').toString('base64').replace(/=+$/, ''),
    Buffer.from(value, 'utf8').toString('base64url'),
  ])
    assert.equal(masking.hide(`a ${form} b ${form}`), `a ${mask} b ${mask}`, form);
});

test('of basic, the password and the encoded pair are hidden too, the user name alone is not', () => {
  const masking = new CredentialMask({ auth_type: 'basic', credential: { kind: 'value', value: 'robot:pass.word' } });
  assert.equal(masking.hide('robot pass.word'), `robot ${mask}`);
  assert.equal(masking.hide(`Basic ${Buffer.from('robot:pass.word').toString('base64')}`).replace(/=+$/, ''), `Basic ${mask}`);
  assert.equal(masking.hide('pass-word'), 'pass-word', 'signs of the credential are no pattern');
});

test('the beginning of a credential at the end of a part is hidden, whatever its length', () => {
  const masking = bearer('abcdefgh');
  assert.equal(masking.hideInPart('text abcdefgh'), `text ${mask}`);
  for (let length = 1; length < 8; length++) assert.equal(masking.hideInPart(`text ${'abcdefgh'.slice(0, length)}`), 'text ');
  assert.equal(masking.hideInPart('text xyz'), 'text xyz');
});

test('without a credential nothing is changed', () => {
  const masking = new CredentialMask({ auth_type: 'none', credential: { kind: 'none' } });
  assert.equal(masking.hide('all of it'), 'all of it');
  assert.equal(masking.hideInPart('all of it'), 'all of it');
});
