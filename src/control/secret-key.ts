import { GatewayError } from '../errors/gateway-error.ts';
import { createKeyFile } from '../secrets/key-file.ts';
import { type KeySource, openKeyRing, usesKeyFile } from '../secrets/key-ring.ts';
import { createSealer, type KeyRing, type Sealer } from '../secrets/sealer.ts';
import type { SecretKey } from '../secrets/secret-key.ts';
import type { Store, StoreReader } from '../store/store.ts';

export interface SealerOptions extends KeySource {
  readonly store: Store;
  /** Whether a new database gets a new key file. Only `serve` does this. */
  readonly create: boolean;
}

/** In the store's single values: the id of the key that is sealed with. */
export const keyIdEntry = 'secret_key_id';
/** In the store's single values, while a rotation is under way: `{"from":"…","to":"…"}`, ids of keys. */
export const rotationEntry = 'secret_key_rotation';

export interface Rotation {
  readonly from: string;
  readonly to: string;
}

/**
 * Finds the key that the database's secrets are sealed with. A database remembers its key's id from its first
 * start on; a new key file is made for a new database only, because beside an old one it would be a wrong key.
 * While a rotation is under way both of its keys must be at hand as long as secrets are sealed with both.
 * @throws GatewayError `wrong_secret_key`, with the id that the database wants and the one that was given
 */
export async function openSealer(options: SealerOptions): Promise<Sealer> {
  const { wanted, rotation } = await options.store.read(async (tx) => ({
    wanted: await tx.meta.get(keyIdEntry),
    rotation: await rotationOf(tx),
  }));
  let ring = readKeyRing(options);
  if (ring.keys().length === 0 && wanted === undefined && options.create) ring = newKeyRing(options);
  const [first] = ring.keys();
  if (first === undefined) throw noKey(options, wanted);
  const bound = wanted ?? (options.create ? await bindKey(options.store, first) : undefined);
  if (bound === undefined)
    throw refusal('This database has no secret key yet: start the gateway once ("apigate serve"), which chooses it.');
  const key = ring.keys().find(({ id }) => id === bound);
  if (key === undefined) throw otherKey(bound, ring);
  const missing = rotation && [rotation.from, rotation.to].find((id) => !ring.keys().some((held) => held.id === id));
  if (missing !== undefined && (missing === rotation?.to || (await isInUse(options.store, missing)))) throw halfRotated(missing, ring);
  return createSealer(key, ring);
}

/** @throws GatewayError `wrong_secret_key` for what cannot be read as keys */
export function readKeyRing(source: KeySource): KeyRing {
  const ring = openKeyRing(source);
  if (!ring.ok) throw refusal(ring.message);
  return ring.value;
}

/** The rotation that is under way; undefined when none is. */
export async function rotationOf(tx: StoreReader): Promise<Rotation | undefined> {
  const text = await tx.meta.get(rotationEntry);
  return text === undefined ? undefined : (JSON.parse(text) as Rotation);
}

/**
 * Inside a transaction that is to seal something: makes sure that it is sealed with the key that the database is sealed
 * with now, whoever has changed that since.
 * @throws GatewayError `wrong_secret_key` when this process has not got that key
 */
export async function followKey(sealer: Sealer, tx: StoreReader): Promise<void> {
  const bound = await tx.meta.get(keyIdEntry);
  if (bound === undefined || bound === sealer.keyId || sealer.use(bound)) return;
  throw otherKey(bound, sealer.keyRing);
}

function newKeyRing(options: SealerOptions): KeyRing {
  if (usesKeyFile(options)) {
    const created = createKeyFile(options.keyFile);
    if (!created.ok) throw refusal(created.message);
  }
  return readKeyRing(options);
}

/** Of two gateways that start on a new database at once, the first one's key counts. */
async function bindKey(store: Store, key: SecretKey): Promise<string> {
  return await store.write(async (tx) => {
    const bound = await tx.meta.get(keyIdEntry);
    if (bound !== undefined) return bound;
    await tx.meta.set(keyIdEntry, key.id);
    return key.id;
  });
}

async function isInUse(store: Store, keyId: string): Promise<boolean> {
  const values = await store.read((tx) => tx.sealed.all());
  return values.some(({ sealed }) => sealed.startsWith(`v1.${keyId}.`));
}

function noKey(options: SealerOptions, wanted: string | undefined): GatewayError {
  const where = `set APIGATE_SECRET_KEY, or put the key file back at ${options.keyFile}`;
  return refusal(
    wanted === undefined
      ? `No secret key is given: ${where}.`
      : `The secrets in this database are sealed with secret key ${wanted}, and no key is given: ${where}.`,
  );
}

function otherKey(bound: string, ring: KeyRing): GatewayError {
  const ids = ring.keys().map(({ id }) => id);
  const given = ids.length === 1 ? `key ${ids[0]}` : `keys ${ids.join(', ')}`;
  return refusal(
    `The secrets in this database are sealed with secret key ${bound}, but ${ring.source} ${ids.length === 1 ? 'is' : 'holds'} ${given}.`,
  );
}

function halfRotated(missing: string, ring: KeyRing): GatewayError {
  return refusal(
    `A rotation of the secret key is under way and needs both keys, but ${ring.source} does not hold key ${missing}: give both (separated by a comma), and finish it with "apigate secrets rotate".`,
  );
}

function refusal(detail: string): GatewayError {
  return new GatewayError('wrong_secret_key', { detail });
}
