import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createKeyFile, keyFilePath, readKeyFile } from './key-file.ts';

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
  assert.equal(read.value.id, created.value.id);
  assert.deepEqual(readdirSync(directory), ['apigate.db.key']);
});

test('a key file that is there is never replaced', () => {
  const first = createKeyFile(path);
  const second = createKeyFile(path);
  assert.ok(first.ok && second.ok);
  assert.equal(second.value.id, first.value.id);
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
