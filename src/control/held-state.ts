import type { ResourceReader, StoreReader } from '../store/store.ts';
import { PlannedTable } from './planned-table.ts';
import { keyIdEntry } from './secret-key.ts';

/** The gateway config of one moment. */
export interface HeldState {
  readonly revision: number;
  /** What planning asks of a transaction, answered from memory: others can use the store meanwhile, however long it takes. */
  readonly reader: StoreReader;
}

/** Reads all that a plan is made from, with what was at `revision` where that is to come back. */
export async function heldState(tx: StoreReader, revision?: number): Promise<HeldState> {
  const keyId = await tx.meta.get(keyIdEntry);
  const then = revision === undefined ? undefined : await tx.history.at(revision);
  const reader: StoreReader = {
    ...tx,
    upstreams: heldRows(await tx.upstreams.changedSince(-1)),
    routes: { ...heldRows(await tx.routes.changedSince(-1)), usingUpstream: () => notHeld() },
    keys: heldRows(await tx.keys.changedSince(-1)),
    history: { ...tx.history, at: async (wanted) => (then !== undefined && wanted === revision ? then : await notHeld()) },
    meta: { get: async (name) => (name === keyIdEntry ? keyId : await notHeld()) },
  };
  return { revision: await tx.revision(), reader };
}

function heldRows<Row extends { readonly id: Id; readonly name: string; readonly revision: number }, Id extends string>(
  rows: readonly Row[],
): ResourceReader<Row, Id> {
  const table = new PlannedTable<Row>();
  for (const row of rows) table.set(row);
  return {
    get: async (id) => table.ofId(id),
    byName: async (name) => table.ofName(name),
    list: () => notHeld(),
    changedSince: async (revision) => rows.filter((row) => row.revision > revision),
  };
}

function notHeld(): Promise<never> {
  return Promise.reject(new Error('planning asks the store for something new: read it ahead in heldState'));
}
