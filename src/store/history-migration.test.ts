import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import { Kysely } from 'kysely';
import { routeDefaults } from '../model/route.ts';
import { migrations } from './migrations.ts';
import { apiKeyRow, routeRow, upstreamRow } from './row-fixtures.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { migrateSqlite } from './sqlite-migrate.ts';
import { openSqliteFile } from './sqlite-open.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { ConfigRows } from './store.ts';
import type { Tables } from './tables.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'apigate-history-'));
  path = join(directory, 'apigate.db');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const sealed = { auth_type: 'bearer', auth_value_sealed: 'v1.a', auth_value_updated_at: 3 } as const;

/** A database of three revisions. */
async function fill(): Promise<ConfigRows> {
  const store = await openSqliteStore({ path, create: true });
  try {
    for (const timeout_ms of [1, 2, 3]) {
      await store.write(async (tx) => {
        const revision = await tx.nextRevision();
        await tx.upstreams.put(upstreamRow(1, { ...sealed, revision, timeout_ms }));
        if (revision !== 2) return;
        await tx.routes.put(routeRow(1, { revision, enabled: false }));
        await tx.keys.put(apiKeyRow(1, { revision, last_used_at: 5 }));
      });
    }
    return await store.read((tx) => tx.history.at(3));
  } finally {
    await store.close();
  }
}

test('a database from before there was a history remembers what it held when it was brought up to date', async () => {
  await makeEarlierDatabase();
  const store = await openSqliteStore({ path, create: false });
  try {
    const present = await store.read(async (tx) => {
      assert.equal(await tx.history.from(), 7);
      const { upstreams, routes, keys } = await tx.history.at(7);
      assert.deepEqual(upstreams.toSorted(byRevision), await tx.upstreams.changedSince(-1));
      assert.deepEqual(routes, await tx.routes.changedSince(-1));
      const now = await tx.keys.changedSince(-1);
      assert.deepEqual(
        keys,
        now.map(({ hash: _hash, last_used_at: _used, ...key }) => key),
      );
      assert.deepEqual([upstreams.length, routes.length, keys.length], [2, 1, 1]);
      assert.equal(upstreams.find(({ revision }) => revision === 7)?.auth_value_sealed, 'v1.a');
      return { upstreams, routes, keys };
    });
    await store.write(async (tx) => {
      const revision = await tx.nextRevision();
      await tx.routes.remove(routeRow(1).id, revision);
      await tx.upstreams.put(upstreamRow(1, { revision }));
    });
    assert.deepEqual(await store.read((tx) => tx.history.at(7)), present);
  } finally {
    await store.close();
  }
});

/** One at revision 7, as the version before the history left it. */
async function makeEarlierDatabase(): Promise<void> {
  const file = await openSqliteFile({ path, create: true });
  const db = new Kysely<Tables>({ dialect: sqliteDialect(file.writer) });
  const before = migrations.findIndex(({ name }) => name === 'history of the gateway config');
  await migrateSqlite(file, db, migrations.slice(0, before));
  const insert = (table: string, row: object): void => {
    const known = new Set(
      file.writer
        .prepare(`PRAGMA table_info(${table})`)
        .all()
        .map((column) => column['name']),
    );
    const fields = Object.entries({ ...row, name_folded: '' }).filter(([field, value]) => known.has(field) && value !== null);
    const values = fields.map(([, value]: [string, unknown]) =>
      typeof value === 'boolean' ? Number(value) : typeof value === 'object' ? JSON.stringify(value) : value,
    ) as SQLInputValue[];
    const places = fields.map(() => '?').join();
    file.writer.prepare(`INSERT INTO ${table} (${fields.map(([field]) => field).join()}) VALUES (${places})`).run(...values);
  };
  file.writer.exec('UPDATE gateway_state SET revision = 7');
  insert('upstreams', upstreamRow(1, { ...sealed, revision: 7 }));
  insert('upstreams', upstreamRow(2, { revision: 3 }));
  insert('routes', routeRow(1, { revision: 5, enabled: false }));
  insert('api_keys', apiKeyRow(1, { revision: 6, last_used_at: 5, routes: [routeRow(1).id] }));
  await db.destroy();
  file.reader.close();
}

test('a row that was remembered before there was a field has the default in it', async () => {
  const expected = await fill();
  using database = new DatabaseSync(path);
  for (const field of Object.keys(routeDefaults)) {
    database.prepare("UPDATE row_history SET content = json_remove(content, '$.' || ?) WHERE resource_type = 'route'").run(field);
  }
  database.exec("UPDATE row_history SET content = json_set(content, '$.gone', 1)");
  database.close();
  const store = await openSqliteStore({ path, create: false });
  try {
    const told = await store.read((tx) => tx.history.at(3));
    assert.deepEqual(told, { ...expected, routes: [{ ...expected.routes[0], ...routeDefaults }] });
  } finally {
    await store.close();
  }
});

test('neither the hash of an API key nor when it was used is remembered; what is sealed lies in its own column', async () => {
  await fill();
  using database = new DatabaseSync(path);
  const rows = database.prepare('SELECT * FROM row_history').all();
  assert.equal(rows.length, 5);
  const content = rows.map((row) => row['content']).join();
  for (const absent of [apiKeyRow(1).hash, 'last_used_at', 'v1.a', 'sealed']) assert.equal(content.includes(absent), false, absent);
  assert.deepEqual(
    rows.filter((row) => row['auth_value_sealed'] !== null).map((row) => row['revision']),
    [1, 2, 3],
  );
});

function byRevision(left: { readonly revision: number }, right: { readonly revision: number }): number {
  return left.revision - right.revision;
}
