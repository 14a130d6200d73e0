import type { Sealer } from '../secrets/sealer.ts';
import type { Store, StoreReader } from '../store/store.ts';
import { keyIdEntry } from './secret-key.ts';

/** What the running gateway says of its keys, for a rotation by another process. */
export interface ServingKey {
  /** Where its keys come from. */
  readonly source: string;
  /** Whether it finds keys that are added there. */
  readonly live: boolean;
  /** Ids of the keys that it can open with. */
  readonly held: readonly string[];
}

const entry = 'serving_secret_key';

/** What a running gateway has said; undefined before it has said anything. */
export async function servingKeyOf(tx: StoreReader): Promise<ServingKey | undefined> {
  const text = await tx.meta.get(entry);
  return text === undefined ? undefined : (JSON.parse(text) as ServingKey);
}

/**
 * In the gateway: takes up a key that a rotation has brought, and says in the store which keys it holds.
 * @param marked what was said last
 * @returns what is said now
 */
export async function markServingKey(store: Store, sealer: Sealer, marked: string | undefined): Promise<string> {
  const bound = await store.read((tx) => tx.meta.get(keyIdEntry));
  if (bound !== undefined && bound !== sealer.keyId) sealer.use(bound);
  const { source, live } = sealer.keyRing;
  const held = sealer.keyRing.keys().map(({ id }) => id);
  const text = JSON.stringify({ source, live, held } satisfies ServingKey);
  if (text !== marked) await store.write((tx) => tx.meta.set(entry, text));
  return text;
}
