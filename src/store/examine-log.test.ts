import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GatewayError } from '../errors/gateway-error.ts';
import { examineLog } from './examine-log.ts';
import { openSqliteStore } from './sqlite-store.ts';

let directory: string;
let path: string;
let log: string;
/** What a killed writer has left: a database, and a log with many changes. */
let leftDatabase: string;
let leftLog: Buffer;
let frameBytes: number;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'apigate-log-'));
  path = join(directory, 'apigate.db');
  log = `${path}-wal`;
  const writer = spawn(process.execPath, [fileURLToPath(new URL('./sqlite-child-fixture.ts', import.meta.url)), 'write', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: writer.stdout }).on('line', (line) => {
    if (line === '40') writer.kill('SIGKILL');
  });
  await once(writer, 'close');
  leftDatabase = join(directory, 'left.db');
  copyFileSync(path, leftDatabase);
  leftLog = readFileSync(log);
  frameBytes = leftLog.readUInt32BE(8) + 24;
});

after(() => rmSync(directory, { recursive: true, force: true }));

beforeEach(() => lay(leftLog));

function lay(bytes: Buffer): void {
  rmSync(`${path}-shm`, { force: true });
  copyFileSync(leftDatabase, path);
  writeFileSync(log, bytes);
}

/** Revision and number of rows, which are the same when no change is there by half; and what was warned of. */
async function open(): Promise<{ readonly revision: number; readonly rows: number; readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  const store = await openSqliteStore({ path, create: true, warn: (message) => warnings.push(message) });
  try {
    return await store.read(async (tx) => ({
      revision: await tx.revision(),
      rows: (await tx.upstreams.changedSince(-1)).length,
      warnings,
    }));
  } finally {
    await store.close();
  }
}

async function refused(): Promise<string> {
  const error = await open().catch((caught: unknown) => caught);
  assert.ok(error instanceof GatewayError, `not refused: ${JSON.stringify(error)}`);
  assert.equal(error.code, 'storage_unavailable');
  return error.message;
}

test('a log that SQLite wrote is sound: of a killed process, of one that is still open, after a checkpoint, and none at all', async () => {
  assert.notEqual(examineLog(log).kind, 'damaged');
  assert.equal((await open()).revision >= 40, true);
  assert.deepEqual(examineLog(log), { kind: 'sound' });
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE other (x)');
  for (let round = 0; round < 30; round += 1) {
    database.exec(`INSERT INTO other VALUES (randomblob(${round * 500}))`);
    assert.deepEqual(examineLog(log), { kind: 'sound' });
    // The next log is written over the start of this one, whose end stays behind it.
    if (round % 7 === 6) database.exec('PRAGMA wal_checkpoint(RESTART)');
  }
  database.close();
  assert.deepEqual(examineLog(log), { kind: 'sound' });
});

test('J04 a log that is cut off anywhere leaves whole changes only, and what was left out is not passed over in silence', async () => {
  let cuts = 0;
  for (let length = leftLog.length - 1; length > 32 + frameBytes * 8; length -= 4_999) {
    lay(leftLog.subarray(0, length));
    const { kind } = examineLog(log);
    const { revision, rows, warnings } = await open();
    assert.equal(rows, revision, `cut at ${length}`);
    assert.equal(warnings.length, kind === 'cut' ? 1 : 0, `cut at ${length}`);
    if ((length - 32) % frameBytes !== 0) assert.equal(kind, 'cut');
    if (kind === 'cut') cuts += 1;
    for (const warning of warnings) assert.match(warning, /apigate\.db-wal ends in the middle of a change, which was left out whole/);
  }
  assert.ok(cuts > 10);
});

test('J04 a last frame that is half written is left out whole, with a warning', async () => {
  const half = Buffer.from(leftLog);
  half.fill(0, half.length - 2_000);
  lay(half);
  const { revision, rows, warnings } = await open();
  assert.equal(rows, revision);
  assert.equal(warnings.length, 1);
});

for (const [what, damage] of [
  ['one bit in the middle', (bytes: Buffer) => (bytes[32 + frameBytes * 9 + 1_000]! ^= 1)],
  ['a sector of zeros in the middle', (bytes: Buffer) => bytes.fill(0, 32 + frameBytes * 9, 32 + frameBytes * 9 + 512)],
  ['its header', (bytes: Buffer) => bytes.fill(0xff, 0, 8)],
  ['the checksum of its header', (bytes: Buffer) => (bytes[26]! ^= 1)],
  ['its beginning, which is zeros', (bytes: Buffer) => bytes.fill(0, 0, 4_096)],
] as const) {
  test(`J04 a log with damage to ${what} is refused instead of losing what was acknowledged; nothing is touched`, async () => {
    const bytes = Buffer.from(leftLog);
    damage(bytes);
    lay(bytes);
    assert.match(
      await refused(),
      /The log of the database .*apigate\.db-wal, is damaged: .*left as they are: restore the database from a backup/,
    );
    assert.ok(readFileSync(log).equals(bytes));
    assert.ok(readFileSync(path).equals(readFileSync(leftDatabase)));
    assert.equal(existsSync(`${path}-shm`), false);
  });
}

test('SQLite itself takes a damaged log for a shorter one, without a word: that is what the refusal is for', () => {
  const bytes = Buffer.from(leftLog);
  bytes[32 + frameBytes * 9 + 1_000]! ^= 1;
  lay(bytes);
  const database = new DatabaseSync(path);
  // Even the change that made the tables was in the log.
  assert.deepEqual(database.prepare("SELECT name FROM sqlite_schema WHERE name = 'gateway_state'").all(), []);
  database.close();
});

test('J04 a command on the database refuses a damaged log too, when no gateway runs: it would tidy it away', async () => {
  const bytes = Buffer.from(leftLog);
  bytes[32 + frameBytes * 9 + 1_000]! ^= 1;
  lay(bytes);
  const error = await openSqliteStore({ path, create: false }).catch((caught: unknown) => caught);
  assert.ok(error instanceof GatewayError);
  assert.match(error.message, /is damaged/);
  assert.ok(readFileSync(log).equals(bytes));
});
