import type { ApiKeyConfig, GatewayConfigChange, RouteConfig } from '../model/gateway-config.ts';
import type { ApiKeyRow, RouteRow, UpstreamRow } from '../store/store.ts';
import type { ControlContext } from './control-context.ts';
import { upstreamConfigOf } from './credentials.ts';

/** A step of the gateway config with what it was made of. */
export interface LoadedChange {
  readonly change: GatewayConfigChange;
  readonly upstreamRows: readonly UpstreamRow[];
  /** By upstream id, for credentials that come from files. */
  readonly fileVersions: ReadonlyMap<string, string>;
}

/**
 * The gateway config as workers take it: whole for null, else the step from a revision to the latest. Holds
 * secrets, opened: it must never be logged or stored.
 * @throws GatewayError `storage_unavailable`
 */
export async function loadGatewayConfigChange(
  context: Pick<ControlContext, 'store' | 'credentials'>,
  sinceRevision: number | null,
): Promise<GatewayConfigChange> {
  return (await loadChange(context, sinceRevision)).change;
}

/** As loadGatewayConfigChange, with the rows, for those who go on watching them. */
export async function loadChange(
  context: Pick<ControlContext, 'store' | 'credentials'>,
  sinceRevision: number | null,
): Promise<LoadedChange> {
  const since = sinceRevision ?? -1;
  const rows = await context.store.read(async (tx) => ({
    revision: await tx.revision(),
    upstreams: await tx.upstreams.changedSince(since),
    routes: await tx.routes.changedSince(since),
    keys: await tx.keys.changedSince(since),
    removed: sinceRevision === null ? [] : await tx.removedSince(since),
  }));
  const fileVersions = new Map<string, string>();
  const upstreams = [];
  for (const row of rows.upstreams) {
    const { credential, fileVersion } = await context.credentials.resolve(row);
    upstreams.push(upstreamConfigOf(row, credential));
    if (fileVersion !== undefined) fileVersions.set(row.id, fileVersion);
  }
  const change: GatewayConfigChange = {
    revision: rows.revision,
    full: sinceRevision === null,
    upstreams,
    routes: rows.routes.map(routeConfigOf),
    keys: rows.keys.map(apiKeyConfigOf),
    removed: rows.removed,
  };
  return { change, upstreamRows: rows.upstreams, fileVersions };
}

/** What a worker needs of a route. */
export function routeConfigOf(row: RouteRow): RouteConfig {
  const { revision: _revision, created_at: _created, updated_at: _updated, ...config } = row;
  return config;
}

/** What a worker needs of an API key. */
export function apiKeyConfigOf(row: ApiKeyRow): ApiKeyConfig {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    hash: row.hash,
    routes: row.routes,
    rate_limit_per_minute: row.rate_limit_per_minute,
    expires_at: row.expires_at,
    revoked: row.revoked_at !== null,
  };
}
