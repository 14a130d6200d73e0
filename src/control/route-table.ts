import type { RouteConfig } from '../model/gateway-config.ts';
import type { RouteId } from '../model/ids.ts';
import type { StoreReader } from '../store/store.ts';
import { routeConfigOf } from './load-change.ts';

/** All routes in memory, as of some revision: reading 10,000 of them from the store for each write would be slow. */
export interface RouteTable {
  /**
   * Catches up with the transaction's state and answers all routes but one. Call before the transaction
   * writes: what it writes may yet be rolled back.
   */
  othersThan(tx: StoreReader, id: RouteId): Promise<Iterable<RouteConfig>>;
  /** All routes; the same list as long as none has changed, so that what is made of them can be kept with it. */
  all(tx: StoreReader): Promise<readonly RouteConfig[]>;
}

export function createRouteTable(): RouteTable {
  const routes = new Map<string, RouteConfig>();
  let at = -1;
  let list: readonly RouteConfig[] | undefined;
  /** All routes in the transaction's state. Transactions of several connections come here side by side, of different states. */
  const caughtUp = async (tx: StoreReader): Promise<readonly RouteConfig[]> => {
    const revision = await tx.revision();
    for (;;) {
      if (revision < at) {
        // The database was put back from a backup, or the transaction began before the last change.
        routes.clear();
        list = undefined;
        at = -1;
      }
      const since = at;
      if (revision > since) {
        const removed = since === -1 ? [] : await tx.removedSince(since);
        const changed = await tx.routes.changedSince(since);
        // Another one was done meanwhile, perhaps with a later state.
        if (at !== since) continue;
        for (const id of removed) if (routes.delete(id)) list = undefined;
        for (const row of changed) routes.set(row.id, routeConfigOf(row));
        if (changed.length > 0) list = undefined;
        at = revision;
      }
      return (list ??= [...routes.values()]);
    }
  };
  return {
    async othersThan(tx, id) {
      const all = await caughtUp(tx);
      return {
        *[Symbol.iterator]() {
          for (const route of all) if (route.id !== id) yield route;
        },
      };
    },
    all: caughtUp,
  };
}
