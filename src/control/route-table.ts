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
}

export function createRouteTable(): RouteTable {
  const routes = new Map<string, RouteConfig>();
  let at = -1;
  return {
    async othersThan(tx, id) {
      const revision = await tx.revision();
      if (revision < at) {
        // The database was put back from a backup.
        routes.clear();
        at = -1;
      }
      if (revision > at) {
        for (const removed of at === -1 ? [] : await tx.removedSince(at)) routes.delete(removed);
        for (const row of await tx.routes.changedSince(at)) routes.set(row.id, routeConfigOf(row));
        at = revision;
      }
      return {
        *[Symbol.iterator]() {
          for (const route of routes.values()) if (route.id !== id) yield route;
        },
      };
    },
  };
}
