import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GatewayError } from '../errors/gateway-error.ts';
import { migrations } from './migrations.ts';
import { adminRow, apiKeyRow, routeRow, tokenRow, upstreamRow } from './row-fixtures.ts';
import { backUpSqlite, type BackupOptions } from './sqlite-backup.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { Store } from './store.ts';

let directory: string;
let databasePath: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'apigate-backup-'));
  databasePath = join(directory, 'apigate.db');
  path = join(directory, 'copy.db');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const backUp = (options: Partial<BackupOptions> = {}) => backUpSqlite({ databasePath, path, overwrite: false, ...options });

function refusal(work: () => unknown): GatewayError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof GatewayError, String(error));
    return error;
  }
  return assert.fail('not refused');
}

async function fill(store: Store): Promise<void> {
  await store.write(async (tx) => {
    const revision = await tx.nextRevision();
    for (let number = 1; number <= 50; number += 1) await tx.upstreams.put(upstreamRow(number, { revision }));
    await tx.routes.put(routeRow(1, { revision, upstream_id: upstreamRow(1).id }));
    await tx.keys.put(apiKeyRow(1, { revision }));
    await tx.admins.put(adminRow(1));
    await tx.tokens.put(tokenRow(1));
    await tx.meta.set('secret_key_id', 'aaaaaaaa');
  });
}

/** Every row of every table. */
function contentOf(file: string): unknown {
  using database = new DatabaseSync(file, { readOnly: true });
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  return tables.map(({ name }) => [name, database.prepare(`SELECT * FROM "${String(name)}" ORDER BY 1`).all()]);
}

test('a copy has every row, is a database of its own kind and for its owner alone, and opens as it is', async () => {
  const store = await openSqliteStore({ path: databasePath, create: true });
  await fill(store);
  const done = backUp();
  assert.deepEqual([done.path, done.bytes, done.revision], [path, statSync(path).size, 1]);
  assert.equal(done.meta.get('secret_key_id'), 'aaaaaaaa');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(contentOf(path), contentOf(databasePath));
  await store.close();
  const copy = await openSqliteStore({ path, create: false });
  assert.equal(await copy.read((tx) => tx.revision()), 1);
  await copy.close();
});

test('what was deleted is not in the copy, nor a value that was replaced, once the history has forgotten it', async () => {
  const store = await openSqliteStore({ path: databasePath, create: true });
  const row = upstreamRow(1, { auth_type: 'bearer', auth_value_sealed: 'v1.aaaaaaaa.canary-replaced' });
  await store.write(async (tx) => await tx.upstreams.put(row));
  await store.write(async (tx) => await tx.upstreams.put({ ...row, auth_value_sealed: 'v1.aaaaaaaa.canary-kept' }));
  await store.write(async (tx) => await tx.upstreams.put(upstreamRow(2, { description: 'canary-deleted' })));
  await store.write(async (tx) => await tx.upstreams.remove(upstreamRow(2).id, 1));
  for (let revision = 1; revision <= 3; revision += 1) await store.write((tx) => tx.nextRevision());
  await store.write((tx) => tx.history.prune({ revisions: 1, rows: 1_000, atMost: 100 }));
  backUp();
  const bytes = readFileSync(path, 'latin1');
  assert.ok(bytes.includes('canary-kept'));
  assert.equal(bytes.includes('canary-replaced') || bytes.includes('canary-deleted'), false);
  await store.close();
  assert.equal(/canary-(replaced|deleted)/.test(readFileSync(databasePath, 'latin1')), false, 'nor does it linger in the database');
});

test('a name that is taken is left as it is, unless it is to be replaced', async () => {
  await (await openSqliteStore({ path: databasePath, create: true })).close();
  writeFileSync(path, 'precious');
  assert.match(refusal(backUp).message, /There is a file .*copy\.db already; it was left as it is/);
  assert.equal(refusal(backUp).code, 'conflict');
  assert.equal(readFileSync(path, 'utf8'), 'precious');
  backUp({ overwrite: true });
  assert.equal(readFileSync(path, 'latin1').startsWith('SQLite format 3'), true);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("the database's own files are never overwritten, by whatever name", async () => {
  await (await openSqliteStore({ path: databasePath, create: true })).close();
  writeFileSync(`${databasePath}.key`, 'key');
  symlinkSync(databasePath, join(directory, 'link.db'));
  const before = readFileSync(databasePath);
  for (const name of [databasePath, `${databasePath}-wal`, `${databasePath}.key`, join(directory, 'link.db'), `${directory}/./apigate.db`])
    assert.match(refusal(() => backUp({ path: name, overwrite: true })).message, /belongs to the database itself/, name);
  assert.ok(readFileSync(databasePath).equals(before));
  linkSync(databasePath, join(directory, 'same.db'));
  backUp({ path: join(directory, 'same.db'), overwrite: true });
  assert.ok(readFileSync(databasePath).equals(before), 'a second name for the file is replaced, not the file');
});

test('nothing is left behind where it fails, and the message names what is wrong', async () => {
  assert.match(refusal(backUp).message, /There is no database at .*apigate\.db/);
  await (await openSqliteStore({ path: databasePath, create: true })).close();
  const nowhere = join(directory, 'nowhere', 'copy.db');
  assert.match(refusal(() => backUp({ path: nowhere })).message, /copy\.db could not be written: the directory does not exist/);
  const other = join(directory, 'other.db');
  const foreign = new DatabaseSync(other);
  foreign.exec('CREATE TABLE theirs (x)');
  foreign.close();
  assert.match(refusal(() => backUp({ databasePath: other })).message, /other\.db is not a database of APIGate/);
  writeFileSync(databasePath, 'this is no database at all, although it has the name of one'.repeat(100));
  assert.match(refusal(backUp).message, /is damaged or not an SQLite database/);
  assert.deepEqual(
    readdirSync(directory).filter((name) => /copy|part/.test(name)),
    [],
  );
});

test('an older schema is copied as it is', async () => {
  await (await openSqliteStore({ path: databasePath, create: true })).close();
  const database = new DatabaseSync(databasePath);
  database.exec('PRAGMA user_version = 0');
  database.close();
  backUp();
  using copy = new DatabaseSync(path, { readOnly: true });
  assert.notEqual(copy.prepare('PRAGMA user_version').get()?.['user_version'], migrations.length);
});

test('copies taken while another process commits are each one committed state', async () => {
  const writer = spawn(process.execPath, [fixture, 'write', databasePath], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(createInterface({ input: writer.stdout }), 'line');
    for (let round = 0; round < 5; round += 1) {
      const { revision } = backUp({ overwrite: true });
      const copy = await openSqliteStore({ path, create: false });
      const rows = await copy.read((tx) => tx.upstreams.changedSince(-1));
      await copy.close();
      assert.deepEqual([rows.length, rows.at(-1)?.revision], [revision, revision]);
    }
  } finally {
    writer.kill('SIGKILL');
    await once(writer, 'close');
  }
});

const fixture = fileURLToPath(new URL('./sqlite-child-fixture.ts', import.meta.url));
