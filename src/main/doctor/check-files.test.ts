import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';
import { hasOpenssl, TestAuthority } from '../../../test/support/certificates.ts';
import type { DoctorFinding } from '../../model/doctor-finding.ts';
import { createKeyFile } from '../../secrets/key-file.ts';
import { loadSettings } from '../../settings/load-settings.ts';
import { openSqliteStore } from '../../store/sqlite-store.ts';
import { checkDatabase, checkKeyAlone, checkTlsFiles } from './check-files.ts';
import { checkTrust } from './check-process.ts';

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'apigate-doctor-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function newDatabase(context: TestContext): Promise<string> {
  const path = join(folderOf(context), 'apigate.db');
  await (await openSqliteStore({ path, create: true })).close();
  return path;
}

async function worst(path: string): Promise<DoctorFinding> {
  const { findings } = await checkDatabase(path);
  return findings.find(({ result }) => result === 'broken') ?? findings.find(({ result }) => result === 'warning') ?? findings[0]!;
}

describe('the database', () => {
  test('sound, and looking at it leaves nothing behind', async (context) => {
    const path = await newDatabase(context);
    const before = [readdirSync(join(path, '..')), readFileSync(path)];
    const { findings, database, isUsable } = await checkDatabase(path);
    assert.deepEqual([findings.map(({ result }) => result), isUsable, database?.isServed], [['ok'], true, false]);
    assert.deepEqual([readdirSync(join(path, '..')), readFileSync(path)], before);
  });

  test('with changes that are still in its log', async (context) => {
    const path = await newDatabase(context);
    const store = await openSqliteStore({ path, create: false });
    try {
      await store.write((tx) => tx.meta.set('a', 'b'));
      const files = readdirSync(join(path, '..'));
      assert.equal((await worst(path)).result, 'ok');
      assert.deepEqual(readdirSync(join(path, '..')), files);
      const reader = await openSqliteStore({ path, create: false, readOnly: true });
      assert.equal(await reader.read((tx) => tx.meta.get('a')), 'b', 'what is read is what was committed last');
      await assert.rejects(reader.write((tx) => tx.meta.set('a', 'c')));
      await reader.close();
      assert.equal(await store.read((tx) => tx.meta.get('a')), 'b');
    } finally {
      await store.close();
    }
  });

  test('open to others', async (context) => {
    const path = await newDatabase(context);
    chmodSync(path, 0o644);
    assert.deepEqual([(await worst(path)).result, (await worst(path)).mend], ['warning', `chmod 600 ${path}`]);
  });

  test('of a newer or an older schema', async (context) => {
    const path = await newDatabase(context);
    const setVersion = (change: number): void => {
      const database = new DatabaseSync(path);
      const { user_version: now } = database.prepare('PRAGMA user_version').get() as { user_version: number };
      database.exec(`PRAGMA user_version = ${now + change}`);
      database.close();
    };
    setVersion(1);
    const newer = await checkDatabase(path);
    assert.match(newer.findings[0]!.found, /has schema version \d+, but this APIGate knows versions up to \d+/);
    assert.equal(newer.isUsable, false);
    setVersion(-2);
    assert.match((await worst(path)).found, /older than this APIGate's/);
    await assert.rejects(openSqliteStore({ path, create: false, readOnly: true }), /the next start of the gateway brings it to/);
  });

  test('damaged, empty, or of another program: left as it is', async (context) => {
    const path = await newDatabase(context);
    const damaged = readFileSync(path).fill(0xff, 4096 * 3, 4096 * 6);
    writeFileSync(path, damaged);
    assert.match((await worst(path)).found, /damaged/);
    assert.deepEqual(readFileSync(path), damaged);
    writeFileSync(path, 'no database at all, but long enough to be looked at'.repeat(100));
    assert.match((await worst(path)).found, /damaged or not an SQLite database/);
    writeFileSync(path, '');
    assert.match((await worst(path)).found, /is empty/);
    const other = join(path, '..', 'other.db');
    const database = new DatabaseSync(other);
    database.exec('CREATE TABLE t (a)');
    database.close();
    assert.match((await worst(other)).found, /a database of another program/);
  });

  test('not there yet: fine, unless it cannot be made', async (context) => {
    const folder = folderOf(context);
    assert.match((await worst(join(folder, 'apigate.db'))).found, /the first start of the gateway makes it/);
    assert.match((await worst(join(folder, 'no', 'apigate.db'))).found, /does not exist/);
    assert.deepEqual(readdirSync(folder), []);
  });
});

describe('the secret key, where there is no database yet', () => {
  const settingsFor = (folder: string, env: Readonly<Record<string, string>> = {}) => loadSettings({ env, cwd: folder });

  test('none, a right one, an open one, a damaged one', (context) => {
    const folder = folderOf(context);
    const file = join(folder, 'apigate.db.key');
    assert.equal(checkKeyAlone(settingsFor(folder)), undefined);
    createKeyFile(file);
    assert.equal(checkKeyAlone(settingsFor(folder))?.result, 'ok');
    chmodSync(file, 0o640);
    const open = checkKeyAlone(settingsFor(folder))!;
    assert.deepEqual([open.result, open.mend], ['broken', `Make it yours alone: chmod 600 ${file}`]);
    chmodSync(file, 0o600);
    writeFileSync(file, 'canary');
    const damaged = checkKeyAlone(settingsFor(folder))!;
    assert.match(damaged.found, /is damaged/);
    assert.doesNotMatch(JSON.stringify(damaged), /canary/);
  });

  test('given in the environment', (context) => {
    const folder = folderOf(context);
    assert.equal(checkKeyAlone(settingsFor(folder, { APIGATE_SECRET_KEY: 'ab'.repeat(32) }))?.result, 'ok');
    const bad = checkKeyAlone(settingsFor(folder, { APIGATE_SECRET_KEY: 'canary' }))!;
    assert.equal(bad.result, 'broken');
    assert.doesNotMatch(JSON.stringify(bad), /canary/);
  });
});

test(
  'the own certificate: soon to expire, expired, too early, not fitting, missing; a key that all may read',
  { skip: !hasOpenssl() && 'the openssl command is not installed' },
  (context) => {
    const authority = new TestAuthority();
    context.after(() => authority.remove());
    const first = (files: { cert: string; key: string }, now = Date.now()): DoctorFinding => [...checkTlsFiles(files, now)][0]!;
    const { files } = authority.issue(['DNS:a.test']);
    // Issued for 20 days.
    const soon = Date.now() + 10 * 86_400_000;
    assert.match(first(files, soon).found, /^it expires in (?:9|10) days, on \d{4}-\d\d-\d\d$/);
    assert.equal(first(files, soon).result, 'warning');
    assert.equal(first(files, Date.now() + 30 * 86_400_000).result, 'broken');
    assert.match(first(authority.issue(['DNS:a.test'], 'expired').files).found, /^it expired on/);
    assert.match(first(authority.issue(['DNS:a.test'], 'future').files).found, /^it is not valid before/);
    assert.match(first({ cert: files.cert, key: authority.issue(['DNS:b.test']).files.key }).found, /does not fit/);
    assert.match(first({ cert: join(authority.directory, 'no.pem'), key: files.key }).found, /cannot be read: ENOENT/);
    const own = authority.selfSigned(['DNS:a.test']).files;
    assert.deepEqual([...checkTlsFiles(own, Date.now())].map(({ result }) => result).slice(0, 1), ['ok']);
    chmodSync(own.key, 0o644);
    assert.equal([...checkTlsFiles(own, Date.now())].at(-1)!.mend, `chmod 600 ${own.key}`);
    chmodSync(own.key, 0o640);
    assert.equal([...checkTlsFiles(own, Date.now())].length, 1, 'a group may read it: that is how many servers do it');
  },
);

test('a trust store that is named but cannot be read', (context) => {
  const missing = join(folderOf(context), 'missing.pem');
  const [finding] = checkTrust({ SSL_CERT_FILE: missing });
  assert.deepEqual([finding?.result, finding?.found], ['broken', `SSL_CERT_FILE names ${missing}, which cannot be read`]);
});
