import assert from 'node:assert/strict';
import { GatewayError, type FieldError } from '../errors/gateway-error.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import type { GatewayConfigChange, RouteConfig, UpstreamConfig } from '../model/gateway-config.ts';
import type { ProbeResult, UpstreamTestRequest } from '../model/upstream-test.ts';
import { createSealer, type Sealer } from '../secrets/sealer.ts';
import { newSecretKeyText, parseSecretKey } from '../secrets/secret-key.ts';
import type { AuditRow, Store } from '../store/store.ts';
import { openTemporaryStore, type TemporaryStore } from '../store/temporary-store.ts';
import type { Actor, ControlContext, OwnListener, Publisher, TrialCompiler } from './control-context.ts';
import { createControlContext } from './create-control-context.ts';

export const ann: Actor = {
  kind: 'admin',
  id: 'adm_0000000000000001',
  label: 'ann@example.com',
  remoteAddress: '127.0.0.1',
  requestId: 'request-1',
};

/** For tests: the use cases on a real, temporary database, with workers that only remember what they are given. */
export interface ControlFixture {
  readonly context: ControlContext;
  readonly store: TemporaryStore;
  readonly workers: FakeWorkers;
  readonly environment: Record<string, string>;
  readonly ownListeners: OwnListener[];
  readonly trial: { errors: FieldError[]; warnings: string[]; seen: RouteConfig[][]; readonly upstreams: UpstreamConfig[] };
  /** Tests of upstreams that were asked for. */
  readonly probed: { readonly config: UpstreamConfig; readonly request: UpstreamTestRequest }[];
  /** When set, a test waits for it. */
  probing: { held: Promise<void> | undefined };
  readonly logged: { readonly level: string; readonly message: string }[];
  readonly clock: { now: number };
  audit(): Promise<readonly AuditRow[]>;
  close(): Promise<void>;
}

export interface ControlFixtureOptions {
  readonly store?: TemporaryStore;
  readonly sealer?: Sealer;
  /** Without workers, as in the CLI. */
  readonly workers?: false;
}

export async function openControl(options: ControlFixtureOptions = {}): Promise<ControlFixture> {
  const store = options.store ?? (await openTemporaryStore());
  const workers = new FakeWorkers();
  const environment: Record<string, string> = {};
  const ownListeners: OwnListener[] = [];
  const trial: ControlFixture['trial'] = { errors: [], warnings: [], seen: [], upstreams: [] };
  const probed: ControlFixture['probed'] = [];
  const probing: ControlFixture['probing'] = { held: undefined };
  const logged: ControlFixture['logged'] = [];
  const clock = { now: Date.parse('2026-11-23T05:00:00Z') };
  const trialCompiler: TrialCompiler = {
    expressions: () => Promise.resolve(),
    upstream(upstream) {
      trial.upstreams.push(upstream);
      return trial.errors;
    },
    route(_route, others) {
      trial.seen.push([...others]);
      return { errors: trial.errors, warnings: trial.warnings };
    },
    routes(all, changed) {
      trial.seen.push([...all]);
      return Promise.resolve(new Map([...changed].map((id) => [id, { errors: trial.errors, warnings: trial.warnings }])));
    },
    order: (all) => all.map((route) => ({ route, beatenBy: null, warnings: [] })),
    transformation() {
      return [];
    },
  };
  const log = (level: string) => (_fields: object, message: string) => void logged.push({ level, message });
  const context = createControlContext({
    store,
    sealer: options.sealer ?? newSealer(),
    publisher: options.workers === false ? null : workers,
    trialCompiler,
    probeUpstream: async (config, request) => {
      probed.push({ config, request });
      await probing.held;
      return foundNothing(config, request);
    },
    previewer: { preview: () => Promise.reject(new Error('no data plane here')) },
    explainer: {
      prepare: () => Promise.reject(new Error('no data plane here')),
      upstreamAsked: () => Promise.reject(new Error('no data plane here')),
      explain: () => Promise.reject(new Error('no data plane here')),
      takersOf: () => null,
    },
    environment,
    protectedFiles: [store.path],
    ownListeners: () => ownListeners,
    clock: () => clock.now,
    logger: { info: log('info'), warn: log('warn'), error: log('error') },
  });
  return {
    context,
    store,
    workers,
    environment,
    ownListeners,
    trial,
    probed,
    probing,
    logged,
    clock,
    audit: async () => (await store.read(async (tx) => await tx.audit.list({ limit: 100 }))).rows,
    close: async () => await store.close(),
  };
}

/** Takes changes as workers would, and checks what every publish must keep to. */
export class FakeWorkers implements Publisher {
  readonly changes: GatewayConfigChange[] = [];
  readonly upstreams = new Map<string, UpstreamConfig>();
  readonly routes = new Map<string, RouteConfig>();
  readonly keys = new Map<string, GatewayConfigChange['keys'][number]>();
  revision = -1;
  /** When set, a publish waits for it. */
  held: Promise<void> | undefined;
  /** When set, a publish fails with it. */
  failure: Error | undefined;
  #publishing = false;

  async publish(change: GatewayConfigChange): Promise<void> {
    assert.equal(this.#publishing, false, 'two publishes at once');
    assert.ok(change.full || change.revision >= this.revision, `revision ${change.revision} after ${this.revision}`);
    assert.ok(change.full || this.revision >= 0, 'the first publish must be full');
    this.#publishing = true;
    await this.held;
    this.#publishing = false;
    if (this.failure !== undefined) throw this.failure;
    this.changes.push(change);
    const tables: Map<string, unknown>[] = [this.upstreams, this.routes, this.keys];
    if (change.full) for (const table of tables) table.clear();
    for (const id of change.removed) for (const table of tables) table.delete(id);
    for (const upstream of change.upstreams) this.upstreams.set(upstream.id, upstream);
    for (const route of change.routes) this.routes.set(route.id, route);
    for (const key of change.keys) this.keys.set(key.id, key);
    this.revision = change.revision;
  }

  upstreamNamed(name: string): UpstreamConfig {
    return named(this.upstreams, name);
  }

  routeNamed(name: string): RouteConfig {
    return named(this.routes, name);
  }
}

/** What a probe answers that had nothing to say. */
function foundNothing(config: UpstreamConfig, { method, path }: UpstreamTestRequest): ProbeResult {
  return {
    answers: true,
    request: { method, url: config.base_url + path },
    address: '127.0.0.1:80',
    steps: [],
    certificate: null,
    answer: null,
    problem: null,
    notes: [],
    total_ms: 1,
    curl: null,
  };
}

export function newSealer(): Sealer {
  const key = parseSecretKey(newSecretKeyText());
  assert.ok(key.ok);
  return createSealer(key.value);
}

/** The error that a use case ends in; fails the test when it succeeds or fails otherwise. */
export async function errorOf(work: Promise<unknown>, code: ErrorCode): Promise<GatewayError> {
  const error = await work.then(
    (value) => assert.fail(`succeeded with ${JSON.stringify(value)}`),
    (caught: unknown) => caught,
  );
  if (!(error instanceof GatewayError)) throw error;
  assert.equal(error.code, code, `${error.message} ${JSON.stringify(error.errors)}`);
  return error;
}

/** Field by field, what is wrong with an input. */
export async function fieldErrorsOf(work: Promise<unknown>): Promise<Record<string, string>> {
  const error = await errorOf(work, 'validation_failed');
  return Object.fromEntries(error.errors.map(({ field, message }) => [field, message]));
}

/** Everything in the database, as text, to see that nothing was changed. */
export async function contentOf(store: Store): Promise<string> {
  return await store.read(async (tx) =>
    JSON.stringify([
      await tx.revision(),
      await tx.upstreams.changedSince(-1),
      await tx.routes.changedSince(-1),
      await tx.keys.changedSince(-1),
    ]),
  );
}

function named<T extends { readonly name: string }>(table: ReadonlyMap<string, T>, name: string): T {
  const found = [...table.values()].find((row) => row.name === name);
  assert.ok(found, `${name} is not served`);
  return found;
}
