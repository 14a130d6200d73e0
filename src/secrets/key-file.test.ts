import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createKeyFile, keyFilePath, readKeyFile, replaceKeyFile, saveKeys } from './key-file.ts';
import { newSecretKeyText, parseSecretKeys } from './secret-key.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'apigate-key-'));
  path = keyFilePath(join(directory, 'apigate.db'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a key file is made for its owner alone, and read back the same', () => {
  assert.equal(readKeyFile(path), undefined);
  const created = createKeyFile(path);
  assert.ok(created.ok);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.match(readFileSync(path, 'utf8'), /^[0-9a-f]{64}\n$/);
  const read = readKeyFile(path);
  assert.ok(read?.ok);
  assert.deepEqual(
    read.value.map(({ id }) => id),
    created.value.map(({ id }) => id),
  );
  assert.deepEqual(readdirSync(directory), ['apigate.db.key']);
});

test('a key file that is there is never replaced', () => {
  const first = createKeyFile(path);
  const second = createKeyFile(path);
  assert.ok(first.ok && second.ok);
  assert.equal(second.value[0]?.id, first.value[0]?.id);
});

test('a key file that others may read is refused, with what to do', () => {
  createKeyFile(path);
  for (const mode of [0o640, 0o604, 0o644]) {
    chmodSync(path, mode);
    const read = readKeyFile(path);
    assert.equal(read?.ok, false);
    assert.match(read === undefined || read.ok ? '' : read.message, /may be read by others \(mode 06.*chmod 600/);
  }
});

test('a damaged key file is named, and what is in it is not shown', () => {
  writeFileSync(path, 'half-a-key', { mode: 0o600 });
  const read = readKeyFile(path);
  assert.equal(read?.ok, false);
  const message = read === undefined || read.ok ? '' : read.message;
  assert.match(message, /apigate\.db\.key is damaged/);
  assert.equal(message.includes('half-a-key'), false);
});

test('a directory that is not there is named', () => {
  const created = createKeyFile(join(directory, 'nowhere', 'x.key'));
  assert.equal(created.ok, false);
  assert.match(created.ok ? '' : created.message, /nowhere\/x\.key cannot be made: ENOENT/);
});

test('during a rotation it holds two keys, and is replaced as a whole', () => {
  createKeyFile(path);
  const texts = [newSecretKeyText(), newSecretKeyText()];
  const keys = parseSecretKeys(texts.join(','));
  assert.ok(keys.ok);
  replaceKeyFile(path, keys.value);
  assert.equal(readFileSync(path, 'utf8'), `${texts.join('\n')}\n`);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const read = readKeyFile(path);
  assert.ok(read?.ok);
  assert.deepEqual(
    read.value.map(({ id }) => id),
    keys.value.map(({ id }) => id),
  );
  assert.deepEqual(readdirSync(directory), ['apigate.db.key'], 'no draft is left');
  const before = readFileSync(path, 'utf8');
  assert.throws(() => replaceKeyFile(join(directory, 'nowhere', 'x.key'), keys.value), { code: 'ENOENT' });
  assert.equal(readFileSync(path, 'utf8'), before);
});

test('keys are saved to a file of their own, never over another', () => {
  const keys = parseSecretKeys(newSecretKeyText());
  assert.ok(keys.ok);
  const saved = join(directory, 'old.key');
  saveKeys(saved, keys.value);
  assert.equal(statSync(saved).mode & 0o777, 0o600);
  assert.throws(() => saveKeys(saved, keys.value), { code: 'EEXIST' });
});

test('a key file keeps its owner when root replaces it', { skip: process.getuid?.() !== 0 && 'only root can try' }, () => {
  createKeyFile(path);
  chownSync(path, 65_534, 65_534);
  const keys = parseSecretKeys(newSecretKeyText());
  assert.ok(keys.ok);
  replaceKeyFile(path, keys.value);
  const { uid, gid, mode } = statSync(path);
  assert.deepEqual([uid, gid, mode & 0o777], [65_534, 65_534, 0o600]);
});
