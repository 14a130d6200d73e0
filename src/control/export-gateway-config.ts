import { declaredVersion, type ExportedConfig } from '../model/declared-config.ts';
import type { ControlContext } from './control-context.ts';
import { exportedKey, exportedRoute, exportedUpstream } from './declared-form.ts';
import { mapPaced, Pace } from './pace.ts';

/** The gateway config in declarative form, of one revision. */
export interface GatewayConfigExport {
  readonly value: ExportedConfig;
  readonly revision: number;
  readonly warnings: readonly string[];
}

const mostNamed = 5;

/**
 * The gateway config in the form that apply takes: objects in order of name, without defaults, ids, times, managed objects and
 * revoked keys. Never holds a secret: references are shown, stored credentials left out. Lets others run while it reads thousands.
 * @throws GatewayError `storage_unavailable`
 */
export async function exportGatewayConfig(context: Pick<ControlContext, 'store'>): Promise<GatewayConfigExport> {
  const rows = await context.store.readMany(async (tx) => ({
    revision: await tx.revision(),
    upstreams: await tx.upstreams.changedSince(-1),
    routes: await tx.routes.changedSince(-1),
    keys: await tx.keys.changedSince(-1),
  }));
  const upstreamNames = new Map(rows.upstreams.map(({ id, name }) => [id, name]));
  const routeNames = new Map(rows.routes.map(({ id, name }) => [id, name]));
  const pace = new Pace();
  const upstreams = inOrder(rows.upstreams.filter(({ managed }) => !managed));
  const routes = inOrder(rows.routes.filter(({ managed }) => !managed));
  // To make a revoked key anew somewhere would open what was shut.
  const keys = inOrder(rows.keys.filter((row) => row.revoked_at === null));
  const value: ExportedConfig = {
    version: declaredVersion,
    upstreams: await mapPaced(upstreams, pace, exportedUpstream),
    routes: await mapPaced(routes, pace, (row) => exportedRoute(row, (id) => upstreamNames.get(id))),
    keys: await mapPaced(keys, pace, (row) => exportedKey(row, (id) => routeNames.get(id))),
  };
  const stored = inOrder(rows.upstreams.filter((row) => row.auth_type !== 'none' && row.auth_value_sealed !== null));
  const warnings = stored.length === 0 ? [] : [storedWarning(stored.map(({ name }) => name))];
  return { value, revision: rows.revision, warnings };
}

function storedWarning(names: readonly string[]): string {
  const named = names
    .slice(0, mostNamed)
    .map((name) => `"${name}"`)
    .join(', ');
  const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : '';
  return `the stored auth_value of ${names.length === 1 ? 'the upstream' : `${names.length} upstreams:`} ${named}${more} is left out: an apply on this database keeps it, on another it has to be added`;
}

function inOrder<Row extends { readonly name: string }>(rows: readonly Row[]): Row[] {
  return rows.toSorted((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
}
