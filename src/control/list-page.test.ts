import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkIfMatch, etagOf } from './etag.ts';
import { listFilterOf, pageOfRows } from './list-page.ts';

test('a cursor leads on after the last name, whatever it holds', () => {
  for (const name of ['a', 'ünï 😀', '"%', 'x'.repeat(100)]) {
    const { next_cursor } = pageOfRows(
      { rows: [{ name }], total: 2, more: true },
      (row) => row.name,
      (row) => row,
    );
    assert.match(next_cursor ?? '', /^[A-Za-z0-9_-]+$/);
    assert.equal(listFilterOf({ cursor: next_cursor ?? '' }).after, name);
  }
});

test('the last page has no cursor', () => {
  assert.equal(
    pageOfRows(
      { rows: [{ name: 'a' }], total: 1, more: false },
      (row) => row.name,
      (row) => row,
    ).next_cursor,
    null,
  );
  assert.equal(
    pageOfRows<{ name: string }, unknown>(
      { rows: [], total: 0, more: false },
      (row) => row.name,
      (row) => row,
    ).next_cursor,
    null,
  );
});

test('a query that makes no sense is refused with each part at fault', () => {
  for (const cursor of ['', '=', 'a b', 'é', 'QQ==']) assert.throws(() => listFilterOf({ cursor }), { code: 'validation_failed' }, cursor);
  for (const limit of [0, -1, 1.5, 501, Number.NaN])
    assert.throws(() => listFilterOf({ limit }), { code: 'validation_failed' }, String(limit));
  assert.deepEqual(listFilterOf({}), { limit: 100 });
  assert.deepEqual(listFilterOf({ limit: 500, q: '', enabled: false }), { limit: 500, enabled: false });
});

test('an ETag is strong, follows the content, and does not follow use', () => {
  const etag = etagOf({ id: 'a', last_used_at: null });
  assert.match(etag, /^"[A-Za-z0-9_-]{22}"$/);
  assert.equal(etagOf({ id: 'a', last_used_at: 'now' }), etag);
  assert.notEqual(etagOf({ id: 'b', last_used_at: null }), etag);
});

test('If-Match passes for the very ETag, a list with it, or *; weak ones never match', () => {
  const etag = etagOf({ id: 'a' });
  for (const good of [undefined, etag, `"x", ${etag}`, '*', ` ${etag} `]) checkIfMatch(good, etag);
  for (const bad of ['', `W/${etag}`, '"x"', etag.slice(1, -1), `${etag}x`])
    assert.throws(() => checkIfMatch(bad, etag), { code: 'precondition_failed' }, bad);
});
