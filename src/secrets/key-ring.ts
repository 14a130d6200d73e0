import { readFileSync } from 'node:fs';
import { readKeyFile } from './key-file.ts';
import type { KeyRing } from './sealer.ts';
import { parseSecretKeys, type SecretKey, type SecretKeysResult } from './secret-key.ts';

/** What the settings say about the key. */
export interface KeySource {
  /** APIGATE_SECRET_KEY, when it is set. It goes before the key file. */
  readonly secretKey?: string;
  /** Full path of the file that the setting was read from, with APIGATE_SECRET_KEY_FILE. */
  readonly secretKeyFile?: string;
  /** Beside the database: keyFilePath. */
  readonly keyFile: string;
}

export type KeyRingResult = { readonly ok: true; readonly value: KeyRing } | { readonly ok: false; readonly message: string };

/** Reads the keys from where the settings say they are; a ring without keys when there is no key file. */
export function openKeyRing(source: KeySource): KeyRingResult {
  const { secretKey = '', secretKeyFile, keyFile } = source;
  if (secretKey === '') {
    const read = (): SecretKeysResult => readKeyFile(keyFile) ?? { ok: true, value: [] };
    return ringThatReads(`the key file ${keyFile}`, read);
  }
  const given = parseSecretKeys(secretKey);
  if (!given.ok) return { ok: false, message: `APIGATE_SECRET_KEY ${given.message}.` };
  if (secretKeyFile === undefined) {
    return { ok: true, value: { source: 'APIGATE_SECRET_KEY', live: false, keys: () => given.value } };
  }
  return ringThatReads(`APIGATE_SECRET_KEY_FILE (${secretKeyFile})`, () => parseSecretKeys(readFileSync(secretKeyFile, 'utf8')));
}

/** Whether the keys lie in the key file beside the database, which is ours to write. */
export function usesKeyFile(source: KeySource): boolean {
  return (source.secretKey ?? '') === '';
}

function ringThatReads(source: string, read: () => SecretKeysResult): KeyRingResult {
  let last: readonly SecretKey[] = [];
  const first = attempt(read);
  if (!first.ok) return { ok: false, message: first.message };
  last = first.value;
  const keys = (): readonly SecretKey[] => {
    const now = attempt(read);
    if (now.ok && now.value.length > 0) last = now.value;
    return last;
  };
  return { ok: true, value: { source, live: true, keys } };
}

function attempt(read: () => SecretKeysResult): SecretKeysResult {
  try {
    return read();
  } catch (error) {
    return { ok: false, message: `The secret key cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.` };
  }
}
