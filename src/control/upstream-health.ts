import { errorCatalogue } from '../errors/catalogue.ts';
import type { UpstreamId } from '../model/ids.ts';
import type { HealthProblem, HealthSource, HealthState, UpstreamHealth } from '../model/upstream-health.ts';
import { problemOfCode } from '../model/upstream-problems.ts';
import type { UpstreamTotals } from '../telemetry/upstream-counters.ts';

/** What the data plane counts of one upstream, read at one moment. */
export interface UpstreamTraffic {
  readonly id: UpstreamId;
  readonly name: string;
  readonly enabled: boolean;
  readonly totals: UpstreamTotals;
  /** null where it is not checked. */
  readonly check: UpstreamCheck | null;
  /** Connections. */
  readonly active: number;
  readonly idle: number;
}

/** What health checks of one upstream found since it is asked for what it is asked for now. Times are milliseconds since the epoch, 0 for never. */
export interface UpstreamCheck {
  readonly done: number;
  readonly failed: number;
  /** Failures since the last good answer. */
  readonly streak: number;
  /** When the last good answers came, as many as there were in a row, `failingAfter` at most; oldest first. */
  readonly okTimes: readonly number[];
  readonly lastMs: number;
  readonly lastOkMs: number;
  readonly lastFailureMs: number;
  /** Of the last answer; null where none came. */
  readonly status: number | null;
  /** How long the last check took, milliseconds. */
  readonly tookMs: number | null;
  /** Why the last one that failed did; null before one did. */
  readonly problem: CheckProblem | null;
}

/** What a health check found wrong. */
export type CheckProblem = Pick<HealthProblem, 'code' | 'title' | 'cause' | 'next'>;

/** This many failures in a row make an upstream failing: one may be a restart, and two of a client's retries. */
export const failingAfter = 3;

/** How an upstream does, as its own traffic tells and, where it has any, health checks. */
export function upstreamHealth(traffic: UpstreamTraffic): UpstreamHealth {
  const { totals, check } = traffic;
  const { state, source, cause, problem } = verdictOf(traffic);
  return {
    upstream_id: traffic.id,
    upstream: traffic.name,
    state,
    source,
    cause,
    problem,
    last_ok_at: timeOf(lastOkOf(traffic)),
    last_failure_at: timeOf(totals.lastFailureMs),
    last_failure_code: totals.lastFailureCode,
    consecutive_failures: totals.streak,
    check:
      check === null
        ? null
        : {
            last_at: timeOf(check.lastMs),
            last_ok_at: timeOf(check.lastOkMs),
            last_failure_at: timeOf(check.lastFailureMs),
            consecutive_failures: check.streak,
            status: check.status,
            took_ms: check.tookMs,
            failure: check.streak === 0 ? null : (check.problem?.cause ?? null),
            checks: check.done,
            failures: check.failed,
          },
    requests: totals.requests,
    answered: totals.answered,
    server_errors: totals.serverErrors,
    failures: totals.failures,
    overloaded: totals.overloaded,
    abandoned: totals.abandoned,
    mean_response_ms: totals.answered === 0 ? null : Math.round((totals.latencySumMs / totals.answered) * 1_000) / 1_000,
    bytes_in: totals.bytesIn,
    bytes_out: totals.bytesOut,
    connections: { active: traffic.active, idle: traffic.idle },
  };
}

/** When it was last well, by traffic or by check: milliseconds since the epoch, 0 for never. */
export function lastOkOf({ totals, check }: UpstreamTraffic): number {
  return Math.max(totals.lastOkMs, check?.lastOkMs ?? 0);
}

/** Looked at for all upstreams once a second, so without the words. */
export function healthState(traffic: UpstreamTraffic): HealthState {
  if (!traffic.enabled) return 'disabled';
  if (failsByCheck(traffic) || failsByTraffic(traffic)) return 'failing';
  return lastOkOf(traffic) > 0 ? 'healthy' : 'unknown';
}

interface Verdict {
  readonly state: HealthState;
  /** What told so; null where nothing did. */
  readonly source: HealthSource | null;
  readonly cause: string;
  readonly problem: HealthProblem | null;
}

/** The state with what told so and why. */
export function verdictOf(traffic: UpstreamTraffic): Verdict {
  const { totals, check } = traffic;
  const state = healthState(traffic);
  if (state === 'disabled') return { state, source: null, cause: 'it is disabled: nothing is sent there', problem: null };
  const ofTraffic = problemOfTraffic(totals);
  if (state === 'failing' && !failsByCheck(traffic)) return { state, source: 'traffic', cause: wordsOf(ofTraffic!), problem: ofTraffic };
  const problem = problemOfChecks(check) ?? ofTraffic;
  const failed = problem === null ? null : wordsOf(problem);
  if (state === 'failing') return { state, source: 'check', cause: failed!, problem };
  if (state === 'unknown') {
    const nothingYet = 'no request has been answered yet';
    return { state, source: null, cause: failed === null ? `${nothingYet}, and none has failed` : `${nothingYet}; ${failed}`, problem };
  }
  const isChecked = check !== null && check.lastOkMs >= totals.lastOkMs;
  const well = isChecked ? 'it answered the last health check' : 'it answered the last request';
  return { state, source: isChecked ? 'check' : 'traffic', cause: failed === null ? well : `it answers, but ${failed}`, problem };
}

// Only a good check takes it back: what is asked may be told by nothing else.
function failsByCheck({ check }: UpstreamTraffic): boolean {
  return check !== null && check.streak >= failingAfter;
}

// An answer takes it back at once; good checks do when as many as make one failing came since the last failure. Fewer would have
// an upstream that answers checks but no requests go back and forth.
function failsByTraffic({ totals, check }: UpstreamTraffic): boolean {
  if (totals.streak < failingAfter) return false;
  return check === null || check.okTimes.length < failingAfter || check.okTimes[0]! <= totals.lastFailureMs;
}

function problemOfChecks(check: UpstreamCheck | null): HealthProblem | null {
  if (check === null || check.streak === 0 || check.problem === null) return null;
  return { source: 'check', ...check.problem, consecutive_failures: check.streak };
}

function problemOfTraffic({ streak, lastFailureCode: code }: UpstreamTotals): HealthProblem | null {
  if (streak === 0) return null;
  const about = { source: 'traffic', code, consecutive_failures: streak } as const;
  if (code === null) return { ...about, title: 'Requests fail', cause: 'The last request failed.', next: [] };
  return { ...about, ...problemOfCode(code) };
}

/** In one line: how often, why, and of requests what to look at. */
function wordsOf({ source, code, cause, consecutive_failures: streak }: HealthProblem): string {
  if (source === 'check') return `${streak === 1 ? 'the last health check' : `${streak} health checks in a row`} failed: ${cause}`;
  const failure = code === null ? 'failure' : `${code}: ${errorCatalogue[code].hint}`;
  return streak === 1 ? `the last request failed, ${failure}` : `${streak} requests in a row failed, the last one ${failure}`;
}

/** null for 0, which is never. */
export function timeOf(epochMs: number): string | null {
  return epochMs === 0 ? null : new Date(epochMs).toISOString();
}
