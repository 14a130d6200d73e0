import { GatewayError } from '../errors/gateway-error.ts';
import type { RollbackResult } from '../model/history.ts';
import type { StoreReader } from '../store/store.ts';
import { commitChange, refuseOtherRevision } from './commit-change.ts';
import type { Actor, Committed, ControlContext } from './control-context.ts';
import { heldState } from './held-state.ts';
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
  const revisionIn = async (tx: StoreReader): Promise<number> => {
    await refuseOtherRevision(tx, options.expectRevision);
    return await knownRevision(tx, text);
  };
  const plan = async (tx: StoreReader, rollback_to: number): Promise<RollbackPlan> => {
    const found = await planRollback(context, tx, rollback_to, { keepKeys: options.keepKeys === true });
    refuseConflicts(rollback_to, found);
    return found;
  };
  if (options.dryRun === true) {
    // Planned outside of any transaction: others must not wait for it.
    const { rollback_to, state } = await context.store.readMany(async (tx) => {
      const rollback_to = await revisionIn(tx);
      return { rollback_to, state: await heldState(tx, rollback_to) };
    });
    const { changes, warnings } = await plan(state.reader, rollback_to);
    const { revision } = state;
    return { value: { dry_run: true, rollback_to, revision, changes: [...changes], warnings: [...warnings] }, revision, warnings: [] };
  }

  const { value, revision } = await commitChange(context, actor, async (tx) => {
    const rollback_to = await revisionIn(tx);
    const found = await plan(tx, rollback_to);
    const { upstreams, routes, keys } = found.vacated;
    for (const id of upstreams) await tx.upstreams.vacateName(id);
    for (const id of routes) await tx.routes.vacateName(id);
    for (const id of keys) await tx.keys.vacateName(id);
    return { value: { found, rollback_to }, steps: found.steps };
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
