import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openKeyRing } from './key-ring.ts';
import { newSecretKeyText, parseSecretKeys } from './secret-key.ts';

let directory: string;
let keyFile: string;
const [first, second] = [newSecretKeyText(), newSecretKeyText()];
const idsIn = (text: string): string[] => {
  const parsed = parseSecretKeys(text);
  assert.ok(parsed.ok);
  return parsed.value.map(({ id }) => id);
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'apigate-key-'));
  keyFile = join(directory, 'apigate.db.key');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function ringOf(source: { readonly secretKey?: string; readonly secretKeyFile?: string }): { readonly live: boolean; ids(): string[] } {
  const ring = openKeyRing({ keyFile, ...source });
  assert.ok(ring.ok, ring.ok ? '' : ring.message);
  return { live: ring.value.live, ids: () => ring.value.keys().map(({ id }) => id) };
}

test('several keys may be given, with commas or white space between; the same one twice is one', () => {
  assert.deepEqual(ringOf({ secretKey: `${first},${second}` }).ids(), idsIn(`${first}\n${second}`));
  assert.deepEqual(ringOf({ secretKey: ` ${first} ${first}\n` }).ids(), idsIn(first));
  const bad = openKeyRing({ keyFile, secretKey: `${first},hunter2` });
  assert.match(bad.ok ? '' : bad.message, /^APIGATE_SECRET_KEY must be 64 hexadecimal digits/);
  assert.equal((bad.ok ? '' : bad.message).includes('hunter2'), false);
});

test('the environment does not change while the process runs; files do, and a file that is damaged takes nothing away', () => {
  assert.equal(ringOf({ secretKey: first }).live, false);
  const mounted = join(directory, 'mounted.key');
  writeFileSync(mounted, first);
  const ring = ringOf({ secretKey: first, secretKeyFile: mounted });
  assert.equal(ring.live, true);
  writeFileSync(mounted, `${first}\n${second}\n`);
  assert.deepEqual(ring.ids(), idsIn(`${first},${second}`));
  for (const content of ['damaged', '']) {
    writeFileSync(mounted, content);
    assert.deepEqual(ring.ids(), idsIn(`${first},${second}`));
  }
  rmSync(mounted);
  assert.deepEqual(ring.ids(), idsIn(`${first},${second}`));
});

test('without a setting the key file is read; a missing one holds no keys, and later may', () => {
  const ring = ringOf({});
  assert.deepEqual([ring.live, ring.ids()], [true, []]);
  writeFileSync(keyFile, `${second}\n`, { mode: 0o600 });
  assert.deepEqual(ring.ids(), idsIn(second));
});
