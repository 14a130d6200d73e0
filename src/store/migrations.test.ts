import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { routeRow, upstreamRow } from './row-fixtures.ts';
import { openSqliteStore } from './sqlite-store.ts';

test('routes of a database from before protocol, cors and api_key_query get their defaults and stay as they were', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'apigate-store-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'apigate.db');
  const made = await openSqliteStore({ path, create: true });
  const row = routeRow(1, { protocol: 'sse', api_key_query: true });
  await made.write(async (tx) => {
    await tx.upstreams.put(upstreamRow(1));
    await tx.routes.put(row);
  });
  await made.close();
  // As the first schema was.
  const database = new DatabaseSync(path);
  for (const { name } of database.prepare('SELECT name FROM pragma_table_info(?)').all('routes') as { name: string }[])
    if (!firstColumns.includes(name)) database.exec(`ALTER TABLE routes DROP COLUMN ${name}`);
  database.exec('PRAGMA user_version = 1');
  database.close();

  const opened = await openSqliteStore({ path, create: false });
  const found = await opened.read((tx) => tx.routes.get(row.id));
  await opened.close();
  assert.deepEqual(found, { ...row, protocol: 'http', cors: null, api_key_query: false });
});

const firstColumns =
  'id revision name name_folded description host_pattern host_match_type path_pattern match_type methods headers upstream_id auth_required priority enabled managed created_at updated_at'.split(
    ' ',
  );
