import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';
import type { Traffic } from '../model/traffic.ts';
import type { HealthState } from '../model/upstream-health.ts';
import { upstreamErrorCodes } from '../telemetry/upstream-counters.ts';
import type { TrafficSeries } from './traffic-series.ts';
import { trafficCounts, upstreamCounts } from './traffic-source.ts';

/** What is told: cells from `first` on, each of `merge` of those that are kept. */
export interface View {
  readonly tier: number;
  readonly first: number;
  readonly cells: number;
  readonly merge: number;
}

// Gauges stand behind the counts.
export const upstreamAt = { ...upstreamCounts, active: 5, idle: 6 } as const;
const allAt = { ...trafficCounts, inFlight: 4, connections: 5 } as const;
const allErrorCodes = Object.keys(errorCatalogue) as ErrorCode[];

/** From the least to the one that is kept of several. */
export const marks: readonly (HealthState | '-')[] = ['-', 'disabled', 'unknown', 'healthy', 'failing'];

/** What all requests came to. */
export function totalsIn(series: TrafficSeries, view: View): Traffic['totals'] {
  return {
    requests: sums(series, view, allAt.requests),
    status_4xx: sums(series, view, allAt.status4xx),
    status_5xx: sums(series, view, allAt.status5xx),
    no_response: sums(series, view, allAt.noResponse),
    errors: errorsIn(series, view, allErrorCodes),
    p50_ms: latencies(series, view, 0),
    p95_ms: latencies(series, view, 1),
    p99_ms: latencies(series, view, 2),
    in_flight: lasts(series, view, allAt.inFlight),
    connections: lasts(series, view, allAt.connections),
  };
}

/** What an upstream's row among others shows. */
export function rowIn(series: TrafficSeries, view: View) {
  return {
    requests: sums(series, view, upstreamAt.requests),
    errors: sums(series, view, upstreamAt.errors),
    server_errors: sums(series, view, upstreamAt.serverErrors),
    p95_ms: latencies(series, view, 1),
    health: inCells(view, (cell) => series.mark(view.tier, cell), Math.max)
      .map((mark) => marks[mark]![0])
      .join(''),
  };
}

/** What there is to know of one upstream. */
export function upstreamIn(series: TrafficSeries, view: View) {
  return {
    ...rowIn(series, view),
    abandoned: sums(series, view, upstreamAt.abandoned),
    errors_by_code: errorsIn(series, view, upstreamErrorCodes),
    p50_ms: latencies(series, view, 0),
    p99_ms: latencies(series, view, 2),
    active: lasts(series, view, upstreamAt.active),
    idle: lasts(series, view, upstreamAt.idle),
  };
}

function sums(series: TrafficSeries, view: View, index: number): number[] {
  return inCells(
    view,
    (cell) => series.number(view.tier, cell, index),
    (a, b) => a + b,
  );
}

function lasts(series: TrafficSeries, view: View, index: number): number[] {
  return inCells(
    view,
    (cell) => series.number(view.tier, cell, index),
    (_, last) => last,
  );
}

function latencies(series: TrafficSeries, view: View, percentile: number): (number | null)[] {
  return inCells(
    view,
    (cell) => series.latency(view.tier, cell, percentile),
    (a, b) => (a === null || (b !== null && b > a) ? b : a),
  );
}

function errorsIn(series: TrafficSeries, view: View, codes: readonly ErrorCode[]): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const code of series.errorCodes()) {
    const counts = inCells(
      view,
      (cell) => series.errors(view.tier, cell, code),
      (a, b) => a + b,
    );
    if (counts.some((count) => count > 0)) found[codes[code]!] = counts;
  }
  return found;
}

function inCells<T>({ first, cells, merge }: View, valueOf: (cell: number) => T, mergeTwo: (a: T, b: T) => T): T[] {
  const values: T[] = [];
  for (let at = 0; at < cells; at++) {
    const begin = first + at * merge;
    let value = valueOf(begin);
    for (let more = 1; more < merge; more++) value = mergeTwo(value, valueOf(begin + more));
    values.push(value);
  }
  return values;
}
