// Longer than 300 lines: each way in which an embedded database file can fail, and what is answered.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GatewayError } from '../errors/gateway-error.ts';
import { migrations } from './migrations.ts';
import { upstreamRow } from './row-fixtures.ts';
import { servingLockPath } from './serving-lock.ts';
import { openSqliteStore } from './sqlite-store.ts';

let directory: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'apigate-store-'));
  path = join(directory, 'apigate.db');
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(directory, { recursive: true, force: true });
});

test('a missing file is not created unless asked, and the message says what to do', async () => {
  await refuses({ create: false }, /no database at .*apigate\.db.*apigate serve/);
  assert.equal(existsSync(path), false);
});

test('J03 a missing directory is named', async () => {
  path = join(directory, 'nowhere', 'apigate.db');
  await refuses({ create: true }, /apigate\.db cannot be opened: the directory .*nowhere does not exist/);
});

test('a directory in place of the file is named', async () => {
  mkdirSync(path);
  await refuses({ create: true }, /apigate\.db cannot be opened: it is not a regular file/);
});

test('a database, its log and its lock can be read by their owner alone', async () => {
  const store = await openSqliteStore({ path, create: true });
  await store.claimServing();
  await store.write(async (tx) => await tx.nextRevision());
  for (const file of [path, `${path}-wal`, `${path}-shm`, servingLockPath(path)]) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  await store.close();
});

test('J03 a file or directory that may not be written to is named', { skip: process.platform === 'win32' }, async () => {
  await (await openSqliteStore({ path, create: true })).close();
  const uid = process.getuid?.() === 0 ? 65_534 : undefined;
  if (uid !== undefined) {
    chownSync(directory, uid, uid);
    chownSync(path, uid, uid);
  }
  chmodSync(path, 0o400);
  assert.match(await answerOf(runChild('open', path, '', uid)), /apigate\.db cannot be opened for writing: permission denied/);
  chmodSync(path, 0o600);
  chmodSync(directory, 0o500);
  assert.match(await answerOf(runChild('open', path, '', uid)), /apigate\.db cannot be opened for writing: permission denied/);
  assert.match(await answerOf(runChild('open', join(directory, 'new.db'), '', uid)), /new\.db cannot be created: permission denied/);
  chmodSync(directory, 0o700);
});

test('a file that is no database is refused and left as it is', async () => {
  const content = 'this is a text that somebody keeps here\n'.repeat(200);
  writeFileSync(path, content);
  await refuses({ create: true }, /apigate\.db is damaged or not an SQLite database.*left as it is.*backup/);
  assert.equal(readFileSync(path, 'utf8'), content);
});

for (const [what, damage] of [
  ['header', (bytes: Buffer) => bytes.fill(0xff, 16, 100)],
  ['schema page', (bytes: Buffer) => bytes.fill(0xff, 100, 2000)],
  ['later page', (bytes: Buffer) => bytes.fill(0x5a, 4096 * 3, 4096 * 4)],
  ['end, which is cut off', (bytes: Buffer) => bytes.subarray(0, 4096 * 3 + 100)],
] as const) {
  test(`J04 a database with a damaged ${what} is refused and left as it is`, async () => {
    const store = await openSqliteStore({ path, create: true });
    await store.write(async (tx) => {
      for (let number = 0; number < 100; number += 1) await tx.upstreams.put(upstreamRow(number));
    });
    await store.close();
    const bytes = readFileSync(path);
    const damaged = Buffer.from(damage(bytes) ?? bytes);
    writeFileSync(path, damaged);
    await refuses({ create: true }, /apigate\.db is damaged or not an SQLite database.*left as it is.*backup/);
    assert.ok(readFileSync(path).equals(damaged));
  });
}

test("another program's database is refused and left as it is", async () => {
  const other = new DatabaseSync(path);
  other.exec('CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)');
  other.close();
  const before = readFileSync(path);
  await refuses({ create: true }, /apigate\.db is a database of another program/);
  assert.ok(readFileSync(path).equals(before));
});

test('an empty file becomes a database only for those who may create one', async () => {
  writeFileSync(path, '');
  await refuses({ create: false }, /apigate\.db is empty.*apigate serve/);
  await (await openSqliteStore({ path, create: true })).close();
  await (await openSqliteStore({ path, create: false })).close();
});

test('J08 a newer schema is refused with both version numbers, and left as it is', async () => {
  await (await openSqliteStore({ path, create: true })).close();
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 99');
  database.close();
  await refuses({ create: true }, new RegExp(`schema version 99, but this APIGate knows versions up to ${migrations.length}`));
  const again = new DatabaseSync(path);
  assert.equal(again.prepare('PRAGMA user_version').get()?.['user_version'], 99);
  again.close();
});

test('J07 several processes that start at once on a new database migrate it once', async () => {
  const answers = await Promise.all([1, 2, 3].map(async () => await answerOf(runChild('open', path))));
  assert.deepEqual(answers, ['revision 0', 'revision 0', 'revision 0']);
  const database = new DatabaseSync(path);
  assert.equal(database.prepare('PRAGMA user_version').get()?.['user_version'], migrations.length);
  assert.equal(database.prepare('SELECT count(*) AS rows FROM gateway_state').get()?.['rows'], 1);
  database.close();
});

test("J05 a write waits out another process's lock of 2 s without blocking the event loop; reads go on", async () => {
  const store = await openSqliteStore({ path, create: true });
  const locker = runChild('lock', path, '2000');
  assert.equal(await nextLine(locker), 'locked');
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const started = performance.now();
  const writing = store.write(async (tx) => await tx.nextRevision());
  const readStarted = performance.now();
  assert.equal(await store.read(async (tx) => await tx.revision()), 0);
  assert.ok(performance.now() - readStarted < 1_500, 'a read waited for the lock');
  assert.equal(await writing, 1);
  delay.disable();
  assert.ok(performance.now() - started > 1000, 'the lock was not held');
  // Waiting within SQLite would be one delay as long as the lock; what is less is the machine's own.
  assert.ok(delay.percentile(99) / 1e6 < 500, `event loop delayed by ${delay.percentile(99) / 1e6} ms`);
  await store.close();
});

test('a lock held for too long is storage_unavailable with a time to retry, for all who waited, at about the same time', async () => {
  const store = await openSqliteStore({ path, create: true, lockWait: 1_000 });
  const locker = runChild('lock', path, '60000');
  assert.equal(await nextLine(locker), 'locked');
  const started = performance.now();
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map(async () => await store.write(async (tx) => await tx.nextRevision())));
  for (const outcome of outcomes) {
    assert.equal(outcome.status, 'rejected');
    const { reason } = outcome;
    assert.ok(reason instanceof GatewayError);
    assert.equal(reason.code, 'storage_unavailable');
    assert.equal(reason.retryAfter, 1);
    assert.match(reason.message, /another process holds it locked/);
  }
  assert.ok(performance.now() - started < 3_000, 'the waiting added up');
  locker.kill('SIGKILL');
  await once(locker, 'exit');
  assert.equal(await store.write(async (tx) => await tx.nextRevision()), 1);
  await store.close();
});

test('kill -9 between writes loses nothing that was acknowledged and leaves nothing half', async () => {
  for (let round = 0; round < 12; round += 1) {
    const writer = runChild('write', path);
    let acknowledged = 0;
    const lines = createInterface({ input: writer.stdout! });
    lines.on('line', (line) => {
      acknowledged = Number(line);
      // Anywhere in the next write, but not always at its beginning.
      if (acknowledged % 25 === 10 + round) setTimeout(() => writer.kill('SIGKILL'), round);
    });
    await once(writer, 'close');
    assert.ok(acknowledged > 0);
    const store = await openSqliteStore({ path, create: false });
    await store.read(async (tx) => {
      const revision = await tx.revision();
      assert.ok(revision >= acknowledged, `acknowledged ${acknowledged}, found ${revision}`);
      assert.equal((await tx.upstreams.changedSince(-1)).length, revision);
    });
    await store.close();
  }
});

test('a gateway that is killed does not hold the database', async () => {
  const store = await openSqliteStore({ path, create: true });
  const gateway = runChild('serve', path);
  assert.equal(await nextLine(gateway), 'serving true');
  assert.equal(await store.isServed(), true);
  assert.equal(await store.claimServing(), false);
  assert.equal(statSync(servingLockPath(path)).size, 0);
  assert.equal(existsSync(`${servingLockPath(path)}-journal`), false);
  gateway.kill('SIGKILL');
  await once(gateway, 'exit');
  assert.equal(await store.isServed(), false);
  assert.equal(await store.claimServing(), true);
  await store.close();
});

test('a database file that is removed or replaced while open takes no more writes, and takes them again when it is back', async () => {
  const store = await openSqliteStore({ path, create: true });
  renameSync(path, `${path}.away`);
  const gone = { code: 'storage_unavailable', message: /is gone; nothing was changed/ };
  await assert.rejects(
    store.write(async (tx) => await tx.nextRevision()),
    gone,
  );
  await assert.rejects(store.dataVersion(), gone);
  copyFileSync(`${path}.away`, path);
  await assert.rejects(
    store.write(async (tx) => await tx.nextRevision()),
    { code: 'storage_unavailable', message: /was replaced/ },
  );
  rmSync(path);
  renameSync(`${path}.away`, path);
  assert.equal(await store.write(async (tx) => await tx.nextRevision()), 1);
  await store.close();
});

test('a full disk is storage_unavailable; nothing is half, and it recovers', { skip: process.platform !== 'linux' }, async () => {
  const store = await openSqliteStore({ path, create: true });
  const revision = await store.write(async (tx) => await tx.nextRevision());
  await store.close();
  // The limit stands in for the disk's end: SQLite meets it in the middle of writing.
  const blocks = Math.ceil(statSync(path).size / 1024) + 64;
  const child = spawn('bash', ['-c', `ulimit -f ${blocks}; exec "$0" "$@"`, process.execPath, fixture, 'write', path], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  assert.match(stderr, /storage_unavailable/);
  const again = await openSqliteStore({ path, create: false });
  await again.read(async (tx) => {
    assert.ok((await tx.revision()) > revision);
    assert.equal((await tx.upstreams.changedSince(-1)).length, (await tx.revision()) - revision);
  });
  await again.write(async (tx) => await tx.nextRevision());
  await again.close();
});

test('a database reached through a link works', async () => {
  const real = join(directory, 'real.db');
  await (await openSqliteStore({ path: real, create: true })).close();
  symlinkSync(real, path);
  const store = await openSqliteStore({ path, create: false });
  assert.equal(await store.write(async (tx) => await tx.nextRevision()), 1);
  await store.close();
});

const fixture = fileURLToPath(new URL('./sqlite-child-fixture.ts', import.meta.url));

async function refuses(options: { create: boolean }, message: RegExp): Promise<void> {
  const error = await openSqliteStore({ path, ...options }).then(
    async (store) => await store.close().then(() => undefined),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof GatewayError, `not refused: ${String(error)}`);
  assert.equal(error.code, 'storage_unavailable');
  assert.match(error.message, message);
  assert.equal(error.message.includes('\n'), false);
}

function runChild(act: string, file: string, argument = '', uid?: number): ChildProcess {
  const child = spawn(process.execPath, [fixture, act, file, argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, gid: uid, env: { PATH: process.env['PATH'] } }),
  });
  children.push(child);
  return child;
}

async function answerOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  return text.trim();
}

async function nextLine(child: ChildProcess): Promise<string> {
  const [line] = await once(createInterface({ input: child.stdout! }), 'line');
  return line as string;
}
