import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../errors/gateway-error.ts';
import { readKeyFile, replaceKeyFile, saveKeys } from '../secrets/key-file.ts';
import { type KeySource, usesKeyFile } from '../secrets/key-ring.ts';
import { createSealer, type KeyRing, type Sealer } from '../secrets/sealer.ts';
import { newSecretKeyText, parseSecretKey, type SecretKey } from '../secrets/secret-key.ts';
import type { SealedValue, Store, StoreWriter } from '../store/store.ts';
import { accessAudit } from './access-audit.ts';
import type { Actor } from './control-context.ts';
import { resealLocalDoor } from './local-door.ts';
import { keyIdEntry, readKeyRing, type Rotation, rotationEntry, rotationOf } from './secret-key.ts';
import { servingKeyOf } from './serving-key.ts';

export interface RotationOptions extends KeySource {
  readonly store: Store;
  /** The new key as text; made here when the keys lie in the key file. */
  readonly newKey?: string;
  /** Where to keep the old key, for backups from before; the file must not be there yet. */
  readonly oldKeyFile?: string;
  readonly actor: Actor;
  readonly clock?: () => number;
  /** How long a running gateway may take to find the new key, in milliseconds. */
  readonly patience?: number;
  /** Values in one transaction: others wait no longer than that takes. */
  readonly batch?: number;
}

export interface RotationResult {
  readonly from: string;
  readonly to: string;
  /** Whether one that had been interrupted was finished. */
  readonly resumed: boolean;
  /** Values sealed anew by this run, those that the history remembers too. */
  readonly resealed: number;
  /** What has a value that no key at hand opens: left as they are, and no loss, since nothing could be read in them before. */
  readonly unreadable: readonly { readonly table: string; readonly id: string; readonly reason: string }[];
  /** Where the new key is to be put by the operator; undefined when it is in the key file. */
  readonly keySource: string | undefined;
}

/**
 * Seals everything anew under a new key, while a gateway may be running. At whatever point it is stopped, every value
 * opens with a key that is at hand, and the next call goes on:
 *
 * 1. in one transaction, the new key is put beside the old one in the key file and the rotation is written down;
 * 2. a running gateway says that it holds the new key, else all that is taken back;
 * 3. new secrets are sealed with the new key from now on, by every process (`followKey`);
 * 4. what is sealed is sealed anew, some values in a transaction;
 * 5. when nothing is left under another key, the key file is reduced to the new key and the rotation is over.
 *
 * @throws GatewayError `wrong_secret_key`, `conflict` (a running gateway cannot follow; nothing was changed),
 *   `validation_failed`, `storage_unavailable`
 */
export async function rotateSecretKey(options: RotationOptions): Promise<RotationResult> {
  const given = givenKey(options);
  if (given === undefined && !usesKeyFile(options) && (await options.store.read(rotationOf)) === undefined) throw newKeyMissing();
  await refuseDeafGateway(options, given);
  const begun = await begin(options, given);
  const ring = withKey(readKeyRing(options), given);
  const to = ring.keys().find(({ id }) => id === begun.to);
  if (to === undefined) throw missingKey(begun.to, ring);
  const sealer = createSealer(to, ring);
  if (!begun.switched) {
    if (!(await gatewayFollows(options, begun.to))) {
      await takeBack(options, begun);
      throw deafGateway(begun.to, ring.source);
    }
    await switchTo(options, begun.to);
  }
  const done = await resealAll(options, sealer);
  const { resealed, unreadable } = done;
  await options.store.write((tx) => resealLocalDoor(tx, sealer));
  await finish(options, begun, to, done);
  const { from, to: toId, resumed } = begun;
  return { from, to: toId, resumed, resealed, unreadable, keySource: usesKeyFile(options) ? undefined : ring.source };
}

interface Begun extends Rotation {
  readonly resumed: boolean;
  /** Whether new secrets are sealed with the new key already: from then on there is no way back. */
  readonly switched: boolean;
}

function givenKey({ newKey }: RotationOptions): SecretKey | undefined {
  if (newKey === undefined) return undefined;
  const parsed = parseSecretKey(newKey);
  if (parsed.ok) return parsed.value;
  throw new GatewayError('validation_failed', {
    detail: `The new key ${parsed.message}.`,
    errors: [{ field: 'new_key', message: parsed.message }],
  });
}

/** Serialised by the database's write lock: of two that begin at once, the second finds the first one's rotation. */
async function begin(options: RotationOptions, given: SecretKey | undefined): Promise<Begun> {
  return await options.store.write(async (tx) => {
    const bound = await tx.meta.get(keyIdEntry);
    if (bound === undefined) {
      throw new GatewayError('conflict', {
        detail: 'This database has no secret key yet: start the gateway once ("apigate serve"), which chooses it.',
      });
    }
    const underWay = await rotationOf(tx);
    if (underWay !== undefined) {
      if (given !== undefined && given.id !== underWay.to) {
        throw new GatewayError('conflict', {
          detail: `A rotation from key ${underWay.from} to ${underWay.to} was interrupted; finish it first, with that new key.`,
        });
      }
      return { ...underWay, resumed: true, switched: bound === underWay.to };
    }
    const ring = readKeyRing(options);
    const old = ring.keys().find(({ id }) => id === bound);
    if (old === undefined) throw missingKey(bound, ring);
    const next = given ?? freshKey();
    if (next.id === bound) throw new GatewayError('conflict', { detail: `Key ${bound} is the one in use already; nothing was changed.` });
    if (options.oldKeyFile !== undefined)
      writing(
        () => saveKeys(options.oldKeyFile!, [old]),
        `Nothing was changed, because the old key cannot be kept in ${options.oldKeyFile}`,
      );
    // Before the rotation is written down: a key too many in the file does no harm, one too few would.
    if (usesKeyFile(options)) writeKeyFile(options, [next, ...ring.keys().filter(({ id }) => id !== next.id)]);
    const rotation: Rotation = { from: bound, to: next.id };
    await tx.meta.set(rotationEntry, JSON.stringify(rotation));
    await audit(options, tx, 'secret_key.rotate_start', rotation, {});
    return { ...rotation, resumed: false, switched: false };
  });
}

/** Whether a running gateway has the new key, or none runs. */
async function gatewayFollows({ store, patience = 5_000 }: RotationOptions, to: string): Promise<boolean> {
  const deadline = performance.now() + patience;
  for (;;) {
    if (!(await store.isServed())) return true;
    const serving = await store.read(servingKeyOf);
    if (serving?.held.includes(to) === true) return true;
    if (performance.now() >= deadline) return false;
    await sleep(25);
  }
}

/** A gateway whose environment lacks the new key cannot get it while it runs: that is said before anything is changed. */
async function refuseDeafGateway({ store }: RotationOptions, given: SecretKey | undefined): Promise<void> {
  if (given === undefined || !(await store.isServed())) return;
  const serving = await store.read(servingKeyOf);
  if (serving !== undefined && !serving.live && !serving.held.includes(given.id)) throw deafGateway(given.id, serving.source);
}

async function takeBack(options: RotationOptions, { from, to }: Rotation): Promise<void> {
  await options.store.write(async (tx) => {
    if ((await tx.meta.get(keyIdEntry)) !== from) return;
    if (usesKeyFile(options)) {
      const keys = readKeyRing(options).keys();
      writeKeyFile(
        options,
        keys.filter(({ id }) => id !== to),
        'The rotation is not begun, but the new key could not be taken out of',
      );
    }
    await tx.meta.remove(rotationEntry);
    await audit(options, tx, 'secret_key.rotate_cancel', { from, to }, {});
  });
}

/** From here on everybody seals with the new key. */
async function switchTo(options: RotationOptions, to: string): Promise<void> {
  await options.store.write(async (tx) => {
    const underWay = await rotationOf(tx);
    const bound = await tx.meta.get(keyIdEntry);
    // Another call may have done all the work meanwhile, or have taken the rotation back, and with it the key.
    if (underWay === undefined && bound === to) return;
    if (underWay?.to !== to) throw new GatewayError('conflict', { detail: 'Another call took this rotation back; run it again.' });
    await tx.meta.set(keyIdEntry, to);
  });
}

interface Resealed extends Pick<RotationResult, 'resealed' | 'unreadable'> {
  /** Values that stay under another key. */
  readonly left: number;
}

async function resealAll(options: RotationOptions, sealer: Sealer): Promise<Resealed> {
  // The history may hold the same value many times.
  const unreadable = new Map<string, RotationResult['unreadable'][number]>();
  let resealed = 0;
  let left = 0;
  let after: SealedValue | undefined;
  for (;;) {
    const values = await options.store.write(async (tx) => {
      const found = await tx.sealed.notUnder(sealer.keyId, options.batch ?? 50, after);
      for (const value of found) {
        const { table, id, field, sealed } = value;
        const place = { table, id, field };
        const opened = sealer.open(place, sealed);
        if (opened.ok) resealed += Number(await tx.sealed.replace(value, sealer.seal(place, opened.value)));
        else {
          left += 1;
          unreadable.set(`${table} ${id} ${opened.reason}`, { table, id, reason: opened.reason });
        }
      }
      return found;
    });
    if (values.length === 0) return { resealed, unreadable: [...unreadable.values()], left };
    after = values.at(-1);
    // Other writers, the gateway's own among them, come in between.
    await sleep(0);
  }
}

async function finish(
  options: RotationOptions,
  { from, to }: Rotation,
  key: SecretKey,
  { resealed, unreadable, left }: Resealed,
): Promise<void> {
  await options.store.write(async (tx) => {
    if ((await rotationOf(tx)) === undefined) return;
    const found = await tx.sealed.notUnder(to, left + 1);
    if (found.length > left) throw new Error('something was sealed with the old key meanwhile');
    // The keys that are left out open nothing any more. Before the rotation is struck out: see openSealer.
    if (usesKeyFile(options))
      writeKeyFile(options, [key], `Everything is sealed with key ${to}, but the old key could not be taken out of`);
    await tx.meta.remove(rotationEntry);
    await audit(options, tx, 'secret_key.rotate', { from, to }, { resealed, unreadable: unreadable.length });
  });
}

async function audit(options: RotationOptions, tx: StoreWriter, action: string, { from, to }: Rotation, detail: object): Promise<void> {
  const { actor, clock = Date.now } = options;
  await accessAudit(tx, clock(), actor, { action, type: 'secret_key', id: to, name: to, detail: { from, to, ...detail } });
}

function freshKey(): SecretKey {
  const made = parseSecretKey(newSecretKeyText());
  if (!made.ok) throw new Error(made.message);
  return made.value;
}

function withKey(ring: KeyRing, key: SecretKey | undefined): KeyRing {
  return key === undefined ? ring : { ...ring, keys: () => [...ring.keys(), key] };
}

function writeKeyFile(
  { keyFile }: RotationOptions,
  keys: readonly SecretKey[],
  trouble = 'Nothing was changed, because a key cannot be added to',
): void {
  const read = readKeyFile(keyFile);
  if (read !== undefined && !read.ok) throw new GatewayError('wrong_secret_key', { detail: read.message });
  writing(() => replaceKeyFile(keyFile, keys), `${trouble} the key file ${keyFile}`);
}

function writing(write: () => void, what: string): void {
  try {
    write();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' ? 'there is such a file already' : (code ?? String(error));
    throw new GatewayError('conflict', { detail: `${what}: ${reason}.`, cause: error });
  }
}

function newKeyMissing(): GatewayError {
  return new GatewayError('validation_failed', {
    detail:
      'The key comes from the environment, so the new one has to be given: make it with "openssl rand -hex 32", and name its file with --new-key-file.',
    errors: [{ field: 'new_key', message: 'is required' }],
  });
}

function missingKey(id: string, ring: KeyRing): GatewayError {
  return new GatewayError('wrong_secret_key', { detail: `Secret key ${id} is needed, and ${ring.source} does not hold it.` });
}

function deafGateway(to: string, source: string): GatewayError {
  return new GatewayError('conflict', {
    detail: `The running gateway does not hold the new key ${to}, and nothing was changed. Put the new key beside the old one in ${source}, separated by a comma, restart the gateway, and run this again; afterwards the new key alone is enough.`,
  });
}
