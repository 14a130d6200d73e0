// Over 300 lines: the three kinds are planned against one another, in one order.
import { GatewayError, type FieldError } from '../errors/gateway-error.ts';
import type { RouteConfig } from '../model/gateway-config.ts';
import type { RouteId, UpstreamId } from '../model/ids.ts';
import type { UpdateApiKey } from '../model/api-key-schema.ts';
import type { PlannedChange } from '../model/declared-config.ts';
import { apiKeyDefaults } from '../model/api-key.ts';
import { routeDefaults } from '../model/route.ts';
import { upstreamDefaults } from '../model/upstream.ts';
import type { UpdateRoute } from '../model/route-schema.ts';
import type { UpdateUpstream } from '../model/upstream-schema.ts';
import type { ApiKeyRow, RouteRow, StoreReader, UpstreamRow } from '../store/store.ts';
import { apiKeyOf, changedKey, newApiKeyRow, newApiKeySecret } from './api-keys.ts';
import { changeDetail, wholeDetail } from './change-detail.ts';
import { changeTime, type ChangeStep, refuseErrors } from './commit-change.ts';
import type { ControlContext } from './control-context.ts';
import { authValuePlace } from './credentials.ts';
import { declaredKey, declaredRoute, declaredUpstream, storedSecret } from './declared-form.ts';
import { fieldsChanged } from './fields-changed.ts';
import { routeConfigOf } from './load-change.ts';
import { Pace, type Rests } from './pace.ts';
import { lookedUpIn, PlannedTable } from './planned-table.ts';
import { type DeclaredConfig, type DeclaredEntry, errorsOf } from './read-declared.ts';
import { draftRoute } from './route-draft.ts';
import { newRouteId, routeOf } from './routes.ts';
import { draftUpstream, sealUpstream, trialCompileUpstream, type UpstreamDraft } from './upstream-draft.ts';
import { newUpstreamId, upstreamOf, usedByRoutes } from './upstreams.ts';

/** What has to be stored so that the gateway config is as declared. */
export interface GatewayConfigPlan {
  readonly steps: readonly ChangeStep[];
  readonly changes: readonly PlannedChange[];
  readonly unchanged: number;
  readonly warnings: readonly FieldError[];
  readonly createdKeys: readonly { readonly name: string; readonly key: string }[];
  /** Upstreams whose credential is given as a reference. */
  readonly references: readonly { readonly id: UpstreamId; readonly place: string }[];
  /** Everything as it would be. */
  readonly after: PlannedRows;
}

export interface PlannedRows {
  readonly upstreams: PlannedTable<Omit<UpstreamRow, 'revision'>>;
  readonly routes: PlannedTable<Omit<RouteRow, 'revision'>>;
  readonly keys: PlannedTable<Omit<ApiKeyRow, 'revision'>>;
}

/**
 * Compares what is declared with what is stored. References are resolved against the state that the plan leads to, so an
 * object may refer to another one of the same input. Reads and writes nothing but `tx`. Lets others run while it plans thousands.
 * @throws GatewayError `validation_failed` with everything that is wrong; `conflict` where prune would take away an upstream
 *   that is in use
 */
export async function planGatewayConfig(
  context: ControlContext,
  tx: StoreReader,
  declared: DeclaredConfig,
  prune: boolean,
  pace: Rests = new Pace(),
): Promise<GatewayConfigPlan> {
  const planner = new Planner(context, prune, pace);
  const upstreams = await planner.upstreams(tx, await tx.upstreams.changedSince(-1), declared.upstreams);
  const routes = await planner.routes(tx, await tx.routes.changedSince(-1), declared.routes, upstreams);
  const keys = await planner.keys(tx, await tx.keys.changedSince(-1), declared.keys, routes);
  refuseErrors(errorsOf(declared));
  refuseUsedUpstreams(upstreams, routes);
  return await planner.plan(upstreams, routes, keys);
}

/** The rows of one kind as they are and as they shall be. */
interface Planned<Row extends PlannedRow> {
  readonly before: ReadonlyMap<string, Row>;
  readonly after: PlannedTable<Omit<Row, 'revision'>>;
  readonly puts: readonly PlannedPut<Row>[];
  readonly removed: readonly Row[];
}

interface PlannedPut<Row> {
  readonly place: string;
  readonly row: Omit<Row, 'revision'>;
  readonly before: Row | undefined;
}

interface PlannedRow {
  readonly id: string;
  readonly name: string;
  readonly revision: number;
}

class Planner {
  readonly #context: ControlContext;
  readonly #prune: boolean;
  readonly #pace: Rests;
  readonly #warnings: FieldError[] = [];
  readonly #references: { id: UpstreamId; place: string }[] = [];
  readonly #secrets = new Map<string, string>();
  /** Upstreams that get another credential; a comparison of what may be shown does not tell. */
  readonly #newSecrets = new Set<string>();

  constructor(context: ControlContext, prune: boolean, pace: Rests) {
    this.#context = context;
    this.#prune = prune;
    this.#pace = pace;
  }

  async upstreams(
    tx: StoreReader,
    stored: readonly UpstreamRow[],
    entries: readonly DeclaredEntry<UpdateUpstream>[] | undefined,
  ): Promise<Planned<UpstreamRow>> {
    const context = this.#context;
    const before = byNameOf(stored);
    const puts: PlannedPut<UpstreamRow>[] = [];
    for (const entry of entries ?? []) {
      await this.#pace.rest();
      const known = storedOf(before, entry);
      const at = known === undefined ? context.clock() : changeTime(context, known.updated_at);
      const drafted = draftUpstream(context, entry, { id: known?.id ?? newUpstreamId(), before: known, at });
      if (entry.errors.length === 0) trialCompileUpstream(context, drafted, entry.errors);
      const draft = this.#withKnownSecret(drafted, known);
      if (draft.authValue.kind === 'seal') this.#newSecrets.add(draft.row.id);
      // A draft with errors is there for the routes that refer to it, and goes no further.
      const row = entry.errors.length === 0 ? await sealUpstream(context, tx, draft) : draft.row;
      puts.push({ place: entry.place, row, before: known });
      if (row.auth_value_reference !== null) this.#references.push({ id: row.id, place: entry.place });
      for (const message of draft.warnings) this.#warnings.push({ field: entry.place, message });
    }
    return this.#planned(stored, before, puts, entries);
  }

  async routes(
    tx: StoreReader,
    stored: readonly RouteRow[],
    entries: readonly DeclaredEntry<UpdateRoute>[] | undefined,
    upstreams: Planned<UpstreamRow>,
  ): Promise<Planned<RouteRow>> {
    const context = this.#context;
    const before = byNameOf(stored);
    const view: StoreReader = { ...tx, upstreams: lookedUpIn(tx.upstreams, upstreams.after) };
    const gone = new Set(upstreams.removed.flatMap(({ id, name }) => [id, name]));
    const puts: PlannedPut<RouteRow>[] = [];
    const entryOf = new Map<RouteId, DeclaredEntry<UpdateRoute>>();
    for (const entry of entries ?? []) {
      await this.#pace.rest();
      const known = storedOf(before, entry);
      const at = known === undefined ? context.clock() : changeTime(context, known.updated_at);
      const wanted = entry.values.upstream_id;
      if (wanted !== undefined && gone.has(wanted)) {
        entry.errors.push({ field: 'upstream_id', message: 'is an upstream that prune removes: declare it too' });
        delete (entry.values as { upstream_id?: string }).upstream_id;
      }
      const target = { id: known?.id ?? newRouteId(), before: known, at, trialLater: true, pace: this.#pace } as const;
      const { row } = await draftRoute(context, view, entry, target);
      puts.push({ place: entry.place, row, before: known });
      entryOf.set(row.id, entry);
    }
    const planned = this.#planned(stored, before, puts, entries);
    await this.#tryRoutes(planned, entryOf);
    return planned;
  }

  async keys(
    tx: StoreReader,
    stored: readonly ApiKeyRow[],
    entries: readonly DeclaredEntry<UpdateApiKey>[] | undefined,
    routes: Planned<RouteRow>,
  ): Promise<Planned<ApiKeyRow>> {
    const before = byNameOf(stored);
    const at = this.#context.clock();
    const view: StoreReader = { ...tx, routes: { ...tx.routes, ...lookedUpIn(tx.routes, routes.after) } };
    const gone = new Set(routes.removed.map(({ name }) => name));
    const puts: PlannedPut<ApiKeyRow>[] = [];
    for (const entry of entries ?? []) {
      await this.#pace.rest();
      const known = entry.name === undefined ? undefined : before.get(entry.name);
      const secret = newApiKeySecret();
      const errorsBefore = entry.errors.length;
      const row: Omit<ApiKeyRow, 'revision'> = await changedKey(view, entry, known ?? newApiKeyRow(secret, at));
      for (const [index, error] of entry.errors.entries()) {
        const wanted = index < errorsBefore ? undefined : entry.values.routes?.[Number(error.field.split('.')[1])];
        if (wanted !== undefined && gone.has(wanted)) {
          entry.errors[index] = { ...error, message: 'is a route that prune removes: declare it too' };
        }
      }
      puts.push({ place: entry.place, row, before: known });
      if (known === undefined) this.#secrets.set(row.id, secret);
      if (row.revoked_at !== null) {
        this.#warnings.push({ field: entry.place, message: 'is revoked and stays so; delete the key to have a new one made' });
      } else if (row.expires_at !== null && row.expires_at <= at) {
        this.#warnings.push({ field: entry.place, message: 'has expired already' });
      }
    }
    // What is revoked opens nothing, and no export names it.
    return this.#planned(stored, before, puts, entries, (row) => row.revoked_at !== null);
  }

  async plan(upstreams: Planned<UpstreamRow>, routes: Planned<RouteRow>, keys: Planned<ApiKeyRow>): Promise<GatewayConfigPlan> {
    const steps: ChangeStep[] = [];
    const changes: PlannedChange[] = [];
    const createdKeys: { name: string; key: string }[] = [];
    let unchanged = 0;
    const put = <Row extends PlannedRow>(
      { row, before }: PlannedPut<Row>,
      type: PlannedChange['type'],
      shown: (row: Omit<Row, 'revision'>) => object,
      fields: PlannedChange['fields'],
      step: (action: string, detail: Readonly<Record<string, unknown>>) => ChangeStep,
    ): void => {
      const detail = before === undefined ? wholeDetail(shown(row)) : changeDetail(shown(before), shown(row));
      if (Object.keys(detail).length === 0) {
        unchanged += 1;
        return;
      }
      const action = before === undefined ? 'create' : 'update';
      steps.push(step(action, detail));
      changes.push({ action, type, name: (row as unknown as PlannedRow).name, fields });
    };

    for (const planned of upstreams.puts) {
      await this.#pace.rest();
      const { row, before } = planned;
      const fields = fieldsChanged(before && declaredUpstream(before), declaredUpstream(row), upstreamDefaults);
      if (this.#newSecrets.has(row.id) && before !== undefined) fields['auth_value'] ??= { from: storedSecret, to: '(changed)' };
      put(planned, 'upstream', upstreamOf, fields, (action, detail) => ({ act: 'put', type: 'upstream', row, action, detail }));
    }
    const upstreamNames = new Map([...upstreams.before.values()].map(({ id, name }) => [id, name]));
    const upstreamName = (id: UpstreamId): string | undefined => upstreams.after.ofId(id)?.name ?? upstreamNames.get(id);
    for (const planned of routes.puts) {
      await this.#pace.rest();
      const { row, before } = planned;
      const fields = fieldsChanged(before && declaredRoute(before, upstreamName), declaredRoute(row, upstreamName), routeDefaults);
      put(planned, 'route', routeOf, fields, (action, detail) => ({ act: 'put', type: 'route', row, action, detail }));
    }
    const routeNames = new Map([...routes.before.values()].map(({ id, name }) => [id, name]));
    const routeName = (id: RouteId): string | undefined => routes.after.ofId(id)?.name ?? routeNames.get(id);
    for (const planned of keys.puts) {
      await this.#pace.rest();
      const { row, before } = planned;
      const fields = fieldsChanged(before && declaredKey(before, routeName), declaredKey(row, routeName), apiKeyDefaults);
      put(planned, 'key', apiKeyOf, fields, (action, detail) => ({ act: 'put', type: 'key', row, action, detail }));
      const key = this.#secrets.get(row.id);
      if (key !== undefined) createdKeys.push({ name: row.name, key });
    }

    // In the order that references ask for: what refers goes before what it refers to.
    for (const row of keys.removed) steps.push({ act: 'remove', type: 'key', row, detail: wholeDetail(apiKeyOf(row)) });
    for (const row of routes.removed) steps.push({ act: 'remove', type: 'route', row, detail: wholeDetail(routeOf(row)) });
    for (const row of upstreams.removed) steps.push({ act: 'remove', type: 'upstream', row, detail: wholeDetail(upstreamOf(row)) });
    for (const step of steps) {
      if (step.act === 'remove') changes.push({ action: 'delete', type: step.type, name: step.row.name, fields: {} });
    }
    const after = { upstreams: upstreams.after, routes: routes.after, keys: keys.after };
    return { steps, changes, unchanged, warnings: this.#warnings, createdKeys, references: this.#references, after };
  }

  #planned<Row extends PlannedRow & { readonly managed?: boolean }>(
    stored: readonly Row[],
    before: ReadonlyMap<string, Row>,
    puts: readonly PlannedPut<Row>[],
    entries: readonly DeclaredEntry<unknown>[] | undefined,
    isKept: (row: Row) => boolean = () => false,
  ): Planned<Row> {
    const named = new Set((entries ?? []).map(({ name }) => name));
    const isRemoved = (row: Row): boolean =>
      this.#prune && entries !== undefined && row.managed !== true && !named.has(row.name) && !isKept(row);
    const after = new PlannedTable<Omit<Row, 'revision'>>();
    for (const row of stored) if (!isRemoved(row)) after.set(row);
    for (const { row } of puts) after.set(row);
    return { before, after, puts, removed: stored.filter(isRemoved) };
  }

  /** A credential that is stored already is no change: else each apply of the same file would be one. */
  #withKnownSecret(draft: UpstreamDraft, before: UpstreamRow | undefined): UpstreamDraft {
    if (before === undefined || before.auth_type === 'none') return draft;
    const { authValue } = draft;
    if (authValue.kind === 'refer' && authValue.reference === before.auth_value_reference) return { ...draft, authValue: { kind: 'keep' } };
    if (authValue.kind !== 'seal' || before.auth_value_sealed === null) return draft;
    const opened = this.#context.sealer.open(authValuePlace(before.id), before.auth_value_sealed);
    return opened.ok && opened.value === authValue.value ? { ...draft, authValue: { kind: 'keep' } } : draft;
  }

  /** The trial compile of what changes, against all routes as they would be. */
  async #tryRoutes(planned: Planned<RouteRow>, entryOf: ReadonlyMap<RouteId, DeclaredEntry<UpdateRoute>>): Promise<void> {
    const changed = new Set<RouteId>();
    const all: RouteConfig[] = [];
    for (const row of planned.after.rows()) {
      await this.#pace.rest();
      const entry = entryOf.get(row.id);
      if (entry !== undefined && entry.errors.length > 0) continue;
      all.push(routeConfigOf({ ...row, revision: 0 }));
      const before = planned.before.get(row.name);
      if (entry !== undefined && (before === undefined || Object.keys(changeDetail(routeOf(before), routeOf(row))).length > 0))
        changed.add(row.id);
    }
    if (changed.size === 0) return;
    for (const [id, trial] of await this.#context.trialCompiler.routes(all, changed, this.#pace)) {
      const entry = entryOf.get(id);
      if (entry === undefined) continue;
      entry.errors.push(...trial.errors);
      for (const message of trial.warnings) this.#warnings.push({ field: entry.place, message });
    }
  }
}

function byNameOf<Row extends PlannedRow>(rows: readonly Row[]): ReadonlyMap<string, Row> {
  return new Map(rows.map((row) => [row.name, row]));
}

function storedOf<Row extends PlannedRow & { readonly managed: boolean }>(
  stored: ReadonlyMap<string, Row>,
  entry: DeclaredEntry<unknown>,
): Row | undefined {
  const row = entry.name === undefined ? undefined : stored.get(entry.name);
  if (row?.managed === true) {
    entry.errors.push({ field: 'name', message: 'is managed: it comes from the --upstream setting (APIGATE_UPSTREAM_URL)' });
  }
  return row;
}

/** @throws GatewayError `conflict` that lists the routes in the way of prune */
function refuseUsedUpstreams(upstreams: Planned<UpstreamRow>, routes: Planned<RouteRow>): void {
  if (upstreams.removed.length === 0) return;
  const users = new Map<string, RouteRow[]>();
  for (const row of routes.after.rows()) {
    const same = users.get(row.upstream_id);
    const route = { ...row, revision: 0 };
    if (same === undefined) users.set(row.upstream_id, [route]);
    else same.push(route);
  }
  const advice = 'Declare the upstream, or declare the routes too: then prune removes those that are not named.';
  const conflicts = upstreams.removed.flatMap((upstream) => {
    const found = users.get(upstream.id);
    return found === undefined ? [] : [usedByRoutes(upstream, found, advice)];
  });
  const [first] = conflicts;
  if (first === undefined) return;
  if (conflicts.length === 1) throw first;
  const detail = `Prune would remove ${conflicts.length} upstreams that routes use. ${conflicts
    .map(({ message }) => message.replace(` ${advice}`, ''))
    .slice(0, 5)
    .join(' ')} ${advice}`;
  throw new GatewayError('conflict', { detail, errors: conflicts.flatMap(({ errors }) => errors) });
}
