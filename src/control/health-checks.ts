import { isDeepStrictEqual } from 'node:util';
import type { GatewayConfigChange, UpstreamConfig } from '../model/gateway-config.ts';
import { type HealthCheck, healthCheckOf, isAmongStatuses } from '../model/health-check.ts';
import type { UpstreamId } from '../model/ids.ts';
import { upstreamProblems } from '../model/upstream-problems.ts';
import type { ProbeResult } from '../model/upstream-test.ts';
import type { ControlLogger, UpstreamProbe } from './control-context.ts';
import { type CheckProblem, failingAfter, type UpstreamCheck } from './upstream-health.ts';

export interface HealthChecksOptions {
  readonly probe: UpstreamProbe;
  readonly logger: ControlLogger;
  readonly clock?: () => number;
  /** From 0 up to 1. */
  readonly random?: () => number;
  /** Checks under way at once; further ones wait. */
  readonly maxAtOnce?: number;
}

interface Checked {
  config: UpstreamConfig;
  check: HealthCheck;
  found: UpstreamCheck;
  /** Counts up when what is asked, or of whom, becomes another. */
  question: number;
  timer: NodeJS.Timeout | undefined;
  isRunning: boolean;
}

/**
 * Asks the upstreams that want it, one after the other's interval, whether they are well: one checker for the gateway, whatever
 * the number of workers. A check goes the way of a test of the upstream. Of one upstream there is never more than one under way.
 * What is found informs and nothing else: see upstreamHealth.
 */
export class HealthChecks {
  readonly #options: HealthChecksOptions;
  readonly #clock: () => number;
  readonly #random: () => number;
  readonly #maxAtOnce: number;
  readonly #checked = new Map<UpstreamId, Checked>();
  readonly #waiting: Checked[] = [];
  #running = 0;
  #stopped = false;

  constructor(options: HealthChecksOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#maxAtOnce = options.maxAtOnce ?? 32;
  }

  /** The workers serve this change. Upstreams that are new in it or changed are asked soon, not all at the same time. */
  follow({ full, upstreams, removed }: Pick<GatewayConfigChange, 'full' | 'upstreams' | 'removed'>): void {
    if (this.#stopped) return;
    const gone = new Set<string>(full ? this.#checked.keys() : removed);
    const due: Checked[] = [];
    for (const config of upstreams) {
      const check = config.enabled ? healthCheckOf(config) : null;
      if (check === null) {
        gone.add(config.id);
        continue;
      }
      gone.delete(config.id);
      const checked = this.#put(config, check);
      if (checked !== undefined) due.push(checked);
    }
    for (const id of gone) {
      clearTimeout(this.#checked.get(id as UpstreamId)?.timer);
      this.#checked.delete(id as UpstreamId);
    }
    const spread = soon + due.length * spreadOfOne;
    for (const checked of due) this.#wait(checked, this.#random() * Math.min(checked.check.intervalMs, spread));
  }

  /** What checks found of an upstream; null where there are none. */
  of(id: UpstreamId): UpstreamCheck | null {
    return this.#checked.get(id)?.found ?? null;
  }

  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#checked.values()) clearTimeout(timer);
    this.#checked.clear();
    this.#waiting.length = 0;
  }

  /** What is to be asked now; undefined where nothing about it is new. */
  #put(config: UpstreamConfig, check: HealthCheck): Checked | undefined {
    const checked = this.#checked.get(config.id);
    if (checked === undefined) {
      const begun = { config, check, found: nothingFound, question: 0, timer: undefined, isRunning: false };
      this.#checked.set(config.id, begun);
      return begun;
    }
    if (isDeepStrictEqual(checked.config, config)) return undefined;
    const before = checked.check;
    // What was found of another target, or by other rules, says nothing any more.
    if (checked.config.base_url !== config.base_url || before.path !== check.path || before.status !== check.status) {
      checked.found = nothingFound;
      checked.question++;
    }
    checked.config = config;
    checked.check = check;
    return checked;
  }

  #wait(checked: Checked, ms: number): void {
    clearTimeout(checked.timer);
    checked.timer = setTimeout(() => this.#begin(checked), ms).unref();
  }

  #begin(checked: Checked): void {
    // The one under way sees to the next by itself.
    if (checked.isRunning) return;
    checked.isRunning = true;
    this.#waiting.push(checked);
    this.#beginWaiting();
  }

  #beginWaiting(): void {
    while (this.#running < this.#maxAtOnce) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      // It may have been removed while it waited.
      if (this.#isFollowed(next)) void this.#run(next);
    }
  }

  async #run(checked: Checked): Promise<void> {
    this.#running++;
    const begun = performance.now();
    const { config, check, question } = checked;
    const result = await this.#ask(config, check);
    this.#running--;
    checked.isRunning = false;
    this.#beginWaiting();
    if (!this.#isFollowed(checked)) return;
    if (result !== undefined && checked.question === question) checked.found = foundBy(result, check, checked.found, this.#clock());
    const interval = checked.check.intervalMs * (0.95 + this.#random() * 0.1);
    const wasChanged = checked.config !== config;
    this.#wait(checked, wasChanged ? this.#random() * soon : Math.max(0, interval - (performance.now() - begun)));
  }

  async #ask(config: UpstreamConfig, { path, timeoutMs }: HealthCheck): Promise<ProbeResult | undefined> {
    try {
      return await this.#options.probe(config, { method: 'GET', path, waitMs: timeoutMs, purpose: 'health check' });
    } catch (error) {
      // A defect of ours says nothing of the upstream.
      const about = { err: error, upstream: config.name, upstream_id: config.id };
      if (!this.#stopped) this.#options.logger.error(about, 'a health check could not be made');
      return undefined;
    }
  }

  #isFollowed(checked: Checked): boolean {
    return this.#checked.get(checked.config.id) === checked;
  }
}

/** The first check of a new upstream comes within this time, and that of each of many within so much more. Milliseconds. */
const soon = 1_000;
const spreadOfOne = 10;

const nothingFound: UpstreamCheck = {
  done: 0,
  failed: 0,
  streak: 0,
  okTimes: [],
  lastMs: 0,
  lastOkMs: 0,
  lastFailureMs: 0,
  status: null,
  tookMs: null,
  problem: null,
};

function foundBy(result: ProbeResult, check: HealthCheck, before: UpstreamCheck, now: number): UpstreamCheck {
  const status = result.answer?.status ?? null;
  const isGood = result.answers && status !== null && isAmongStatuses(check.status, status);
  const about = { done: before.done + 1, lastMs: now, status, tookMs: result.total_ms };
  if (isGood) return { ...before, ...about, streak: 0, okTimes: [...before.okTimes, now].slice(-failingAfter), lastOkMs: now };
  const problem = problemOf(result, check);
  return { ...before, ...about, failed: before.failed + 1, streak: before.streak + 1, okTimes: [], lastFailureMs: now, problem };
}

function problemOf({ answers, answer, problem }: ProbeResult, check: HealthCheck): CheckProblem {
  if (answers && answer !== null) {
    const { title, next } = upstreamProblems.unexpected_status;
    const cause = `It answered ${check.path} with ${answer.status}, which is not among ${check.status}.`;
    // What is known of such an answer comes first: a credential that is not accepted, say.
    return { code: null, title: problem?.title ?? title, cause, next: [...(problem?.next ?? []), ...next] };
  }
  if (problem === null) return { code: null, title: 'No answer', cause: 'No answer came.', next: [] };
  const { code, title, cause, next } = problem;
  return { code, title, cause, next };
}
