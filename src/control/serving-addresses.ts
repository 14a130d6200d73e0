import type { Store } from '../store/store.ts';
import type { OwnListener } from './control-context.ts';

/** Where the gateway of a database can be reached. */
export interface ServingAddresses {
  /** For people: what to put in front of a path. */
  readonly trafficUrl: string;
  readonly listeners: readonly OwnListener[];
}

const entry = 'serving_addresses';

/** Tells the commands of other processes where this gateway is; its flags are known to nobody else. */
export async function recordServingAddresses(store: Store, addresses: ServingAddresses): Promise<void> {
  await store.write((tx) => tx.meta.set(entry, JSON.stringify(addresses)));
}

/** Where the gateway of this database is; undefined when none runs. */
export async function servingAddresses(store: Store): Promise<ServingAddresses | undefined> {
  if (!(await store.isServed())) return undefined;
  const text = await store.read((tx) => tx.meta.get(entry));
  return text === undefined ? undefined : (JSON.parse(text) as ServingAddresses);
}
