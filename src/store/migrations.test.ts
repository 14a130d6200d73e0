import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { routeRow, upstreamRow } from './row-fixtures.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { openTemporaryStore } from './temporary-store.ts';

/** Columns that routes had in the first schema. */
const firstColumns = [
  'id',
  'revision',
  'name',
  'name_folded',
  'description',
  'host_pattern',
  'host_match_type',
  'path_pattern',
  'match_type',
  'methods',
  'headers',
  'upstream_id',
  'auth_required',
  'priority',
  'enabled',
  'managed',
  'created_at',
  'updated_at',
];

test('a database of the first schema keeps its upstreams and routes, which get the defaults of what came since', async () => {
  const temporary = await openTemporaryStore();
  const row = routeRow(1);
  const upstream = upstreamRow(1);
  await temporary.write(async (tx) => {
    await tx.upstreams.put(upstream);
    await tx.routes.put(row);
  });
  await temporary.close({ keep: true });
  const database = new DatabaseSync(temporary.path);
  const columnsOf = (table: string): string[] =>
    database
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map((column) => String(column['name']));
  const added = columnsOf('routes').filter((column) => !firstColumns.includes(column));
  assert.ok(added.includes('request_transform'));
  for (const column of added) database.exec(`ALTER TABLE routes DROP COLUMN ${column}`);
  const addedToUpstreams = columnsOf('upstreams').filter((column) => column.startsWith('health_check_'));
  assert.equal(addedToUpstreams.length, 4);
  for (const column of addedToUpstreams) database.exec(`ALTER TABLE upstreams DROP COLUMN ${column}`);
  database.exec('DROP TABLE row_history; DROP TABLE history_state; DROP INDEX audit_by_revision');
  database.exec('PRAGMA user_version = 1');
  database.close();

  const store = await openSqliteStore({ path: temporary.path, create: false });
  try {
    assert.deepEqual(await store.read((tx) => tx.routes.get(row.id)), row);
    assert.deepEqual(await store.read((tx) => tx.upstreams.get(upstream.id)), upstream);
  } finally {
    await store.close();
    await temporary.close();
  }
});
