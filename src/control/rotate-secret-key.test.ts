import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, symlinkSync, statSync, renameSync, writeFileSync } from 'node:fs';
import { join, dirname } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { keyFilePath, readKeyFile } from '../secrets/key-file.ts';
import { keyIdOfSealed, type Sealer } from '../secrets/sealer.ts';
import { newSecretKeyText } from '../secrets/secret-key.ts';
import { upstreamRow } from '../store/row-fixtures.ts';
import { openTemporaryStore, type TemporaryStore } from '../store/temporary-store.ts';
import type { Actor } from './control-context.ts';
import { errorOf, openControl } from './control-fixture.ts';
import { authValuePlace } from './credentials.ts';
import { rotateSecretKey, type RotationOptions } from './rotate-secret-key.ts';
import { openSealer } from './secret-key.ts';
import { secretKeyStatus } from './secret-key-status.ts';
import { markServingKey } from './serving-key.ts';
import { createUpstream, updateUpstream } from './upstreams.ts';

const actor: Actor = { kind: 'cli', id: '', label: 'root' };
let store: TemporaryStore;
let keyFile: string;
let sealer: Sealer;

beforeEach(async () => {
  store = await openTemporaryStore();
  keyFile = keyFilePath(store.path);
  sealer = await openSealer({ store, keyFile, create: true });
  await store.write(async (tx) => {
    for (let number = 1; number <= 7; number += 1) {
      const row = upstreamRow(number, { auth_type: 'bearer' });
      await tx.upstreams.put({ ...row, auth_value_sealed: sealer.seal(authValuePlace(row.id), `secret ${number}`) });
    }
    await tx.upstreams.put(upstreamRow(8));
  });
});

afterEach(async () => await store.close());

const rotate = (options: Partial<RotationOptions> = {}) => rotateSecretKey({ store, keyFile, actor, batch: 2, ...options });

const keysInFile = (): string[] => {
  const read = readKeyFile(keyFile);
  assert.ok(read?.ok);
  return read.value.map(({ id }) => id);
};

/** Opens every value, as a gateway that starts now would. */
async function opened(source: Partial<RotationOptions> = {}): Promise<string[]> {
  const fresh = await openSealer({ store, keyFile, create: false, ...source });
  const values = await store.read((tx) => tx.sealed.all());
  return values.map(({ table, id, field, sealed }) => {
    const result = fresh.open({ table, id, field }, sealed);
    return result.ok ? result.value : result.reason;
  });
}

const present = [1, 2, 3, 4, 5, 6, 7].map((number) => `secret ${number}`);
/** The history remembers each of them too. */
const all = [...present, ...present];

async function keyIdsUsed(): Promise<(string | undefined)[]> {
  const values = await store.read((tx) => tx.sealed.all());
  return [...new Set(values.map(({ sealed }) => keyIdOfSealed(sealed)))];
}

test('everything is sealed anew under a new key; the file then holds that one alone, and an audit row tells of it', async () => {
  const from = sealer.keyId;
  const result = await rotate();
  assert.deepEqual([result.from, result.resealed, result.resumed, result.unreadable], [from, 14, false, []]);
  assert.notEqual(result.to, from);
  assert.deepEqual(keysInFile(), [result.to]);
  assert.equal(statSync(keyFile).mode & 0o777, 0o600);
  assert.deepEqual(await keyIdsUsed(), [result.to]);
  assert.deepEqual(await opened(), all);
  const { rows } = await store.read((tx) => tx.audit.list({ limit: 10 }));
  assert.deepEqual(
    rows.map(({ action, actor_label, resource_id, detail }) => [action, actor_label, resource_id, detail]),
    [
      ['secret_key.rotate', 'root', result.to, { from, to: result.to, resealed: 14, unreadable: 0 }],
      ['secret_key.rotate_start', 'root', result.to, { from, to: result.to }],
    ],
  );
});

test('the old key can be kept in a file of its own, which opens an earlier copy; never over another file', async () => {
  const oldText = readFileSync(keyFile, 'utf8');
  const oldKeyFile = join(dirname(store.path), 'old.key');
  await rotate({ oldKeyFile });
  assert.equal(readFileSync(oldKeyFile, 'utf8'), oldText);
  assert.equal(statSync(oldKeyFile).mode & 0o777, 0o600);
  const before = readFileSync(keyFile, 'utf8');
  const error = await errorOf(rotate({ oldKeyFile }), 'conflict');
  assert.match(error.message, /Nothing was changed.*old\.key: there is such a file already/);
  assert.equal(readFileSync(keyFile, 'utf8'), before);
  assert.equal((await secretKeyStatus({ store, keyFile })).rotation, null);
});

/** A store whose transaction number `fails` throws instead of committing, as if the process had been killed there. */
function killedAt(fails: number): TemporaryStore {
  let count = 0;
  return {
    ...store,
    write: async (work) =>
      await store.write(async (tx) => {
        const result = await work(tx);
        if ((count += 1) === fails) throw new Error('killed');
        return result;
      }),
  };
}

test('L04 stopped in any of its transactions, every value opens with the keys at hand, and the next call finishes it', async () => {
  for (let fails = 1; ; fails += 1) {
    const outcome = await rotate({ store: killedAt(fails) }).then(
      () => 'done',
      (error: Error) => error.message,
    );
    assert.deepEqual(await opened(), all, `after transaction ${fails}`);
    if (outcome === 'done') {
      assert.ok(fails > 7, 'there were transactions to stop in');
      return;
    }
    assert.equal(outcome, 'killed');
    const finished = await rotate();
    assert.deepEqual(keysInFile(), [finished.to]);
    assert.deepEqual(await keyIdsUsed(), [finished.to]);
    assert.deepEqual(await opened(), all);
  }
});

test('a process that was there before the rotation seals with the new key, and opens what it sealed', async () => {
  const control = await openControl({ store, sealer });
  const { to } = await rotate();
  const made = await createUpstream(control.context, actor, {
    name: 'late',
    base_url: 'http://127.0.0.1:9',
    auth_type: 'bearer',
    auth_value: 'sealed late',
  });
  const row = await store.read((tx) => tx.upstreams.get(made.value.id));
  assert.equal(keyIdOfSealed(row?.auth_value_sealed ?? ''), to);
  assert.ok((await opened()).includes('sealed late'));
  await updateUpstream(control.context, actor, upstreamRow(1).id, { timeout_ms: 5 });
  assert.ok((await opened()).includes('secret 1'), 'a change of something else leaves the value as it was sealed anew');
});

test('a process without the new key seals nothing more, rather than with a key that is gone', async () => {
  const secretKey = newSecretKeyText();
  const alone = await openTemporaryStore();
  const held = await openSealer({ store: alone, keyFile: keyFilePath(alone.path), secretKey, create: true });
  const control = await openControl({ store: alone, sealer: held });
  const newKey = newSecretKeyText();
  await rotateSecretKey({ store: alone, keyFile: keyFilePath(alone.path), secretKey, newKey, actor });
  const fields = { name: 'late', base_url: 'http://127.0.0.1:9', auth_type: 'bearer', auth_value: 'x' };
  await errorOf(createUpstream(control.context, actor, fields), 'wrong_secret_key');
  assert.equal(await alone.read(async (tx) => (await tx.sealed.all()).length), 0);
  await alone.close();
});

test('a running gateway that finds no new key in its environment stops the rotation before anything is changed', async () => {
  await store.claimServing();
  const secretKey = readFileSync(keyFile, 'utf8').trim();
  const held = await openSealer({ store, keyFile, secretKey, create: false });
  await markServingKey(store, held, undefined);
  const before = JSON.stringify([await store.read((tx) => tx.sealed.all()), readFileSync(keyFile, 'utf8')]);
  const newKey = newSecretKeyText();
  const error = await errorOf(rotate({ secretKey, newKey }), 'conflict');
  assert.match(error.message, /running gateway does not hold the new key [0-9a-f]{8}.*APIGATE_SECRET_KEY, separated by a comma, restart/);
  assert.equal(error.message.includes(newKey), false);
  assert.equal(JSON.stringify([await store.read((tx) => tx.sealed.all()), readFileSync(keyFile, 'utf8')]), before);
  assert.equal((await secretKeyStatus({ store, keyFile })).rotation, null);
  // As after a restart with both.
  await markServingKey(store, await openSealer({ store, keyFile, secretKey: `${secretKey},${newKey}`, create: false }), undefined);
  const result = await rotate({ secretKey, newKey });
  assert.equal(result.keySource, 'APIGATE_SECRET_KEY');
  assert.deepEqual(await opened({ secretKey: newKey }), all);
  await errorOf(openSealer({ store, keyFile, secretKey, create: false }), 'wrong_secret_key');
});

test('a running gateway that does not take up the new key in time: the rotation is taken back, key file and all', async () => {
  await store.claimServing();
  await markServingKey(store, sealer, undefined);
  const before = readFileSync(keyFile, 'utf8');
  const error = await errorOf(rotate({ patience: 100 }), 'conflict');
  assert.match(error.message, /does not hold the new key/);
  assert.equal(readFileSync(keyFile, 'utf8'), before);
  const status = await secretKeyStatus({ store, keyFile });
  assert.deepEqual([status.rotation, status.current], [null, sealer.keyId]);
  assert.deepEqual(await opened(), all);
});

test('a rotation whose key comes from the environment needs a new key, one that is a key and another one', async () => {
  const secretKey = readFileSync(keyFile, 'utf8').trim();
  assert.match(JSON.stringify((await errorOf(rotate({ secretKey }), 'validation_failed')).errors), /new_key.*is required/);
  assert.match(JSON.stringify((await errorOf(rotate({ secretKey, newKey: 'hunter2' }), 'validation_failed')).errors), /64 hexadecimal/);
  assert.match((await errorOf(rotate({ secretKey, newKey: secretKey }), 'conflict')).message, /is the one in use already/);
  assert.deepEqual(await opened(), all);
});

test('an interrupted rotation goes on with its own new key only, and needs both at every start', async () => {
  const secretKey = readFileSync(keyFile, 'utf8').trim();
  const newKey = newSecretKeyText();
  await assert.rejects(rotate({ secretKey, newKey, store: killedAt(4) }), /killed/);
  assert.match((await errorOf(rotate({ secretKey, newKey: newSecretKeyText() }), 'conflict')).message, /was interrupted; finish it first/);
  const one = await errorOf(openSealer({ store, keyFile, secretKey: newKey, create: false }), 'wrong_secret_key');
  assert.match(one.message, /A rotation of the secret key is under way and needs both keys, but APIGATE_SECRET_KEY does not hold key/);
  await errorOf(openSealer({ store, keyFile, secretKey, create: false }), 'wrong_secret_key');
  assert.deepEqual(await opened({ secretKey: `${secretKey},${newKey}` }), all);
  assert.equal((await rotate({ secretKey, newKey })).resumed, true);
  assert.deepEqual(await opened({ secretKey: newKey }), all);
});

test('L03 a value that was copied to another row stays unreadable, is named, and does not stop the rest', async () => {
  await store.write(async (tx) => {
    const [first, second] = await tx.sealed.all();
    assert.ok(first && second);
    await tx.sealed.replace(second, first.sealed);
  });
  const { resealed, unreadable } = await rotate();
  assert.equal(resealed, 13);
  assert.deepEqual(
    unreadable.map(({ id, reason }) => [id, reason]),
    [[upstreamRow(2).id, 'the sealed value was changed, or copied from another place']],
  );
  assert.equal((await opened()).filter((value) => value.startsWith('secret ')).length, 13);
  assert.equal((await secretKeyStatus({ store, keyFile })).rotation, null);
});

test('two rotations at once end with one key under which everything is', async () => {
  const results = await Promise.allSettled([rotate(), rotate()]);
  assert.ok(results.some(({ status }) => status === 'fulfilled'));
  const [only, ...more] = keysInFile();
  assert.deepEqual(more, []);
  assert.deepEqual(await keyIdsUsed(), [only]);
  assert.deepEqual(await opened(), all);
});

test(
  'a key file that may not be written stops it before anything is changed',
  { skip: process.getuid?.() === 0 && 'root may write everything' },
  async () => {
    chmodSync(dirname(keyFile), 0o500);
    try {
      await errorOf(rotate(), 'conflict');
    } finally {
      chmodSync(dirname(keyFile), 0o700);
    }
    assert.deepEqual(await opened(), all);
  },
);

test('a key file that is a link stays one', async () => {
  const real = `${keyFile}.real`;
  renameSync(keyFile, real);
  symlinkSync(real, keyFile);
  const { to } = await rotate();
  assert.deepEqual(keysInFile(), [to]);
  assert.equal(existsSync(real), true);
  assert.match(readFileSync(real, 'utf8'), /^[0-9a-f]{64}\n$/);
});

test('status names keys by id with what is sealed with each, and says where they come from', async () => {
  const from = sealer.keyId;
  await assert.rejects(rotate({ store: killedAt(4) }), /killed/);
  const status = await secretKeyStatus({ store, keyFile });
  const to = status.rotation?.to;
  assert.deepEqual(status.rotation, { from, to });
  assert.equal(status.source, `the key file ${keyFile}`);
  assert.deepEqual(Object.fromEntries(status.keys.map(({ id, held, values }) => [id, [held, values]])), {
    [from]: [true, 12],
    [String(to)]: [true, 2],
  });
  writeFileSync(keyFile, `${newSecretKeyText()}\n`);
  const lost = await secretKeyStatus({ store, keyFile });
  assert.deepEqual(
    lost.keys.filter(({ values }) => values > 0).map(({ held }) => held),
    [false, false],
  );
  for (const key of status.keys) assert.match(key.id, /^[0-9a-f]{8}$/);
});
