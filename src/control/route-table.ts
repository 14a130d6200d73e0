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
  const catchUp = async (tx: StoreReader): Promise<void> => {
    const revision = await tx.revision();
    if (revision < at) {
      // The database was put back from a backup.
      routes.clear();
      list = undefined;
      at = -1;
    }
    if (revision <= at) return;
    const removed = at === -1 ? [] : await tx.removedSince(at);
    const changed = await tx.routes.changedSince(at);
    for (const id of removed) if (routes.delete(id)) list = undefined;
    for (const row of changed) routes.set(row.id, routeConfigOf(row));
    if (changed.length > 0) list = undefined;
    at = revision;
  };
  return {
    async othersThan(tx, id) {
      await catchUp(tx);
      return {
        *[Symbol.iterator]() {
          for (const route of routes.values()) if (route.id !== id) yield route;
        },
      };
    },
    async all(tx) {
      await catchUp(tx);
      return (list ??= [...routes.values()]);
    },
  };
}
