import assert from 'node:assert/strict';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { keyFilePath } from '../secrets/key-file.ts';
import { newSecretKeyText } from '../secrets/secret-key.ts';
import { openTemporaryStore, type TemporaryStore } from '../store/temporary-store.ts';
import { errorOf } from './control-fixture.ts';
import { openSealer, type SealerOptions } from './secret-key.ts';

let store: TemporaryStore;
let keyFile: string;

beforeEach(async () => {
  store = await openTemporaryStore();
  keyFile = keyFilePath(store.path);
});

afterEach(async () => await store.close());

const open = async (options: Partial<SealerOptions> = {}): Promise<string> =>
  (await openSealer({ store, keyFile, create: true, ...options })).keyId;

test('a new database gets a key file, and later starts use it', async () => {
  const keyId = await open();
  assert.equal(statSync(keyFile).mode & 0o777, 0o600);
  assert.equal(await open(), keyId);
  assert.equal(await open({ create: false }), keyId);
});

test('only serve makes a key file', async () => {
  const error = await errorOf(open({ create: false }), 'wrong_secret_key');
  assert.match(error.message, /No secret key is given/);
  assert.equal(existsSync(keyFile), false);
  const given = await errorOf(open({ create: false, secretKey: newSecretKeyText() }), 'wrong_secret_key');
  assert.match(given.message, /no secret key yet.*apigate serve/);
});

test('the key of the environment is used, and then no key file is made', async () => {
  const secretKey = newSecretKeyText();
  const keyId = await open({ secretKey });
  assert.equal(existsSync(keyFile), false);
  assert.equal(await open({ secretKey, create: false }), keyId);
});

test('a missing key is never replaced by a new one: the message names the key that is wanted', async () => {
  const keyId = await open();
  rmSync(keyFile);
  const error = await errorOf(open(), 'wrong_secret_key');
  assert.match(
    error.message,
    new RegExp(
      `sealed with secret key ${keyId}, and no key is given: set APIGATE_SECRET_KEY, or put the key file back at .*apigate\\.db\\.key`,
    ),
  );
  assert.equal(existsSync(keyFile), false);
});

test('a wrong key is refused with the ids of both, and shows neither key', async () => {
  const keyId = await open();
  const secretKey = newSecretKeyText();
  const error = await errorOf(open({ secretKey }), 'wrong_secret_key');
  assert.match(error.message, new RegExp(`sealed with secret key ${keyId}, but APIGATE_SECRET_KEY is key [0-9a-f]{8}\\.`));
  assert.equal(error.message.includes(secretKey), false);
  writeFileSync(keyFile, newSecretKeyText());
  assert.match((await errorOf(open(), 'wrong_secret_key')).message, /but the key file .*apigate\.db\.key is key [0-9a-f]{8}/);
});

test('a key that cannot be read is said to be so, without showing it', async () => {
  const error = await errorOf(open({ secretKey: 'hunter2' }), 'wrong_secret_key');
  assert.match(error.message, /APIGATE_SECRET_KEY must be 64 hexadecimal digits or base64/);
  assert.equal(error.message.includes('hunter2'), false);
});

test('of two gateways that start on a new database at once, both hold the same key', async () => {
  const [first, second] = await Promise.all([open(), open()]);
  assert.equal(first, second);
});
