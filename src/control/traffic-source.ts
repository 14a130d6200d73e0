import type { UpstreamId } from '../model/ids.ts';
import type { CounterTotals } from '../telemetry/shared-counters.ts';
import type { UpstreamDetail, UpstreamTotals } from '../telemetry/upstream-counters.ts';
import type { UpstreamTraffic } from './upstream-health.ts';

/** What the data plane counts, as main reads it; no worker notices. */
export interface TrafficSource {
  upstreams(): readonly UpstreamTraffic[];
  /** Reads what is counted of one upstream beyond its totals into `detail`; zeros for one that is not known. */
  detail(id: UpstreamId, detail: UpstreamDetail): void;
  /** Its requests in flight are those of clients, without the gateway's own. */
  totals(): CounterTotals;
}

/** Where upstreamCountsOf has which count. */
export const upstreamCounts = { requests: 0, errors: 1, serverErrors: 2, abandoned: 3, answered: 4 } as const;

/** What became of an upstream's requests. An error is the gateway's answer by the upstream's fault, a full queue among them. */
export function upstreamCountsOf({ requests, answered, serverErrors, failures, overloaded, abandoned }: UpstreamTotals): number[] {
  const { connect, timeout, reset, protocol } = failures;
  return [requests, connect + timeout + reset + protocol + overloaded, serverErrors, abandoned, answered];
}

/** Where trafficCountsOf has which count. */
export const trafficCounts = { requests: 0, status4xx: 1, status5xx: 2, noResponse: 3 } as const;

/** What became of all requests but those on the gateway's own paths. */
export function trafficCountsOf({ byStatusClass, ownByStatusClass }: CounterTotals): number[] {
  const of = (statusClass: number): number => byStatusClass[statusClass]! - ownByStatusClass[statusClass]!;
  return [of(0) + of(1) + of(2) + of(3) + of(4) + of(5), of(4), of(5), of(0)];
}
