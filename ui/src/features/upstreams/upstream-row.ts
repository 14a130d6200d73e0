import type { Route, Traffic, Upstream } from '../../api/admin-schema.ts';
import type { Live } from '../../api/use-live.ts';

type TrafficRow = Traffic['upstreams'][number];
export type HealthState = TrafficRow['state'];

/** An upstream with what is known of it just now. */
export interface UpstreamRow {
  readonly upstream: Upstream;
  readonly state: HealthState;
  readonly cause: string;
  /** What failed last; null where nothing did, and of a disabled one. */
  readonly problem: TrafficRow['problem'];
  readonly lastOkAt: string | null;
  readonly lastUsedAt: string | null;
  /** One letter for each of the last cells, oldest first. */
  readonly heartbeat: string;
  readonly requests: readonly number[];
  readonly p95: readonly (number | null)[];
  /** Requests a second; null while nothing is known. */
  readonly rate: number | null;
  readonly latestP95: number | null;
  /** 0 to 1 of the requests of the window; null without requests. */
  readonly errorShare: number | null;
  readonly active: number;
  readonly idle: number;
  readonly routes: readonly Route[];
}

export interface RowSources {
  readonly upstreams: readonly Upstream[];
  readonly traffic: Traffic | undefined;
  readonly live: Live;
  readonly routes: ReadonlyMap<string, readonly Route[]> | undefined;
}

const none: readonly never[] = [];

/** Puts together what the API tells in several answers. */
export function upstreamRows({ upstreams, traffic, live, routes }: RowSources): UpstreamRow[] {
  const told = new Map<string, TrafficRow>(traffic?.upstreams.map((row) => [row.upstream_id, row]));
  const now = new Map<string, number>(live.traffic?.upstreams.map((row) => [row.upstream_id, row.requests]));
  const toldAt = traffic === undefined ? 0 : Date.parse(traffic.at);
  return upstreams.map((upstream) => {
    const row = told.get(upstream.id);
    const figures = live.upstreams.get(upstream.id);
    // Whichever was told later.
    const gauges = figures !== undefined && figures.at >= toldAt ? figures : undefined;
    return {
      upstream,
      state: upstream.enabled ? stateOf(row) : 'disabled',
      cause: upstream.enabled ? causeOf(row) : 'it is disabled: nothing is sent there',
      problem: upstream.enabled ? (row?.problem ?? null) : null,
      lastOkAt: row?.last_ok_at ?? null,
      lastUsedAt: gauges?.lastUsedAt ?? row?.last_used_at ?? null,
      heartbeat: row?.health ?? '',
      requests: row?.requests ?? none,
      p95: row?.p95_ms ?? none,
      rate:
        live.traffic === undefined ? rateOf(row, traffic) : ((now.get(upstream.id) ?? 0) * 1_000) / Math.max(live.traffic.interval_ms, 1),
      latestP95: row?.p95_ms.findLast((ms) => ms !== null) ?? null,
      errorShare: errorShareOf(row),
      active: gauges?.active ?? row?.active ?? 0,
      idle: gauges?.idle ?? row?.idle ?? 0,
      routes: routes?.get(upstream.id) ?? none,
    };
  });
}

/** Failing ones first, then those that nothing is known of, then the rest; by name among themselves. */
const order: Readonly<Record<HealthState, number>> = { failing: 0, unknown: 1, healthy: 1, disabled: 1 };

export function byUrgency(left: UpstreamRow, right: UpstreamRow): number {
  return order[left.state] - order[right.state] || left.upstream.name.localeCompare(right.upstream.name);
}

/** Whether a search finds it: by name, address, description or id. */
export function isFound({ upstream }: UpstreamRow, words: string): boolean {
  const wanted = words.toLowerCase();
  return [upstream.name, upstream.base_url, upstream.description, upstream.id].some((text) => text.toLowerCase().includes(wanted));
}

function stateOf(row: TrafficRow | undefined): HealthState {
  // The gateway may not have heard yet that it was enabled.
  return row === undefined || row.state === 'disabled' ? 'unknown' : row.state;
}

function causeOf(row: TrafficRow | undefined): string {
  const isUntold = row === undefined || row.state === 'disabled' || (row.state === 'unknown' && row.last_used_at === null);
  return isUntold ? 'no request yet' : row.cause;
}

/** Of the last cell that is over, without the stream. */
function rateOf(row: TrafficRow | undefined, traffic: Traffic | undefined): number | null {
  if (traffic === undefined || row === undefined) return null;
  return ((row.requests.at(-2) ?? 0) * 1_000) / traffic.cell_ms;
}

function errorShareOf(row: TrafficRow | undefined): number | null {
  const requests = sum(row?.requests);
  if (row === undefined || requests === 0) return null;
  return (sum(row.errors) + sum(row.server_errors)) / requests;
}

function sum(counts: readonly number[] = none): number {
  return counts.reduce((total, count) => total + count, 0);
}
