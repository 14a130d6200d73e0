import type { ApplyResult } from '../model/declared-config.ts';
import type { StoreReader } from '../store/store.ts';
import { commitChange, refuseOtherRevision } from './commit-change.ts';
import type { Actor, Committed, ControlContext } from './control-context.ts';
import { planGatewayConfig, type GatewayConfigPlan } from './plan-gateway-config.ts';
import { readDeclared } from './read-declared.ts';
import { credentialWarning } from './upstreams.ts';

export interface ApplyOptions {
  /** Finds out everything and changes nothing. */
  readonly dryRun?: boolean;
  /** Whether objects that a declared list does not name are removed. */
  readonly prune?: boolean;
  /** The change is made only if the gateway config is still of this revision. */
  readonly expectRevision?: number;
}

/**
 * Makes the gateway config what the input declares, in one revision and one publish, or changes nothing. What is so already
 * makes no revision. Objects are told apart by name. `input` is a DeclaredConfig of src/model/declared-config.ts.
 * @throws GatewayError `validation_failed` with everything that is wrong; `conflict` for what prune would break;
 *   `precondition_failed`; `storage_unavailable`; `publish_failed`
 */
export async function applyGatewayConfig(
  context: ControlContext,
  actor: Actor,
  input: unknown,
  options: ApplyOptions = {},
): Promise<Committed<ApplyResult>> {
  const declared = await readDeclared(input);
  const plan = async (tx: StoreReader): Promise<GatewayConfigPlan> => {
    await refuseOtherRevision(tx, options.expectRevision);
    return await planGatewayConfig(context, tx, declared, options.prune === true);
  };
  if (options.dryRun === true) {
    const { plan: found, revision } = await context.store.read(async (tx) => ({ plan: await plan(tx), revision: await tx.revision() }));
    return { value: resultOf(found, revision, { dryRun: true }), revision, warnings: [] };
  }

  const committed = await commitChange(context, actor, async (tx) => {
    const value = await plan(tx);
    return { value, steps: value.steps };
  });
  const { value: done, revision } = committed;
  const warnings = [...done.warnings];
  for (const { id, place } of done.references) {
    const message = await credentialWarning(context, id);
    if (message !== undefined) warnings.push({ field: place, message });
  }
  return { value: resultOf({ ...done, warnings }, revision, { dryRun: false }), revision, warnings: [] };
}

function resultOf(plan: GatewayConfigPlan, revision: number, { dryRun }: { readonly dryRun: boolean }): ApplyResult {
  return {
    dry_run: dryRun,
    revision,
    changes: [...plan.changes],
    unchanged: plan.unchanged,
    warnings: [...plan.warnings],
    created_keys: dryRun ? [] : [...plan.createdKeys],
  };
}
