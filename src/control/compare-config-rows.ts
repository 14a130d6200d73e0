import { apiKeyDefaults } from '../model/api-key.ts';
import type { PlannedChange } from '../model/declared-config.ts';
import { routeDefaults } from '../model/route.ts';
import { upstreamDefaults } from '../model/upstream.ts';
import type { Sealer } from '../secrets/sealer.ts';
import type { ConfigRows, RememberedKeyRow, RouteRow, UpstreamRow } from '../store/store.ts';
import { authValuePlace } from './credentials.ts';
import { declaredKey, declaredRoute, declaredUpstream, storedSecret } from './declared-form.ts';
import { fieldsChanged } from './fields-changed.ts';
import type { Rests } from './pace.ts';

/** An object that differs between two states of the gateway config. */
export interface RowDifference<Row> {
  readonly type: PlannedChange['type'];
  /** Undefined when it is only in the second state. */
  readonly before: Row | undefined;
  /** Undefined when it is only in the first state. */
  readonly after: Row | undefined;
  /** Never empty where both are there. */
  readonly fields: PlannedChange['fields'];
}

export interface ConfigDifference {
  readonly upstreams: readonly RowDifference<UpstreamRow>[];
  readonly routes: readonly RowDifference<RouteRow>[];
  readonly keys: readonly RowDifference<RememberedKeyRow>[];
}

/**
 * Compares two states, object by object as their ids tell them apart. Secrets are compared and never shown. Lets others run while it
 * compares thousands.
 */
export async function compareConfigRows(sealer: Sealer, before: ConfigRows, after: ConfigRows, pace: Rests): Promise<ConfigDifference> {
  const upstreamName = nameOf(before.upstreams, after.upstreams);
  const routeName = nameOf(before.routes, after.routes);
  return {
    upstreams: await differences('upstream', before.upstreams, after.upstreams, pace, (old, row) => upstreamFields(sealer, old, row)),
    routes: await differences('route', before.routes, after.routes, pace, (old, row) => routeFields(upstreamName, old, row)),
    keys: await differences('key', before.keys, after.keys, pace, (old, row) => keyFields(routeName, old, row)),
  };
}

/** Whether two states of one upstream, route or key differ. */
export const isChanged = {
  upstream: (sealer: Sealer, old: UpstreamRow, row: UpstreamRow): boolean => Object.keys(upstreamFields(sealer, old, row)).length > 0,
  route: (old: RouteRow, row: RouteRow): boolean => Object.keys(routeFields(noName, old, row)).length > 0,
  key: (old: RememberedKeyRow, row: RememberedKeyRow): boolean => Object.keys(keyFields(noName, old, row)).length > 0,
} as const;

const noName = (): undefined => undefined;

function upstreamFields(sealer: Sealer, old: UpstreamRow | undefined, row: UpstreamRow): PlannedChange['fields'] {
  const fields = fieldsChanged(old && declaredUpstream(old), declaredUpstream(row), upstreamDefaults);
  if (old !== undefined && !isSameCredential(sealer, old, row)) fields['auth_value'] ??= { from: storedSecret, to: '(changed)' };
  return fields;
}

function routeFields(upstreamName: (id: string) => string | undefined, old: RouteRow | undefined, row: RouteRow): PlannedChange['fields'] {
  return fieldsChanged(old && declaredRoute(old, upstreamName), declaredRoute(row, upstreamName), routeDefaults);
}

function keyFields(
  routeName: (id: string) => string | undefined,
  old: RememberedKeyRow | undefined,
  row: RememberedKeyRow,
): PlannedChange['fields'] {
  const fields = fieldsChanged(old && declaredKey(whole(old), routeName), declaredKey(whole(row), routeName), apiKeyDefaults);
  // No field that a file could declare, but what a revocation changes.
  if ((old?.revoked_at ?? null) !== row.revoked_at) fields['revoked_at'] = { from: isoOf(old?.revoked_at), to: isoOf(row.revoked_at) };
  return fields;
}

/** As apply tells it: what is made and changed first, in the order of dependence, then what is removed. */
export function plannedChangesOf({ upstreams, routes, keys }: ConfigDifference): PlannedChange[] {
  const changes: PlannedChange[] = [];
  for (const { type, before, after, fields } of [...upstreams, ...routes, ...keys]) {
    if (after !== undefined) changes.push({ action: before === undefined ? 'create' : 'update', type, name: after.name, fields });
  }
  for (const { type, before, after } of [...keys, ...routes, ...upstreams]) {
    if (before !== undefined && after === undefined) changes.push({ action: 'delete', type, name: before.name, fields: {} });
  }
  return changes;
}

/**
 * Whether two states of an upstream have the same credential. A rotation of the secret key gives the same value another sealed
 * text, so the values decide. Where one cannot be opened, the time at which it was set does.
 */
export function isSameCredential(sealer: Sealer, left: UpstreamRow, right: UpstreamRow): boolean {
  if (left.auth_value_reference !== right.auth_value_reference) return false;
  if (left.auth_value_sealed === right.auth_value_sealed) return true;
  if (left.auth_value_sealed === null || right.auth_value_sealed === null) return false;
  const place = authValuePlace(left.id);
  const [one, other] = [sealer.open(place, left.auth_value_sealed), sealer.open(place, right.auth_value_sealed)];
  return one.ok && other.ok ? one.value === other.value : left.auth_value_updated_at === right.auth_value_updated_at;
}

async function differences<Row extends { readonly id: string; readonly name: string; readonly revision: number }>(
  type: PlannedChange['type'],
  before: readonly Row[],
  after: readonly Row[],
  pace: Rests,
  fieldsOf: (before: Row | undefined, after: Row) => PlannedChange['fields'],
): Promise<RowDifference<Row>[]> {
  const old = new Map(before.map((row) => [row.id, row]));
  const found: RowDifference<Row>[] = [];
  for (const row of after) {
    const known = old.get(row.id);
    old.delete(row.id);
    // The very same row: most of them are, in states that lie near one another.
    if (known?.revision === row.revision) continue;
    await pace.rest();
    const fields = fieldsOf(known, row);
    if (known === undefined || Object.keys(fields).length > 0) found.push({ type, before: known, after: row, fields });
  }
  for (const row of old.values()) found.push({ type, before: row, after: undefined, fields: {} });
  return found.toSorted((left, right) => (sortName(left) < sortName(right) ? -1 : 1));
}

function sortName({ before, after }: RowDifference<{ readonly name: string }>): string {
  return (after ?? before)?.name ?? '';
}

/**
 * The later name, also for the earlier state: what refers to a renamed object has not changed by that. Where two objects have
 * had a name, one after the other, it stands with the id: what refers to the one does not refer to the other.
 */
function nameOf(...states: readonly (readonly { readonly id: string; readonly name: string }[])[]): (id: string) => string | undefined {
  const names = new Map(states.flat().map(({ id, name }) => [id, name]));
  const holders = new Map<string, number>();
  for (const name of names.values()) holders.set(name, (holders.get(name) ?? 0) + 1);
  return (id) => {
    const name = names.get(id);
    return name !== undefined && holders.get(name)! > 1 ? `${name} (${id})` : name;
  };
}

function whole(row: RememberedKeyRow) {
  return { ...row, hash: '', last_used_at: null };
}

function isoOf(time: number | null | undefined): string | null {
  return time === null || time === undefined ? null : new Date(time).toISOString();
}
