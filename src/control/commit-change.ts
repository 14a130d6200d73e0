import { GatewayError, type FieldError } from '../errors/gateway-error.ts';
import type { ApiKeyRow, RouteRow, StoreReader, StoreWriter, UpstreamRow } from '../store/store.ts';
import type { Actor, Committed, ControlContext } from './control-context.ts';

/** What a use case wants stored, once it has found nothing wrong. */
export interface PreparedChange<T> {
  readonly value: T;
  /** Nothing to store when empty: then no revision is made. */
  readonly steps: readonly ChangeStep[];
  readonly warnings?: readonly string[];
}

export type ChangeStep = PutStep<'upstream', UpstreamRow> | PutStep<'route', RouteRow> | PutStep<'key', ApiKeyRow> | RemoveStep;

export interface PutStep<Type, Row> {
  readonly act: 'put';
  readonly type: Type;
  /** The commit gives it its revision. */
  readonly row: Omit<Row, 'revision'>;
  /** `create`, `update`, …: the audit row says `upstream.create`. */
  readonly action: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export type RemoveStep = {
  readonly act: 'remove';
  readonly detail: Readonly<Record<string, unknown>>;
} & (
  | { readonly type: 'upstream'; readonly row: UpstreamRow }
  | { readonly type: 'route'; readonly row: RouteRow }
  | { readonly type: 'key'; readonly row: ApiKeyRow }
);

/**
 * The way of every change of the gateway config: validate → seal → commit → publish.
 *
 * `prepare` validates against the stored state and seals secrets; it runs inside the transaction, so what it
 * found still holds when the rows are stored. Rows, the new revision and the audit rows are committed together
 * or not at all. The answer is given when every worker serves the revision.
 *
 * @throws GatewayError what `prepare` throws; `storage_unavailable`; `publish_failed` when it is stored but
 *   not yet served everywhere
 */
export async function commitChange<T>(
  context: ControlContext,
  actor: Actor,
  prepare: (tx: StoreWriter) => Promise<PreparedChange<T>>,
): Promise<Committed<T>> {
  const committed = await context.store.write(async (tx) => {
    const { value, steps, warnings = [] } = await prepare(tx);
    const revision = steps.length === 0 ? await tx.revision() : await storeSteps(tx, steps, actor, context.clock());
    return { value, revision, warnings };
  });
  await context.publishing.reach(committed.revision);
  return committed;
}

/**
 * Ends the validation.
 * @throws GatewayError `validation_failed` with all the errors, if there are any
 */
export function refuseErrors(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw new GatewayError('validation_failed', { errors });
}

/**
 * Holds a change back that was decided on for another state than the present one.
 * @throws GatewayError `precondition_failed`
 */
export async function refuseOtherRevision(tx: StoreReader, expected: number | undefined): Promise<void> {
  if (expected === undefined || (await tx.revision()) === expected) return;
  throw new GatewayError('precondition_failed', { detail: `The gateway config is not of revision ${expected} any more.` });
}

/**
 * The time of a change: later than the one before, so that two changes in one millisecond never look the same.
 */
export function changeTime(context: ControlContext, before: number): number {
  return Math.max(context.clock(), before + 1);
}

/** Revisions that can be gone back to; fewer where together they changed more objects than `keptRows`. */
const keptRevisions = 1_000;
const keptRows = 100_000;

async function storeSteps(tx: StoreWriter, steps: readonly ChangeStep[], actor: Actor, at: number): Promise<number> {
  const revision = await tx.nextRevision();
  // Twice what is added: it never falls behind, and no change waits long for it.
  await tx.history.prune({ revisions: keptRevisions, rows: keptRows, atMost: 100 + 2 * steps.length });
  for (const step of steps) {
    await storeStep(tx, step, revision);
    await tx.audit.append({
      at,
      actor_kind: actor.kind,
      actor_id: actor.id,
      actor_label: actor.label,
      remote_address: actor.remoteAddress ?? null,
      request_id: actor.requestId ?? null,
      action: `${step.type}.${step.act === 'put' ? step.action : 'delete'}`,
      resource_type: step.type,
      resource_id: step.row.id,
      resource_name: step.row.name,
      revision,
      detail: step.detail,
    });
  }
  return revision;
}

async function storeStep(tx: StoreWriter, step: ChangeStep, revision: number): Promise<void> {
  switch (step.type) {
    case 'upstream':
      return step.act === 'put' ? await tx.upstreams.put({ ...step.row, revision }) : await tx.upstreams.remove(step.row.id, revision);
    case 'route':
      return step.act === 'put' ? await tx.routes.put({ ...step.row, revision }) : await tx.routes.remove(step.row.id, revision);
    case 'key':
      return step.act === 'put' ? await tx.keys.put({ ...step.row, revision }) : await tx.keys.remove(step.row.id, revision);
  }
}
