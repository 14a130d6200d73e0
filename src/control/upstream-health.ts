import { errorCatalogue } from '../errors/catalogue.ts';
import type { UpstreamId } from '../model/ids.ts';
import type { HealthState, UpstreamHealth } from '../model/upstream-health.ts';
import type { UpstreamTotals } from '../telemetry/upstream-counters.ts';

/** What the data plane counts of one upstream, read at one moment. */
export interface UpstreamTraffic {
  readonly id: UpstreamId;
  readonly name: string;
  readonly enabled: boolean;
  readonly totals: UpstreamTotals;
  /** Connections. */
  readonly active: number;
  readonly idle: number;
}

/** This many failures in a row make an upstream failing: one may be a restart, and two of a client's retries. */
export const failingAfter = 3;

/** How an upstream does, as its own traffic tells; nothing is sent to find out. */
export function upstreamHealth(traffic: UpstreamTraffic): UpstreamHealth {
  const { totals } = traffic;
  return {
    upstream_id: traffic.id,
    upstream: traffic.name,
    state: healthState(traffic),
    cause: healthCause(traffic),
    last_ok_at: timeOf(totals.lastOkMs),
    last_failure_at: timeOf(totals.lastFailureMs),
    last_failure_code: totals.lastFailureCode,
    consecutive_failures: totals.streak,
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

export function healthState({ enabled, totals }: UpstreamTraffic): HealthState {
  if (!enabled) return 'disabled';
  if (totals.streak >= failingAfter) return 'failing';
  return totals.lastOkMs > 0 ? 'healthy' : 'unknown';
}

export function healthCause(traffic: UpstreamTraffic): string {
  const { totals } = traffic;
  const { streak, lastFailureCode } = totals;
  const failure = lastFailureCode === null ? 'failure' : `${lastFailureCode}: ${errorCatalogue[lastFailureCode].hint}`;
  switch (healthState(traffic)) {
    case 'disabled':
      return 'it is disabled: nothing is sent there';
    case 'failing':
      return `${streak} failures in a row, the last one ${failure}`;
    case 'unknown':
      return streak === 0
        ? 'no request has been answered yet, and none has failed'
        : `no request has been answered yet; ${streak} failed, the last one ${failure}`;
    case 'healthy':
      return streak === 0 ? 'it answered the last request' : `it answers, but ${streak} failed since, the last one ${failure}`;
  }
}

/** null for 0, which is never. */
export function timeOf(epochMs: number): string | null {
  return epochMs === 0 ? null : new Date(epochMs).toISOString();
}
