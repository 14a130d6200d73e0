import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionRow, adminRow, upstreamRow } from '../store/row-fixtures.ts';
import { openTemporaryStore } from '../store/temporary-store.ts';
import { accessAudit } from './access-audit.ts';
import { auditKept, listAudit, pruneHistory } from './audit-log.ts';
import { errorOf } from './control-fixture.ts';

const day = 24 * 60 * 60 * 1_000;
const now = Date.parse('2027-06-01T00:00:00Z');
const actor = { kind: 'system', id: '', label: 'test' } as const;

test('what is older than 400 days goes, however much it is; what is younger stays', async () => {
  const store = await openTemporaryStore();
  await store.write(async (tx) => {
    for (let number = 0; number < 1_200; number += 1)
      await accessAudit(tx, now - auditKept - 1 - number, actor, { action: 'old', type: 'session', id: '', name: '' });
    await accessAudit(tx, now - auditKept, actor, { action: 'kept', type: 'session', id: '', name: '' });
    await accessAudit(tx, now, actor, { action: 'new', type: 'session', id: '', name: '' });
  });
  assert.equal(auditKept, 400 * day);
  assert.equal((await pruneHistory(store, now, 0, day)).audit, 1_200);
  const { data, total } = await listAudit(store, {});
  assert.deepEqual([data.map(({ action }) => action), total], [['new', 'kept'], 2]);
  assert.equal((await pruneHistory(store, now, 0, day)).audit, 0);
  await store.close();
});

test('removals are forgotten when the gateway is a thousand revisions beyond them, and sessions when they are over', async () => {
  const store = await openTemporaryStore();
  await store.write(async (tx) => {
    for (const revision of [1, 2, 1_500]) await tx.upstreams.remove(upstreamRow(revision).id, revision);
    await tx.admins.put(adminRow(1));
    const session = { ...sessionRow(1), admin_id: adminRow(1).id, created_at: now, last_seen_at: now, expires_at: now + day };
    await tx.sessions.put({ ...session, id_hash: 'a'.repeat(64) });
    await tx.sessions.put({ ...session, id_hash: 'b'.repeat(64), expires_at: now });
    await tx.sessions.put({ ...session, id_hash: 'c'.repeat(64), last_seen_at: now - day - 1 });
  });
  assert.equal((await pruneHistory(store, now, 900, day)).removals, 0);
  assert.deepEqual((await store.read((tx) => tx.removedSince(0))).length, 3);
  assert.equal((await pruneHistory(store, now, 1_002, day)).removals, 2);
  assert.deepEqual(await store.read((tx) => tx.removedSince(0)), [upstreamRow(1_500).id]);
  assert.deepEqual(
    (await store.read((tx) => tx.sessions.ofAdmin(adminRow(1).id))).map(({ id_hash: hash }) => hash[0]),
    ['a'],
  );
  await store.close();
});

test('times and cursors that mean nothing are refused by name, all at once', async () => {
  const store = await openTemporaryStore();
  const error = await errorOf(listAudit(store, { since: 'yesterday', until: '2027-02-30T25:00:00Z', cursor: '-1' }), 'validation_failed');
  assert.deepEqual(
    error.errors.map(({ field }) => field),
    ['since', 'until', 'cursor'],
  );
  for (const since of ['2027-01-31', '2027-01-31T00:00Z', '2027-01-31T00:00:00.123+01:00'])
    assert.equal((await listAudit(store, { since })).total, 0);
  await store.close();
});
