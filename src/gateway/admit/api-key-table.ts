import type { ApiKeyConfig } from '../../model/gateway-config.ts';
import type { ApiKeyId, RouteId } from '../../model/ids.ts';
import { PersistentMap } from '../persistent-map.ts';

/** An API key, ready to be checked. */
export interface ApiKeyRecord {
  /** `anonymous` where no key is needed. */
  readonly id: ApiKeyId | 'anonymous';
  readonly name: string;
  readonly prefix: string;
  /** SHA-256 of the key in lower-case hexadecimal. */
  readonly hash: string;
  /** null opens all routes. */
  readonly routes: ReadonlySet<RouteId> | null;
  /** Requests per minute; 0 means no limit. */
  readonly rateLimit: number;
  /** Milliseconds since the epoch; Infinity means never. */
  readonly expiresAt: number;
  readonly revoked: boolean;
}

/** Who comes without a key, on a route that needs none. */
export const anonymous: ApiKeyRecord = {
  id: 'anonymous',
  name: 'anonymous',
  prefix: '',
  hash: '',
  routes: null,
  rateLimit: 0,
  expiresAt: Infinity,
  revoked: false,
};

export function emptyApiKeyTable(): ApiKeyTable {
  return ApiKeyTable.empty;
}

/** All API keys of a snapshot, found by their hash; immutable. A change costs in proportion to itself. */
export class ApiKeyTable {
  static readonly empty = new ApiKeyTable(PersistentMap.empty(), PersistentMap.empty());

  readonly #byHash: PersistentMap<ApiKeyRecord>;
  readonly #byId: PersistentMap<ApiKeyRecord>;

  private constructor(byHash: PersistentMap<ApiKeyRecord>, byId: PersistentMap<ApiKeyRecord>) {
    this.#byHash = byHash;
    this.#byId = byId;
  }

  /** The table after a change: `put` are new or replaced whole, by id. */
  with(put: readonly ApiKeyConfig[], removed: readonly ApiKeyId[] = []): ApiKeyTable {
    let byHash = this.#byHash;
    let byId = this.#byId;
    const remove = (id: ApiKeyId): void => {
      const known = byId.get(id);
      if (known === undefined) return;
      byId = byId.delete(id);
      // Another key may have taken the place of an equal hash meanwhile.
      if (byHash.get(lookupPart(known.hash)) === known) byHash = byHash.delete(lookupPart(known.hash));
    };
    for (const id of removed) remove(id);
    for (const config of put) {
      remove(config.id);
      const record = compileKey(config);
      byHash = byHash.set(lookupPart(record.hash), record);
      byId = byId.set(config.id, record);
    }
    return new ApiKeyTable(byHash, byId);
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: ApiKeyId): ApiKeyRecord | undefined {
    return this.#byId.get(id);
  }

  /** `hash`: SHA-256 of the presented key in lower-case hexadecimal. */
  find(hash: string): ApiKeyRecord | null {
    const record = this.#byHash.getPart(hash, 0, lookupLength);
    return record !== undefined && restIsEqual(record.hash, hash) ? record : null;
  }
}

// Keys are looked up by half of their hash; the rest is compared in a time that does not depend on where it differs.
const lookupLength = 32;

function lookupPart(hash: string): string {
  return hash.slice(0, lookupLength);
}

function compileKey(config: ApiKeyConfig): ApiKeyRecord {
  return {
    id: config.id,
    name: config.name,
    prefix: config.prefix,
    hash: config.hash.toLowerCase(),
    routes: config.routes.length === 0 ? null : new Set(config.routes),
    rateLimit: config.rate_limit_per_minute ?? 0,
    expiresAt: config.expires_at ?? Infinity,
    revoked: config.revoked,
  };
}

/** Compares what the lookup has not compared already. */
function restIsEqual(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = lookupLength; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
