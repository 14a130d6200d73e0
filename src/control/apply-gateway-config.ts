import type { ApplyResult } from '../model/declared-config.ts';
import type { RecordedRequest } from '../model/finished-request.ts';
import type { ApiKeyRow, StoreReader, UpstreamRow } from '../store/store.ts';
import { commitChange, refuseOtherRevision } from './commit-change.ts';
import { compareTraffic, type TrafficSide } from './compare-traffic.ts';
import type { Actor, Committed, ControlContext } from './control-context.ts';
import { heldState } from './held-state.ts';
import { apiKeyConfigOf, routeConfigOf } from './load-change.ts';
import { planGatewayConfig, type GatewayConfigPlan, type PlannedRows } from './plan-gateway-config.ts';
import { readDeclared } from './read-declared.ts';
import { credentialWarning } from './upstreams.ts';

export interface ApplyOptions {
  /** Finds out everything and changes nothing. */
  readonly dryRun?: boolean;
  /** Whether objects that a declared list does not name are removed. */
  readonly prune?: boolean;
  /** The change is made only if the gateway config is still of this revision. */
  readonly expectRevision?: number;
  /** Of a dry run: the requests that ended last, the newest first, to say what they would do differently; or why there are none. */
  readonly recent?: readonly RecordedRequest[] | string;
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
  const plan = (tx: StoreReader): Promise<GatewayConfigPlan> => planGatewayConfig(context, tx, declared, options.prune === true);
  if (options.dryRun === true) {
    const { recent } = options;
    const looksAtTraffic = recent !== undefined && typeof recent !== 'string';
    // Planned outside of any transaction: others must not wait for it.
    const { state, now } = await context.store.readMany(async (tx) => {
      await refuseOtherRevision(tx, options.expectRevision);
      // First of all: the table of routes is at the latest revision, and so is a transaction that has just begun.
      const now = looksAtTraffic ? await sideNow(context, tx) : undefined;
      return { state: await heldState(tx), now };
    });
    const found = await plan(state.reader);
    const { revision } = state;
    const result = resultOf(found, revision, { dryRun: true });
    if (!looksAtTraffic) return { value: { ...result, traffic_note: recent ?? null }, revision, warnings: [] };
    const traffic = await compareTraffic(context.explainer, recent, [now!, sideAfter(found.after)], context.clock());
    return { value: { ...result, traffic }, revision, warnings: [] };
  }

  const committed = await commitChange(context, actor, async (tx) => {
    await refuseOtherRevision(tx, options.expectRevision);
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
    traffic: null,
    traffic_note: null,
  };
}

async function sideNow(context: ControlContext, tx: StoreReader): Promise<TrafficSide> {
  const upstreams = new Map((await tx.upstreams.changedSince(-1)).map((row) => [row.id as string, row]));
  const keys = new Map((await tx.keys.changedSince(-1)).map((row) => [row.id as string, row]));
  return sideOf(
    await context.routeTable.all(tx),
    (id) => upstreams.get(id),
    (id) => keys.get(id),
  );
}

function sideAfter({ upstreams, routes, keys }: PlannedRows): TrafficSide {
  return sideOf(
    Array.from(routes.rows(), (row) => routeConfigOf({ ...row, revision: 0 })),
    (id) => upstreams.ofId(id),
    (id) => keys.ofId(id),
  );
}

function sideOf(
  routes: TrafficSide['routes'],
  upstream: (id: string) => Omit<UpstreamRow, 'revision'> | undefined,
  key: (id: string) => Omit<ApiKeyRow, 'revision'> | undefined,
): TrafficSide {
  return {
    routes,
    upstream(id) {
      const row = upstream(id);
      if (row === undefined) return undefined;
      const { name, base_url, enabled, preserve_host, auth_type, auth_header } = row;
      return { name, base_url, enabled, preserve_host, auth_type, auth_header };
    },
    key(id) {
      const row = key(id);
      return row === undefined ? undefined : apiKeyConfigOf({ ...row, revision: 0 });
    },
  };
}
