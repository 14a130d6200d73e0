import type { KeySource } from '../secrets/key-ring.ts';
import { keyIdOfSealed } from '../secrets/sealer.ts';
import type { Store } from '../store/store.ts';
import { keyIdEntry, readKeyRing, type Rotation, rotationOf } from './secret-key.ts';
import { servingKeyOf } from './serving-key.ts';

/** What is sealed with which key, and which keys are at hand. Holds no key, only their ids. */
export interface SecretKeyStatus {
  /** The key that new secrets are sealed with; null before the first start. */
  readonly current: string | null;
  readonly rotation: Rotation | null;
  /** Where this process looks for keys. */
  readonly source: string;
  readonly keys: readonly {
    readonly id: string;
    /** Whether this process has it. */
    readonly held: boolean;
    /** Whether the running gateway has it; null when none runs. */
    readonly held_by_gateway: boolean | null;
    /** Values that are sealed with it. */
    readonly values: number;
  }[];
  /** Values that are no sealed text at all: damaged. */
  readonly damaged: number;
}

/** @throws GatewayError `wrong_secret_key` for what cannot be read as keys; `storage_unavailable` */
export async function secretKeyStatus(options: KeySource & { readonly store: Store }): Promise<SecretKeyStatus> {
  const { store } = options;
  const ring = readKeyRing(options);
  const held = ring.keys().map(({ id }) => id);
  const served = await store.isServed();
  const stored = await store.read(async (tx) => ({
    current: await tx.meta.get(keyIdEntry),
    rotation: await rotationOf(tx),
    serving: await servingKeyOf(tx),
    values: await tx.sealed.all(),
  }));
  const counts = new Map<string, number>();
  let damaged = 0;
  for (const { sealed } of stored.values) {
    const id = keyIdOfSealed(sealed);
    if (id === undefined) damaged += 1;
    else counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const ids = new Set([...(stored.current === undefined ? [] : [stored.current]), ...held, ...counts.keys()]);
  return {
    current: stored.current ?? null,
    rotation: stored.rotation ?? null,
    source: ring.source,
    keys: [...ids].map((id) => ({
      id,
      held: held.includes(id),
      held_by_gateway: served ? (stored.serving?.held.includes(id) ?? false) : null,
      values: counts.get(id) ?? 0,
    })),
    damaged,
  };
}
