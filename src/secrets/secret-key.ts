import { createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';

/** The key that secrets are sealed with: 256 bits, which no log line can show by accident. */
export interface SecretKey {
  /** Tells keys apart in messages and in the database; says nothing about the key itself. */
  readonly id: string;
  readonly key: KeyObject;
}

export type SecretKeyResult = { readonly ok: true; readonly value: SecretKey } | { readonly ok: false; readonly message: string };

/** Reads a key as it stands in APIGATE_SECRET_KEY or in a key file: 64 hexadecimal digits, or base64 of 32 bytes. */
export function parseSecretKey(text: string): SecretKeyResult {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return { ok: true, value: secretKeyOf(Buffer.from(trimmed, 'hex')) };
  // 32 bytes are 43 characters and, where it is written, one sign of padding.
  if (/^[A-Za-z0-9+/]{43}=?$/.test(trimmed) || /^[A-Za-z0-9_-]{43}=?$/.test(trimmed)) {
    const bytes = Buffer.from(trimmed, 'base64');
    if (bytes.length === 32) return { ok: true, value: secretKeyOf(bytes) };
  }
  return { ok: false, message: 'must be 64 hexadecimal digits or base64 of 32 bytes; make one with "openssl rand -hex 32"' };
}

export type SecretKeysResult =
  | { readonly ok: true; readonly value: readonly SecretKey[] }
  | { readonly ok: false; readonly message: string };

/** Reads one key or several, with white space or commas between: during a rotation there are two. At least one is there. */
export function parseSecretKeys(text: string): SecretKeysResult {
  const keys = new Map<string, SecretKey>();
  for (const word of text.trim().split(/[\s,]+/)) {
    const parsed = parseSecretKey(word);
    if (!parsed.ok) return parsed;
    keys.set(parsed.value.id, parsed.value);
  }
  return { ok: true, value: [...keys.values()] };
}

/** A key in the form that goes into a key file. */
export function secretKeyText(key: SecretKey): string {
  return key.key.export().toString('hex');
}

/** A new random key in the form that goes into a key file. */
export function newSecretKeyText(): string {
  return randomBytes(32).toString('hex');
}

function secretKeyOf(bytes: Buffer): SecretKey {
  const id = createHash('sha256').update('apigate secret key\0').update(bytes).digest('hex').slice(0, 8);
  return { id, key: createSecretKey(bytes) };
}
