import type { GatewayConfigChange } from '../../model/gateway-config.ts';
import type { ApiKeyId, RouteId, UpstreamId } from '../../model/ids.ts';
import type { ApiKeyTable } from '../admit/api-key-table.ts';
import { emptyApiKeyTable } from '../admit/api-key-table.ts';
import { emptyRouteTable, type RouteTable } from '../match/route-table.ts';
import { type CompiledUpstream, compileUpstream } from './compile-upstream.ts';
import type { TransformSettings } from '../transform/compile-transform.ts';
import type { PoolRegistry } from './pool-registry.ts';
import { serveRoute, type ServedRoute } from './served-route.ts';

/** One compiled, immutable gateway config. An exchange takes it once and keeps it to the end. */
export interface Snapshot {
  readonly revision: number;
  readonly routes: RouteTable<ServedRoute>;
  readonly upstreams: ReadonlyMap<UpstreamId, CompiledUpstream>;
  readonly keys: ApiKeyTable;
}

/**
 * Compiles a change into the next snapshot: what it does not touch is shared with the one before. Pools live in the
 * registry, so that an unrelated change touches no connection.
 */
export function applyChange(
  before: Snapshot | null,
  change: GatewayConfigChange,
  pools: PoolRegistry,
  transforms: TransformSettings,
): Snapshot {
  const base = change.full ? null : before;
  const removed = change.removed;
  const removedRoutes = removed.filter((id): id is RouteId => id.startsWith('rt_'));
  const removedKeys = removed.filter((id): id is ApiKeyId => id.startsWith('key_'));
  const removedUpstreams = removed.filter((id): id is UpstreamId => id.startsWith('up_'));
  const put = change.routes.map((config) => serveRoute(config, transforms));
  return {
    revision: change.revision,
    routes: (base?.routes ?? emptyRouteTable<ServedRoute>()).with(put, removedRoutes),
    upstreams: nextUpstreams(base?.upstreams, change, removedUpstreams, pools),
    keys: (base?.keys ?? emptyApiKeyTable()).with(change.keys, removedKeys),
  };
}

function nextUpstreams(
  before: ReadonlyMap<UpstreamId, CompiledUpstream> | undefined,
  change: GatewayConfigChange,
  removed: readonly UpstreamId[],
  pools: PoolRegistry,
): ReadonlyMap<UpstreamId, CompiledUpstream> {
  if (before !== undefined && change.upstreams.length === 0 && removed.length === 0) return before;
  const next = new Map(before);
  for (const id of removed) {
    next.delete(id);
    pools.retire(id);
  }
  for (const config of change.upstreams) {
    next.set(
      config.id,
      compileUpstream(config, (each, base, settings) => pools.poolFor(each, base, settings)),
    );
  }
  if (change.full) pools.retireAllBut(next);
  return next;
}
