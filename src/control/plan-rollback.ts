// Over 300 lines: the three kinds are planned against one another, in one order.
import type { FieldError } from '../errors/gateway-error.ts';
import { createApiKeySchema } from '../model/api-key-schema.ts';
import type { PlannedChange } from '../model/declared-config.ts';
import type { ApiKeyId, RouteId, UpstreamId } from '../model/ids.ts';
import { createRouteSchema } from '../model/route-schema.ts';
import { createUpstreamSchema } from '../model/upstream-schema.ts';
import type { ApiKeyRow, ConfigRows, RememberedKeyRow, RouteRow, StoreReader, UpstreamRow } from '../store/store.ts';
import { apiKeyOf } from './api-keys.ts';
import { changeDetail, wholeDetail } from './change-detail.ts';
import { changeTime, type ChangeStep } from './commit-change.ts';
import {
  compareConfigRows,
  type ConfigDifference,
  isChanged,
  isSameCredential,
  plannedChangesOf,
  type RowDifference,
} from './compare-config-rows.ts';
import type { ControlContext } from './control-context.ts';
import { authValuePlace } from './credentials.ts';
import { declaredKey, declaredRoute, declaredUpstream } from './declared-form.ts';
import { routeConfigOf } from './load-change.ts';
import { Pace, type Rests } from './pace.ts';
import { lookedUpIn, PlannedTable } from './planned-table.ts';
import { draftRoute } from './route-draft.ts';
import { routeOf } from './routes.ts';
import { draftUpstream, trialCompileUpstream } from './upstream-draft.ts';
import { upstreamOf } from './upstreams.ts';
import { readInput } from './validate-input.ts';

export interface RollbackPlan {
  readonly steps: readonly ChangeStep[];
  readonly changes: readonly PlannedChange[];
  readonly warnings: readonly FieldError[];
  /** What stands in the way; with any of these nothing must be stored. */
  readonly errors: readonly FieldError[];
  /** Whose names others take over: they have to give them away first. */
  readonly vacated: {
    readonly upstreams: readonly UpstreamId[];
    readonly routes: readonly RouteId[];
    readonly keys: readonly ApiKeyId[];
  };
  /** Upstreams that change and whose credential is a reference. */
  readonly references: readonly { readonly id: UpstreamId; readonly place: string }[];
}

/**
 * What has to be stored so that the gateway config is that of a remembered revision again, but for what never goes back:
 * managed objects are as they are, revoked and expired keys stay so, deleted keys stay deleted. Reads and writes nothing but `tx`.
 * Lets others run while it plans thousands.
 */
export async function planRollback(
  context: ControlContext,
  tx: StoreReader,
  revision: number,
  { keepKeys }: { readonly keepKeys: boolean },
): Promise<RollbackPlan> {
  const then = await tx.history.at(revision);
  const keyRows = await tx.keys.changedSince(-1);
  const now: ConfigRows = { upstreams: await tx.upstreams.changedSince(-1), routes: await tx.routes.changedSince(-1), keys: keyRows };
  const planner = new RollbackPlanner(context, then, now);
  await planner.upstreams();
  await planner.routes(tx);
  if (keepKeys) planner.keepKeys();
  else await planner.keys();
  return await planner.plan(revision, keyRows);
}

class RollbackPlanner {
  readonly #context: ControlContext;
  readonly #then: ConfigRows;
  readonly #now: ConfigRows;
  readonly #pace = new Pace();
  readonly #errors: FieldError[] = [];
  readonly #warnings: FieldError[] = [];
  readonly #wrongRoutes = new Set<RouteId>();
  /** The state that the rollback leads to. */
  readonly #upstreams = new PlannedTable<UpstreamRow>();
  readonly #routes = new PlannedTable<RouteRow>();
  readonly #keys = new PlannedTable<RememberedKeyRow>();

  constructor(context: ControlContext, then: ConfigRows, now: ConfigRows) {
    this.#context = context;
    this.#then = then;
    this.#now = now;
  }

  async upstreams(): Promise<void> {
    const present = new Map(this.#now.upstreams.map((row) => [row.id, row]));
    for (const row of this.#now.upstreams) if (row.managed) this.#upstreams.set(row);
    for (const row of this.#then.upstreams) {
      await this.#pace.rest();
      if (row.managed || this.#isNameOfManaged(this.#upstreams, 'upstreams', row)) continue;
      this.#upstreams.set(this.#restoredUpstream(row, present.get(row.id)));
    }
  }

  async routes(tx: StoreReader): Promise<void> {
    const present = new Map(this.#now.routes.map((row) => [row.id, row]));
    const view: StoreReader = { ...tx, upstreams: lookedUpIn(tx.upstreams, this.#upstreams) };
    const managed = this.#now.upstreams.find((row) => row.managed);
    for (const row of this.#now.routes) if (row.managed) this.#routes.set(row);
    for (const row of this.#then.routes) {
      await this.#pace.rest();
      if (row.managed || this.#isNameOfManaged(this.#routes, 'routes', row)) continue;
      // The managed upstream that it used may be another one by now.
      const upstream = this.#upstreams.ofId(row.upstream_id) ?? managed;
      if (upstream === undefined) {
        const message = 'was an upstream made by --upstream (APIGATE_UPSTREAM_URL), which is not there now';
        this.#errors.push({ field: `routes.${row.name}.upstream`, message });
        continue;
      }
      this.#routes.set(await this.#restoredRoute(view, { ...row, upstream_id: upstream.id }, present.get(row.id)));
    }
    await this.#tryRoutes(present);
  }

  async keys(): Promise<void> {
    const at = this.#context.clock();
    const present = new Map(this.#now.keys.map((row) => [row.id, row]));
    for (const row of this.#then.keys) {
      await this.#pace.rest();
      const place = `keys.${row.name}`;
      const known = present.get(row.id);
      if (known !== undefined) this.#keys.set(this.#restoredKey(row, known, at));
      else if (row.revoked_at === null) this.#warn(place, 'was deleted since and does not come back: create a new key');
    }
    // A revoked key opens nothing, and its row says why.
    const isKept = (row: RememberedKeyRow): boolean =>
      row.revoked_at !== null && this.#keys.ofId(row.id) === undefined && this.#keys.ofName(row.name) === undefined;
    for (const row of this.#now.keys.filter(isKept)) this.#keys.set(row);
  }

  keepKeys(): void {
    for (const row of this.#now.keys) this.#keys.set(row);
  }

  async plan(revision: number, keyRows: readonly ApiKeyRow[]): Promise<RollbackPlan> {
    const after: ConfigRows = {
      upstreams: [...this.#upstreams.rows()],
      routes: [...this.#routes.rows()],
      keys: [...this.#keys.rows()],
    };
    const difference = await compareConfigRows(this.#context.sealer, this.#now, after, this.#pace);
    return {
      steps: await stepsOf(difference, revision, new Map(keyRows.map((row) => [row.id, row])), this.#pace),
      changes: plannedChangesOf(difference),
      warnings: this.#warnings,
      errors: this.#errors,
      vacated: {
        upstreams: vacatedBy(difference.upstreams, this.#now.upstreams),
        routes: vacatedBy(difference.routes, this.#now.routes),
        keys: vacatedBy(difference.keys, this.#now.keys),
      },
      references: difference.upstreams.flatMap(({ after: row }) =>
        row === undefined || row.auth_value_reference === null ? [] : [{ id: row.id, place: `upstreams.${row.name}` }],
      ),
    };
  }

  /** As it is now where that is the same, else the row of then, held against today's rules. */
  #restoredUpstream(then: UpstreamRow, known: UpstreamRow | undefined): UpstreamRow {
    if (known?.revision === then.revision) return known;
    const context = this.#context;
    const place = `upstreams.${then.name}`;
    const at = known === undefined ? context.clock() : changeTime(context, known.updated_at);
    const credential = this.#restoredCredential(then, known, at);
    const row: UpstreamRow = {
      ...then,
      ...credential.fields,
      created_at: known?.created_at ?? then.created_at,
      updated_at: at,
    };
    if (known !== undefined && !isChanged.upstream(context.sealer, known, row)) return known;
    if (credential.warning !== undefined) this.#warn(place, credential.warning);

    const { auth_value: _, ...fields } = declaredUpstream(row);
    const reading = readInput(createUpstreamSchema, fields);
    const draft = draftUpstream(context, reading, { id: row.id, before: row, at });
    if (reading.errors.length === 0) trialCompileUpstream(context, draft, reading.errors);
    this.#refuse(place, reading.errors);
    for (const message of draft.warnings) this.#warn(place, message);
    return row;
  }

  /** The credential of then, sealed with the key of today: it is opened for that and nothing else. */
  #restoredCredential(then: UpstreamRow, known: UpstreamRow | undefined, at: number): { fields: StoredCredential; warning?: string } {
    const { sealer } = this.#context;
    if (known !== undefined && isSameCredential(sealer, known, then)) return { fields: credentialOf(known) };
    const fields = credentialOf(then);
    if (known !== undefined && fields.auth_value_updated_at !== null) fields.auth_value_updated_at = at;
    if (then.auth_value_sealed === null) return { fields };
    const place = authValuePlace(then.id);
    const opened = sealer.open(place, then.auth_value_sealed);
    if (opened.ok) return { fields: { ...fields, auth_value_sealed: sealer.seal(place, opened.value) } };
    const warning = `its credential of then comes back as unavailable, so that requests to it answer 503 until auth_value is set again: ${opened.reason}`;
    return { fields, warning };
  }

  async #restoredRoute(view: StoreReader, then: RouteRow, known: RouteRow | undefined): Promise<RouteRow> {
    if (known?.revision === then.revision) return known;
    const context = this.#context;
    const at = known === undefined ? context.clock() : changeTime(context, known.updated_at);
    const row: RouteRow = { ...then, created_at: known?.created_at ?? then.created_at, updated_at: at };
    if (known !== undefined && !isChanged.route(known, row)) return known;
    const { upstream, ...fields } = declaredRoute(row, () => undefined);
    const reading = readInput(createRouteSchema, { ...fields, upstream_id: upstream });
    await draftRoute(context, view, reading, { id: row.id, before: row, at, trialLater: true });
    if (reading.errors.length > 0) this.#wrongRoutes.add(row.id);
    this.#refuse(`routes.${then.name}`, reading.errors);
    return row;
  }

  /** What it was, on what it is: which key it is does not change, and what shut it stays. */
  #restoredKey(then: RememberedKeyRow, known: RememberedKeyRow, at: number): RememberedKeyRow {
    if (known.revision === then.revision) return known;
    const { prefix, revoked_at, created_at } = known;
    const place = `keys.${then.name}`;
    const row: RememberedKeyRow = { ...then, prefix, revoked_at, created_at };
    if (revoked_at !== null && then.revoked_at === null) this.#warn(place, 'was revoked since and stays so');
    const hasExpired = known.expires_at !== null && known.expires_at <= at;
    const reopened = hasExpired && (then.expires_at === null || then.expires_at > known.expires_at);
    if (reopened && revoked_at === null) this.#warn(place, 'has expired since and stays so; set expires_at to open it again');
    const restored = reopened ? { ...row, expires_at: known.expires_at } : row;
    if (!isChanged.key(known, restored)) return known;
    const fields = declaredKey({ ...restored, hash: '', last_used_at: null }, () => undefined);
    this.#refuse(place, readInput(createApiKeySchema, fields).errors);
    return restored;
  }

  /** The trial compile of what changes, against all routes as they would be. */
  async #tryRoutes(present: ReadonlyMap<RouteId, RouteRow>): Promise<void> {
    // What is wrong by itself already cannot be compiled.
    const rows = [...this.#routes.rows()].filter(({ id }) => !this.#wrongRoutes.has(id));
    const changed = new Map(rows.filter((row) => present.get(row.id) !== row).map((row) => [row.id, row]));
    if (changed.size === 0) return;
    for (const [id, trial] of await this.#context.trialCompiler.routes(rows.map(routeConfigOf), new Set(changed.keys()), this.#pace)) {
      const place = `routes.${changed.get(id)?.name}`;
      this.#refuse(place, trial.errors);
      for (const message of trial.warnings) this.#warn(place, message);
    }
  }

  #isNameOfManaged(
    table: PlannedTable<{ readonly id: string; readonly name: string; readonly managed: boolean }>,
    list: 'upstreams' | 'routes',
    row: { readonly name: string },
  ): boolean {
    if (table.ofName(row.name)?.managed !== true) return false;
    const message = 'is by now the name of a managed object, which comes from the --upstream setting (APIGATE_UPSTREAM_URL)';
    this.#errors.push({ field: `${list}.${row.name}.name`, message });
    return true;
  }

  #warn(field: string, message: string): void {
    this.#warnings.push({ field, message });
  }

  #refuse(place: string, errors: readonly FieldError[]): void {
    for (const { field, message } of errors) this.#errors.push({ field: `${place}.${field}`, message });
  }
}

async function stepsOf(
  difference: ConfigDifference,
  revision: number,
  keyRows: ReadonlyMap<string, ApiKeyRow>,
  pace: Rests,
): Promise<ChangeStep[]> {
  // The audit log tells a rollback from other changes.
  const rollback = { rollback_to: revision };
  const steps: ChangeStep[] = [];
  // Removed the other way round: what refers goes before what it refers to.
  const removals: ChangeStep[] = [];
  for (const { before, after: row } of difference.upstreams) {
    await pace.rest();
    if (row !== undefined) steps.push({ act: 'put', type: 'upstream', row, ...told(before, row, upstreamOf, rollback) });
    else if (before !== undefined)
      removals.push({ act: 'remove', type: 'upstream', row: before, detail: detailOf(upstreamOf(before), rollback) });
  }
  for (const { before, after: row } of difference.routes) {
    await pace.rest();
    if (row !== undefined) steps.push({ act: 'put', type: 'route', row, ...told(before, row, routeOf, rollback) });
    else if (before !== undefined)
      removals.push({ act: 'remove', type: 'route', row: before, detail: detailOf(routeOf(before), rollback) });
  }
  for (const { before, after } of difference.keys) {
    await pace.rest();
    // Keys are only ever changed or removed; what one is recognised by and when it was used stays.
    const known = keyRows.get((after ?? before)?.id ?? '');
    if (known === undefined) continue;
    const row: ApiKeyRow = { ...known, ...after };
    if (after !== undefined) steps.push({ act: 'put', type: 'key', row, ...told(known, row, apiKeyOf, rollback) });
    else removals.push({ act: 'remove', type: 'key', row: known, detail: detailOf(apiKeyOf(known), rollback) });
  }
  return [...steps, ...removals.toReversed()];
}

function told<Row>(before: Row | undefined, row: Row, shown: (row: Row) => object, rollback: object) {
  if (before === undefined) return { action: 'create', detail: detailOf(shown(row), rollback) };
  return { action: 'update', detail: { ...rollback, ...changeDetail(shown(before), shown(row)) } };
}

function detailOf(shown: object, rollback: object): Readonly<Record<string, unknown>> {
  return { ...rollback, ...wholeDetail(shown) };
}

/** The present holders of names that other rows get. */
function vacatedBy<Row extends { readonly id: string; readonly name: string }>(
  differences: readonly RowDifference<Row>[],
  present: readonly Row[],
): Row['id'][] {
  const holders = new Map(present.map(({ id, name }) => [name, id]));
  return differences.flatMap(({ after }) => {
    const holder = after === undefined ? undefined : holders.get(after.name);
    return holder === undefined || holder === after?.id ? [] : [holder];
  });
}

interface StoredCredential {
  auth_value_sealed: string | null;
  auth_value_reference: string | null;
  auth_value_updated_at: number | null;
}

function credentialOf({ auth_value_sealed, auth_value_reference, auth_value_updated_at }: UpstreamRow): StoredCredential {
  return { auth_value_sealed, auth_value_reference, auth_value_updated_at };
}
