import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SecretKey } from './secret-key.ts';

/** Where a secret lies. A sealed text opens only at the place that it was sealed for. */
export interface SealedPlace {
  readonly table: string;
  readonly id: string;
  readonly field: string;
}

export type OpenResult = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly reason: string };

/** The keys that a process may open and seal with. */
export interface KeyRing {
  /** Where they come from, for messages: `APIGATE_SECRET_KEY`, `the key file /srv/apigate.db.key`. */
  readonly source: string;
  /** Whether what is added at the source is found while the process runs: true for a file, false for the environment. */
  readonly live: boolean;
  /** All keys at present. Never throws: a source that cannot be read gives the keys it gave before. */
  keys(): readonly SecretKey[];
}

export interface Sealer {
  /** Id of the key that new secrets are sealed with. */
  readonly keyId: string;
  readonly keyRing: KeyRing;
  /** Seals with another key from now on, as a rotation asks for; false when there is no such key. */
  use(keyId: string): boolean;
  seal(place: SealedPlace, value: string): string;
  /** Never throws: a secret that cannot be opened comes with the reason, which holds no secret. */
  open(place: SealedPlace, sealed: string): OpenResult;
}

/**
 * Seals with AES-256-GCM, a fresh random nonce each (NIST SP 800-38D section 8.2.2), bound to table, row and
 * field, so that whoever can write to the database still cannot make one row's secret serve another.
 * A sealed text is `v1.KEYID.NONCE.CIPHERTEXT+TAG`, the last two in base64url.
 */
export function createSealer(secretKey: SecretKey, keyRing: KeyRing = ringOf(secretKey)): Sealer {
  let current = secretKey;
  const known = new Map([[secretKey.id, secretKey]]);
  const find = (id: string): SecretKey | undefined => {
    // A rotation by another process may have added it since.
    if (!known.has(id)) for (const key of keyRing.keys()) known.set(key.id, key);
    return known.get(id);
  };
  return {
    get keyId() {
      return current.id;
    },
    keyRing,
    use(keyId) {
      const key = find(keyId);
      if (key !== undefined) current = key;
      return key !== undefined;
    },
    seal(place, value) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, current.key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(placeBytes(place));
      const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return ['v1', current.id, nonce.toString('base64url'), sealed.toString('base64url')].join('.');
    },
    open(place, text) {
      const [version, keyId, nonceText, sealedText, ...more] = text.split('.');
      if (version !== 'v1' || keyId === undefined || nonceText === undefined || sealedText === undefined || more.length > 0) {
        return { ok: false, reason: 'the sealed value is damaged' };
      }
      const key = find(keyId);
      if (key === undefined) return { ok: false, reason: `it is sealed with secret key ${keyId}, not with ${current.id}` };
      const sealed = Buffer.from(sealedText, 'base64url');
      const nonce = Buffer.from(nonceText, 'base64url');
      if (nonce.length !== nonceBytes || sealed.length < tagBytes) return { ok: false, reason: 'the sealed value is damaged' };
      try {
        const decipher = createDecipheriv(algorithm, key.key, nonce, { authTagLength: tagBytes });
        decipher.setAAD(placeBytes(place));
        decipher.setAuthTag(sealed.subarray(-tagBytes));
        const value = Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()]);
        return { ok: true, value: value.toString('utf8') };
      } catch {
        return { ok: false, reason: 'the sealed value was changed, or copied from another place' };
      }
    },
  };
}

/** The id of the key that a sealed text needs; undefined for what is not one. */
export function keyIdOfSealed(text: string): string | undefined {
  return /^v1\.([0-9a-f]{8})\./.exec(text)?.[1];
}

function ringOf(secretKey: SecretKey): KeyRing {
  return { source: 'one key', live: false, keys: () => [secretKey] };
}

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

function placeBytes(place: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify(['apigate v1', place.table, place.id, place.field]));
}
