import { randomBytes } from 'node:crypto';
import type { RouteId } from '../model/ids.ts';
import type { Route } from '../model/route.ts';
import { createRouteSchema, updateRouteSchema } from '../model/route-schema.ts';
import type { RouteRow } from '../store/store.ts';
import { changeDetail, wholeDetail } from './change-detail.ts';
import { changeTime, commitChange, refuseErrors } from './commit-change.ts';
import type { Actor, Committed, ControlContext, ListQuery, Page } from './control-context.ts';
import { checkIfMatch, etagOf, type ChangeOptions } from './etag.ts';
import { findRow, refuseManaged, refuseTakenName } from './find-resource.ts';
import { listFilterOf, pageOfRows } from './list-page.ts';
import { draftRoute } from './route-draft.ts';
import { readInput } from './validate-input.ts';

/** @throws GatewayError `validation_failed`, `conflict`, `storage_unavailable`, `publish_failed` */
export async function createRoute(context: ControlContext, actor: Actor, input: unknown): Promise<Committed<Route>> {
  const id = newRouteId();
  return await commitChange(context, actor, async (tx) => {
    const reading = readInput(createRouteSchema, input);
    const { row, warnings } = await draftRoute(context, tx, reading, { id, before: undefined, at: context.clock() });
    refuseErrors(reading.errors);
    await refuseTakenName(tx.routes, row, 'route');
    const value = routeOf(row);
    return { value, steps: [{ act: 'put', type: 'route', row, action: 'create', detail: wholeDetail(value) }], warnings };
  });
}

/** @throws GatewayError `validation_failed` for the query, `storage_unavailable` */
export async function listRoutes(context: ControlContext, query: ListQuery): Promise<Page<Route>> {
  const filter = listFilterOf(query);
  const page = await context.store.read((tx) => tx.routes.list(filter));
  return pageOfRows(page, (row) => row.name, routeOf);
}

/** @throws GatewayError `not_found`, `storage_unavailable` */
export async function getRoute(context: ControlContext, idOrName: string): Promise<Route> {
  return routeOf(await context.store.read((tx) => findRow(tx.routes, idOrName, 'route')));
}

/**
 * Changes the fields given, each replaced whole; null means the default. Without a change no revision is made.
 * @throws GatewayError `not_found`, `conflict`, `precondition_failed`, `validation_failed`,
 *   `storage_unavailable`, `publish_failed`
 */
export async function updateRoute(
  context: ControlContext,
  actor: Actor,
  idOrName: string,
  changes: unknown,
  options: ChangeOptions = {},
): Promise<Committed<Route>> {
  return await commitChange(context, actor, async (tx) => {
    const before = await findRow(tx.routes, idOrName, 'route');
    const shown = routeOf(before);
    refuseManaged(before, 'route');
    checkIfMatch(options.ifMatch, etagOf(shown));

    const reading = readInput(updateRouteSchema, changes, shown);
    const at = changeTime(context, before.updated_at);
    const { row, warnings } = await draftRoute(context, tx, reading, { id: before.id, before, at });
    refuseErrors(reading.errors);
    await refuseTakenName(tx.routes, row, 'route');

    const value = routeOf(row);
    const detail = changeDetail(shown, value);
    if (Object.keys(detail).length === 0) return { value: shown, steps: [], warnings };
    return { value, steps: [{ act: 'put', type: 'route', row, action: 'update', detail }], warnings };
  });
}

/**
 * Removes a route and answers what was removed. API keys that were limited to it keep its id and so open one
 * route fewer, never all.
 * @throws GatewayError `not_found`, `precondition_failed`, `conflict` when it is managed, `storage_unavailable`,
 *   `publish_failed`
 */
export async function deleteRoute(
  context: ControlContext,
  actor: Actor,
  idOrName: string,
  options: ChangeOptions = {},
): Promise<Committed<Route>> {
  return await commitChange(context, actor, async (tx) => {
    const row = await findRow(tx.routes, idOrName, 'route');
    const value = routeOf(row);
    refuseManaged(row, 'route');
    checkIfMatch(options.ifMatch, etagOf(value));
    return { value, steps: [{ act: 'remove', type: 'route', row, detail: wholeDetail(value) }] };
  });
}

/** A route as the API shows it. */
export function routeOf(row: Omit<RouteRow, 'revision'>): Route {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    host_pattern: row.host_pattern,
    host_match_type: row.host_match_type,
    path_pattern: row.path_pattern,
    match_type: row.match_type,
    methods: row.methods,
    headers: row.headers,
    upstream_id: row.upstream_id,
    protocol: row.protocol,
    cors: row.cors,
    api_key_query: row.api_key_query,
    path_rewrite: row.path_rewrite,
    method_override: row.method_override,
    request_transform: row.request_transform,
    response_transform: row.response_transform,
    auth_required: row.auth_required,
    priority: row.priority,
    enabled: row.enabled,
    managed: row.managed,
    created_at: new Date(row.created_at).toISOString(),
    updated_at: new Date(row.updated_at).toISOString(),
  };
}

export function newRouteId(): RouteId {
  return `rt_${randomBytes(8).toString('hex')}`;
}
