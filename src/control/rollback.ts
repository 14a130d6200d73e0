import { GatewayError } from '../errors/gateway-error.ts';
import type { RollbackResult } from '../model/history.ts';
import type { StoreReader } from '../store/store.ts';
import { commitChange, refuseOtherRevision } from './commit-change.ts';
import type { Actor, Committed, ControlContext } from './control-context.ts';
import { knownRevision } from './known-revision.ts';
import { planRollback, type RollbackPlan } from './plan-rollback.ts';
import { credentialWarning } from './upstreams.ts';

export interface RollbackOptions {
  /** Finds out everything and changes nothing. */
  readonly dryRun?: boolean;
  /** Leaves all API keys as they are now. */
  readonly keepKeys?: boolean;
  /** The change is made only if the gateway config is still of this revision. */
  readonly expectRevision?: number;
}

/**
 * Makes the gateway config what it was at a revision, credentials included, in one new revision and one publish, or changes
 * nothing. What is so already makes no revision. Revoked, expired and deleted API keys stay so, managed objects as they are.
 * @param text the revision to go back to
 * @throws GatewayError `not_found`; `revision_pruned`; `conflict` with everything that cannot be as it was;
 *   `precondition_failed`; `storage_unavailable`; `publish_failed`
 */
export async function rollBack(
  context: ControlContext,
  actor: Actor,
  text: string,
  options: RollbackOptions = {},
): Promise<Committed<RollbackResult>> {
  const plan = async (tx: StoreReader) => {
    await refuseOtherRevision(tx, options.expectRevision);
    const rollback_to = await knownRevision(tx, text);
    const found = await planRollback(context, tx, rollback_to, { keepKeys: options.keepKeys === true });
    refuseConflicts(rollback_to, found);
    return { found, rollback_to };
  };
  if (options.dryRun === true) {
    const { revision, found, rollback_to } = await context.store.read(async (tx) => ({
      ...(await plan(tx)),
      revision: await tx.revision(),
    }));
    const { changes, warnings } = found;
    return { value: { dry_run: true, rollback_to, revision, changes: [...changes], warnings: [...warnings] }, revision, warnings: [] };
  }

  const { value, revision } = await commitChange(context, actor, async (tx) => {
    const planned = await plan(tx);
    const { upstreams, routes, keys } = planned.found.vacated;
    for (const id of upstreams) await tx.upstreams.vacateName(id);
    for (const id of routes) await tx.routes.vacateName(id);
    for (const id of keys) await tx.keys.vacateName(id);
    return { value: planned, steps: planned.found.steps };
  });
  const { found, rollback_to } = value;
  const warnings = [...found.warnings];
  for (const { id, place } of found.references) {
    const message = await credentialWarning(context, id);
    if (message !== undefined) warnings.push({ field: place, message });
  }
  return { value: { dry_run: false, rollback_to, revision, changes: [...found.changes], warnings }, revision, warnings: [] };
}

function refuseConflicts(revision: number, { errors }: RollbackPlan): void {
  if (errors.length === 0) return;
  const count = errors.length === 1 ? 'something' : `${errors.length} things`;
  throw new GatewayError('conflict', { detail: `Revision ${revision} cannot come back: ${count} of then cannot be stored now.`, errors });
}
