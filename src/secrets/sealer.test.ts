import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSealer, type SealedPlace } from './sealer.ts';
import { newSecretKeyText, parseSecretKey, type SecretKey } from './secret-key.ts';

const place: SealedPlace = { table: 'upstreams', id: 'up_0000000000000001', field: 'auth_value' };

test('what is sealed opens at its own place only', () => {
  const sealer = createSealer(newKey());
  const sealed = sealer.seal(place, 'täglich s3cret ÿ');
  assert.deepEqual(sealer.open(place, sealed), { ok: true, value: 'täglich s3cret ÿ' });
  for (const other of [
    { ...place, id: 'up_0000000000000002' },
    { ...place, table: 'routes' },
    { ...place, field: 'tls_ca' },
  ]) {
    const opened = sealer.open(other, sealed);
    assert.equal(opened.ok, false);
    assert.match(opened.ok ? '' : opened.reason, /copied from another place/);
  }
});

test('places whose parts run together are different places', () => {
  const sealer = createSealer(newKey());
  const sealed = sealer.seal({ table: 'a', id: 'b', field: 'c' }, 'x');
  assert.equal(sealer.open({ table: 'a","b', id: 'c', field: '' }, sealed).ok, false);
});

test('a sealed text shows neither the secret nor whether two are the same', () => {
  const sealer = createSealer(newKey());
  const first = sealer.seal(place, 'canary-secret');
  const second = sealer.seal(place, 'canary-secret');
  assert.notEqual(first, second);
  for (const form of ['canary', Buffer.from('canary-secret').toString('base64url').slice(0, 12), Buffer.from('canary').toString('hex')]) {
    assert.equal(first.includes(form), false);
  }
});

test('any changed bit of a sealed text is noticed', () => {
  const sealer = createSealer(newKey());
  const sealed = sealer.seal(place, 'secret');
  const [version, keyId, nonce, body] = sealed.split('.') as [string, string, string, string];
  for (const part of [nonce, body]) {
    const bytes = Buffer.from(part, 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index]! ^= 1;
      const text = changed.toString('base64url');
      assert.equal(sealer.open(place, [version, keyId, part === nonce ? text : nonce, part === body ? text : body].join('.')).ok, false);
    }
  }
  for (const broken of ['', 'v1', 'v2' + sealed.slice(2), `${sealed}.x`, `${version}.${keyId}..`, sealed.slice(0, -30)]) {
    assert.equal(sealer.open(place, broken).ok, false, broken);
  }
});

test('another key is named, together with the one that is wanted', () => {
  const [mine, theirs] = [newKey(), newKey()];
  const opened = createSealer(mine).open(place, createSealer(theirs).seal(place, 'secret'));
  assert.equal(opened.ok, false);
  assert.match(opened.ok ? '' : opened.reason, new RegExp(`${theirs.id}.*${mine.id}`));
});

test('a key is read as hexadecimal or base64 of 32 bytes, and as nothing else', () => {
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => 200 + index));
  const ids = [
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    ` ${bytes.toString('hex')}\n`,
  ].map((text) => {
    const parsed = parseSecretKey(text);
    assert.ok(parsed.ok, text);
    return parsed.value.id;
  });
  assert.equal(new Set(ids).size, 1);
  assert.match(ids[0]!, /^[0-9a-f]{8}$/);
  for (const text of [
    '',
    'secret',
    '0'.repeat(63),
    '0'.repeat(65),
    bytes.subarray(1).toString('base64'),
    `${'A'.repeat(42)}==`,
    'g'.repeat(64),
  ]) {
    const parsed = parseSecretKey(text);
    assert.equal(parsed.ok, false, text);
    assert.match(parsed.ok ? '' : parsed.message, /64 hexadecimal digits or base64 of 32 bytes/);
  }
});

test('a key does not show when it is printed', () => {
  const text = newSecretKeyText();
  const parsed = parseSecretKey(text);
  assert.ok(parsed.ok);
  assert.equal(JSON.stringify(parsed.value).includes(text.slice(0, 16)), false);
});

function newKey(): SecretKey {
  const parsed = parseSecretKey(newSecretKeyText());
  assert.ok(parsed.ok);
  return parsed.value;
}
