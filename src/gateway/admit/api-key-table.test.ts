import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import type { ApiKeyConfig } from '../../model/gateway-config.ts';
import { emptyApiKeyTable } from './api-key-table.ts';

function key(n: number, fields: Partial<ApiKeyConfig> = {}): ApiKeyConfig {
  return {
    id: `key_${n.toString(16).padStart(16, '0')}`,
    name: `k${n}`,
    prefix: 'ak_000000000',
    hash: hash('sha256', `ak_${n}`),
    routes: [],
    rate_limit_per_minute: null,
    expires_at: null,
    revoked: false,
    ...fields,
  };
}

test('a key is found by its hash and by nothing like it', () => {
  const table = emptyApiKeyTable().with([key(1), key(2)]);
  const digest = hash('sha256', 'ak_1');
  assert.equal(table.find(digest)?.id, key(1).id);
  for (let i = 0; i < digest.length; i++) {
    const other = digest[i] === '0' ? '1' : '0';
    assert.equal(table.find(digest.slice(0, i) + other + digest.slice(i + 1)), null, `digit ${i}`);
  }
  for (const wrong of ['', digest.slice(0, 63), `${digest}0`, digest.toUpperCase().replace(/^/, 'x')])
    assert.equal(table.find(wrong), null);
});

test('changes replace, remove and leave the old table as it was', () => {
  const before = emptyApiKeyTable().with([key(1), key(2)]);
  const after = before.with([key(1, { hash: hash('sha256', 'new'), revoked: true })], [key(2).id, 'key_ffffffffffffffff']);
  assert.equal(after.size, 1);
  assert.equal(after.find(hash('sha256', 'ak_1')), null);
  assert.equal(after.find(hash('sha256', 'ak_2')), null);
  assert.equal(after.find(hash('sha256', 'new'))?.revoked, true);
  assert.equal(before.find(hash('sha256', 'ak_1'))?.revoked, false);
  assert.equal(before.size, 2);
});

test('ten thousand keys', () => {
  const keys = Array.from({ length: 10_000 }, (_, i) => key(i));
  const table = emptyApiKeyTable().with(keys);
  for (const { id, hash: digest } of keys) assert.equal(table.find(digest)?.id, id);
  assert.equal(
    table.with(
      [],
      keys.map(({ id }) => id),
    ).size,
    0,
  );
});
