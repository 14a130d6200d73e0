import { GatewayError } from '../errors/gateway-error.ts';
import type { PlannedChange } from '../model/declared-config.ts';
import { type Revision, type RevisionDetail, type RevisionDiff, shownChanges } from '../model/history.ts';
import type { AuditRow, ConfigRows, RevisionRow, StoreReader } from '../store/store.ts';
import { compareConfigRows, plannedChangesOf } from './compare-config-rows.ts';
import type { ControlContext, Page } from './control-context.ts';
import { knownRevision } from './known-revision.ts';
import { Pace } from './pace.ts';

export interface HistoryQuery {
  /** 1 to 500; 100 when not given. */
  readonly limit?: number;
  readonly cursor?: string;
  /** Id or label of who acted, or the kind: `cli`. */
  readonly actor?: string;
  /** Id or name of what was changed, or its type: `upstream`. */
  readonly resource?: string;
}

/**
 * The revisions that are kept, newest first: who made them, when, and what they changed. The cursor is a revision, so that new
 * ones neither repeat nor hide others.
 * @throws GatewayError `validation_failed`, `storage_unavailable`
 */
export async function listHistory(context: Pick<ControlContext, 'store'>, query: HistoryQuery): Promise<Page<Revision>> {
  const { limit = 100, cursor, actor, resource } = query;
  if (cursor !== undefined && !/^[1-9]\d{0,14}$/.test(cursor))
    throw new GatewayError('validation_failed', { errors: [{ field: 'cursor', message: 'leads nowhere; begin again without it' }] });
  const filter = {
    limit,
    ...(cursor === undefined ? {} : { before: Number(cursor) }),
    ...(actor === undefined ? {} : { actor }),
    ...(resource === undefined ? {} : { resource }),
  };
  return await context.store.read(async (tx) => {
    const { rows, total, more } = await tx.history.revisions(filter);
    const data: Revision[] = [];
    for (const row of rows) data.push(revisionOf(row, await tx.audit.ofRevision(row.revision, shownChanges)));
    return { data, total, next_cursor: more ? String(rows.at(-1)?.revision) : null };
  });
}

/**
 * What one revision changed, field by field.
 * @throws GatewayError `not_found`, `revision_pruned`, `storage_unavailable`
 */
export async function getRevision(context: Pick<ControlContext, 'store' | 'sealer'>, text: string): Promise<RevisionDetail> {
  const { revision, entries, states } = await context.store.readMany(async (tx) => {
    const revision = await knownRevision(tx, text);
    const isOldest = revision === (await tx.history.from());
    return {
      revision,
      entries: await tx.audit.ofRevision(revision, isOldest ? Number.MAX_SAFE_INTEGER : 1),
      states: isOldest ? null : await statesAt(tx, revision - 1, revision),
    };
  });
  const changes = states === null ? entries.map((entry) => ({ ...changeOf(entry), fields: {} })) : await changesBetween(context, states);
  return { ...headOf(revision, entries[0]), changes };
}

/**
 * How two revisions differ; `to` is the present one when it is not given.
 * @throws GatewayError `not_found`, `revision_pruned`, `storage_unavailable`
 */
export async function diffRevisions(
  context: Pick<ControlContext, 'store' | 'sealer'>,
  query: { readonly from: string; readonly to?: string },
): Promise<RevisionDiff> {
  const { from, to, states } = await context.store.readMany(async (tx) => {
    const from = await knownRevision(tx, query.from);
    const to = query.to === undefined ? await tx.revision() : await knownRevision(tx, query.to);
    return { from, to, states: from === to ? null : await statesAt(tx, from, to) };
  });
  return { from, to, changes: states === null ? [] : await changesBetween(context, states) };
}

async function statesAt(tx: StoreReader, from: number, to: number): Promise<readonly [ConfigRows, ConfigRows]> {
  return [await tx.history.at(from), await tx.history.at(to)];
}

async function changesBetween(
  context: Pick<ControlContext, 'sealer'>,
  [from, to]: readonly [ConfigRows, ConfigRows],
): Promise<PlannedChange[]> {
  return plannedChangesOf(await compareConfigRows(context.sealer, from, to, new Pace()));
}

function revisionOf({ revision, actions }: RevisionRow, entries: readonly AuditRow[]): Revision {
  const counts = { create: 0, update: 0, delete: 0 };
  for (const [action, count] of actions) counts[kindOf(action)] += count;
  return { ...headOf(revision, entries[0]), counts, changes: entries.map(changeOf) };
}

function headOf(revision: number, entry: AuditRow | undefined): Omit<Revision, 'counts' | 'changes'> {
  if (entry === undefined) return { revision, at: null, actor: null, remote_address: null, request_id: null, rollback_to: null };
  const { rollback_to } = entry.detail;
  return {
    revision,
    at: new Date(entry.at).toISOString(),
    // Whoever is not signed in changes nothing.
    actor: { kind: entry.actor_kind as Exclude<AuditRow['actor_kind'], 'anonymous'>, id: entry.actor_id, label: entry.actor_label },
    remote_address: entry.remote_address,
    request_id: entry.request_id,
    rollback_to: typeof rollback_to === 'number' ? rollback_to : null,
  };
}

function changeOf({ action, resource_type, resource_name }: AuditRow): Omit<PlannedChange, 'fields'> {
  return { action: kindOf(action), type: resource_type as PlannedChange['type'], name: resource_name };
}

/** `key.revoke` is a change of the key like any other. */
function kindOf(action: string): PlannedChange['action'] {
  const [, verb] = action.split('.');
  return verb === 'create' || verb === 'delete' ? verb : 'update';
}
