import { randomBytes } from 'node:crypto';
import { GatewayError } from '../errors/gateway-error.ts';
import type { UpstreamId } from '../model/ids.ts';
import type { Upstream } from '../model/upstream.ts';
import { createUpstreamSchema, updateUpstreamSchema } from '../model/upstream-schema.ts';
import type { RouteRow, UpstreamRow } from '../store/store.ts';
import { changeDetail, wholeDetail } from './change-detail.ts';
import { changeTime, commitChange, refuseErrors } from './commit-change.ts';
import type { Actor, Committed, ControlContext, ListQuery, Page } from './control-context.ts';
import { checkIfMatch, etagOf, type ChangeOptions } from './etag.ts';
import { findRow, refuseManaged, refuseTakenName } from './find-resource.ts';
import { listFilterOf, pageOfRows } from './list-page.ts';
import { draftUpstream, sealUpstream, trialCompileUpstream } from './upstream-draft.ts';
import { readInput } from './validate-input.ts';

export interface DeleteUpstreamOptions extends ChangeOptions {
  /** Whether the routes that use it are deleted too. */
  readonly cascade?: boolean;
}

/** @throws GatewayError `validation_failed`, `conflict`, `storage_unavailable`, `publish_failed` */
export async function createUpstream(context: ControlContext, actor: Actor, input: unknown): Promise<Committed<Upstream>> {
  const reading = readInput(createUpstreamSchema, input);
  const target = { id: newUpstreamId(), before: undefined, at: context.clock() };
  const draft = draftUpstream(context, reading, target);
  if (reading.errors.length === 0) trialCompileUpstream(context, draft, reading.errors);
  refuseErrors(reading.errors);

  const committed = await commitChange(context, actor, async (tx) => {
    await refuseTakenName(tx.upstreams, draft.row, 'upstream');
    const row = await sealUpstream(context, tx, draft);
    const value = upstreamOf(row);
    return {
      value,
      steps: [{ act: 'put', type: 'upstream', row, action: 'create', detail: wholeDetail(value) }],
      warnings: draft.warnings,
    };
  });
  return await withCredentialWarning(context, committed);
}

/** @throws GatewayError `validation_failed` for the query, `storage_unavailable` */
export async function listUpstreams(context: ControlContext, query: ListQuery): Promise<Page<Upstream>> {
  const filter = listFilterOf(query);
  const page = await context.store.read((tx) => tx.upstreams.list(filter));
  return pageOfRows(page, (row) => row.name, upstreamOf);
}

/** @throws GatewayError `not_found`, `storage_unavailable` */
export async function getUpstream(context: ControlContext, idOrName: string): Promise<Upstream> {
  return upstreamOf(await context.store.read((tx) => findRow(tx.upstreams, idOrName, 'upstream')));
}

/**
 * Changes the fields given, each replaced whole; null means the default. Without a change no revision is made.
 * @throws GatewayError `not_found`, `conflict`, `precondition_failed`, `validation_failed`,
 *   `storage_unavailable`, `publish_failed`
 */
export async function updateUpstream(
  context: ControlContext,
  actor: Actor,
  idOrName: string,
  changes: unknown,
  options: ChangeOptions = {},
): Promise<Committed<Upstream>> {
  const committed = await commitChange(context, actor, async (tx) => {
    const before = await findRow(tx.upstreams, idOrName, 'upstream');
    const shown = upstreamOf(before);
    refuseManaged(before, 'upstream');
    checkIfMatch(options.ifMatch, etagOf(shown));

    const reading = readInput(updateUpstreamSchema, changes, shown);
    const draft = draftUpstream(context, reading, { id: before.id, before, at: changeTime(context, before.updated_at) });
    if (reading.errors.length === 0) trialCompileUpstream(context, draft, reading.errors);
    refuseErrors(reading.errors);
    await refuseTakenName(tx.upstreams, draft.row, 'upstream');

    const row = await sealUpstream(context, tx, draft);
    const value = upstreamOf(row);
    const detail = changeDetail(shown, value);
    if (Object.keys(detail).length === 0) return { value: shown, steps: [], warnings: draft.warnings };
    return { value, steps: [{ act: 'put', type: 'upstream', row, action: 'update', detail }], warnings: draft.warnings };
  });
  return await withCredentialWarning(context, committed);
}

/**
 * Removes an upstream, with `cascade` the routes that use it too. Answers what was removed.
 * @throws GatewayError `not_found`, `precondition_failed`, `conflict` naming the routes that use it,
 *   `storage_unavailable`, `publish_failed`
 */
export async function deleteUpstream(
  context: ControlContext,
  actor: Actor,
  idOrName: string,
  options: DeleteUpstreamOptions = {},
): Promise<Committed<Upstream>> {
  return await commitChange(context, actor, async (tx) => {
    const row = await findRow(tx.upstreams, idOrName, 'upstream');
    const value = upstreamOf(row);
    refuseManaged(row, 'upstream');
    checkIfMatch(options.ifMatch, etagOf(value));
    const users = await tx.routes.usingUpstream(row.id);
    if (users.length > 0 && options.cascade !== true) throw usedByRoutes(row, users);
    for (const route of users) refuseManaged(route, 'route');
    const routeSteps = users.map((route) => ({ act: 'remove', type: 'route', row: route, detail: { with_upstream: row.id } }) as const);
    return { value, steps: [...routeSteps, { act: 'remove', type: 'upstream', row, detail: wholeDetail(value) }] };
  });
}

/** An upstream as the API shows it: without its secret. */
export function upstreamOf(row: Omit<UpstreamRow, 'revision'>): Upstream {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    base_url: row.base_url,
    timeout_ms: row.timeout_ms,
    max_idle_conns: row.max_idle_conns,
    idle_conn_timeout_ms: row.idle_conn_timeout_ms,
    max_conns: row.max_conns,
    auth_type: row.auth_type,
    auth_header: row.auth_header,
    auth_value_set: row.auth_value_sealed !== null || row.auth_value_reference !== null,
    auth_value_updated_at: row.auth_value_updated_at === null ? null : new Date(row.auth_value_updated_at).toISOString(),
    preserve_host: row.preserve_host,
    tls_ca: row.tls_ca,
    tls_server_name: row.tls_server_name,
    health_check_path: row.health_check_path,
    health_check_interval_ms: row.health_check_interval_ms,
    health_check_timeout_ms: row.health_check_timeout_ms,
    health_check_status: row.health_check_status,
    enabled: row.enabled,
    managed: row.managed,
    created_at: new Date(row.created_at).toISOString(),
    updated_at: new Date(row.updated_at).toISOString(),
  };
}

export function newUpstreamId(): UpstreamId {
  return `up_${randomBytes(8).toString('hex')}`;
}

const listedRoutes = 20;

/** Says which routes stand in the way of removing an upstream, and what to do. */
export function usedByRoutes(
  upstream: { readonly name: string },
  users: readonly RouteRow[],
  advice = 'Delete them first, or delete with cascade to delete them too.',
): GatewayError {
  const named = users.slice(0, listedRoutes).map(({ name }) => `"${name}"`);
  const more = users.length > listedRoutes ? ` and ${users.length - listedRoutes} more` : '';
  return new GatewayError('conflict', {
    detail: `The upstream "${upstream.name}" is used by ${users.length === 1 ? 'the route' : `${users.length} routes:`} ${named.join(', ')}${more}. ${advice}`,
    errors: users.map(({ id, name }) => ({ field: 'routes', message: `${id} "${name}" uses this upstream` })),
  });
}

/** A reference that leads nowhere is stored all the same, since it may be filled later; but whoever set it should know. */
async function withCredentialWarning(context: ControlContext, committed: Committed<Upstream>): Promise<Committed<Upstream>> {
  if (!committed.value.auth_value_set) return committed;
  const warning = await credentialWarning(context, committed.value.id);
  return warning === undefined ? committed : { ...committed, warnings: [...committed.warnings, warning] };
}

/** That an upstream's reference leads nowhere just now, if it does. For what is committed and served. */
export async function credentialWarning(context: ControlContext, id: UpstreamId): Promise<string | undefined> {
  // In another process than the gateway, environment and files may differ from the gateway's.
  if (!context.publishing.serves) return undefined;
  // A store that fails now takes only the warning away.
  const row = await context.store.read((tx) => tx.upstreams.get(id)).catch(() => undefined);
  if (row === undefined || row.auth_value_reference === null) return undefined;
  const { credential } = await context.credentials.resolve(row);
  if (credential.kind !== 'unavailable') return undefined;
  return `requests to this upstream answer 503 until its credential is available: ${credential.reason}`;
}
