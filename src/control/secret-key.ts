import { GatewayError } from '../errors/gateway-error.ts';
import { createKeyFile, readKeyFile } from '../secrets/key-file.ts';
import { createSealer, type Sealer } from '../secrets/sealer.ts';
import { parseSecretKey, type SecretKey } from '../secrets/secret-key.ts';
import type { Store } from '../store/store.ts';

export interface SealerOptions {
  readonly store: Store;
  /** APIGATE_SECRET_KEY, when it is set. It goes before the key file. */
  readonly secretKey?: string;
  /** Beside the database: keyFilePath of src/secrets/key-file.ts. */
  readonly keyFile: string;
  /** Whether a new database gets a new key file. Only `serve` does this. */
  readonly create: boolean;
}

const keyIdEntry = 'secret_key_id';

/**
 * Finds the key that the database's secrets are sealed with. A database remembers its key's id from its first
 * start on; a new key file is made for a new database only, because beside an old one it would be a wrong key.
 * @throws GatewayError `wrong_secret_key`, with the id that the database wants and the one that was given
 */
export async function openSealer(options: SealerOptions): Promise<Sealer> {
  const wanted = await options.store.read((tx) => tx.meta.get(keyIdEntry));
  const key = givenKey(options) ?? (wanted === undefined && options.create ? newKey(options) : undefined);
  if (key === undefined) throw noKey(options, wanted);
  const bound = wanted ?? (options.create ? await bindKey(options.store, key) : undefined);
  if (bound === undefined)
    throw refusal('This database has no secret key yet: start the gateway once ("apigate serve"), which chooses it.');
  if (bound !== key.id)
    throw refusal(`The secrets in this database are sealed with secret key ${bound}, but ${sourceOf(options)} is key ${key.id}.`);
  return createSealer(key);
}

function givenKey(options: SealerOptions): SecretKey | undefined {
  if (options.secretKey !== undefined && options.secretKey !== '') {
    const parsed = parseSecretKey(options.secretKey);
    if (!parsed.ok) throw refusal(`APIGATE_SECRET_KEY ${parsed.message}.`);
    return parsed.value;
  }
  const read = readKeyFile(options.keyFile);
  if (read !== undefined && !read.ok) throw refusal(read.message);
  return read?.value;
}

function newKey(options: SealerOptions): SecretKey {
  const created = createKeyFile(options.keyFile);
  if (!created.ok) throw refusal(created.message);
  return created.value;
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

function noKey(options: SealerOptions, wanted: string | undefined): GatewayError {
  const where = `set APIGATE_SECRET_KEY, or put the key file back at ${options.keyFile}`;
  return refusal(
    wanted === undefined
      ? `No secret key is given: ${where}.`
      : `The secrets in this database are sealed with secret key ${wanted}, and no key is given: ${where}.`,
  );
}

function sourceOf(options: SealerOptions): string {
  return options.secretKey === undefined || options.secretKey === '' ? `the key file ${options.keyFile}` : 'APIGATE_SECRET_KEY';
}

function refusal(detail: string): GatewayError {
  return new GatewayError('wrong_secret_key', { detail });
}
