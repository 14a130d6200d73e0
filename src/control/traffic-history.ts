import type { UpstreamId } from '../model/ids.ts';
import type { Traffic, TrafficWindow, UpstreamTrafficSeries } from '../model/traffic.ts';
import { latencyBuckets } from '../telemetry/latency-histogram.ts';
import type { CounterTotals } from '../telemetry/shared-counters.ts';
import { newUpstreamDetail, type UpstreamDetail } from '../telemetry/upstream-counters.ts';
import { TrafficSeries, trafficTiers } from './traffic-series.ts';
import { trafficCountsOf, type TrafficSource, upstreamCountsOf } from './traffic-source.ts';
import { marks, rowIn, totalsIn, upstreamAt, upstreamIn, type View } from './traffic-view.ts';
import { healthState, lastOkOf, timeOf, type UpstreamTraffic, verdictOf } from './upstream-health.ts';

export interface TrafficHistoryOptions {
  readonly source: TrafficSource;
  readonly clock?: () => number;
}

/** What was counted of an upstream when it was looked at last, and its cells where there are any. */
interface Followed {
  before: readonly number[];
  /** null before its first request. */
  detail: UpstreamDetail | null;
  series: TrafficSeries | null;
  /** The last cell with a request or a health check. */
  used: number;
}

/**
 * What happened lately, in all and for each upstream: looked at every ten seconds by the clock, kept for six hours, in memory. An
 * upstream has memory (some 8 KB) only while it had traffic in these hours or is checked. A clock that is set back begins everything anew.
 */
export class TrafficHistory {
  readonly #source: TrafficSource;
  readonly #clock: () => number;
  #since: number;
  #timer: NodeJS.Timeout | undefined;
  /** The last cell of ten seconds that was taken in. */
  #last: number;
  #all: TrafficSeries;
  #allBefore: AllCounts;
  #upstreams = new Map<UpstreamId, Followed>();
  readonly #read = newUpstreamDetail();
  readonly #sum = new Uint32Array(latencyBuckets);

  constructor({ source, clock = Date.now }: TrafficHistoryOptions) {
    this.#source = source;
    this.#clock = clock;
    this.#since = clock();
    this.#last = Math.floor(this.#since / cellMs) - 1;
    this.#all = newTotals();
    this.#allBefore = allCountsOf(source.totals());
  }

  /** From now on looks by itself. */
  start(): void {
    const wait = (): void => {
      this.#timer = setTimeout(
        () => {
          this.look();
          wait();
        },
        cellMs - (this.#clock() % cellMs) + 1,
      ).unref();
    };
    wait();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Takes in the cell that has ended; does nothing when none has since the last time. */
  look(): void {
    const now = this.#clock();
    const cell = Math.floor(now / cellMs) - 1;
    if (cell < this.#last) this.#beginAnew(now, cell);
    if (cell <= this.#last) return;
    this.#sum.fill(0);
    let answered = false;
    const upstreams = new Map<UpstreamId, Followed>();
    for (const traffic of this.#source.upstreams()) {
      const followed = this.#upstreams.get(traffic.id) ?? { before: noCounts, detail: null, series: null, used: -1 };
      upstreams.set(traffic.id, followed);
      answered = this.#follow(followed, traffic, cell) || answered;
    }
    this.#upstreams = upstreams;
    this.#followAll(cell, answered);
    this.#last = cell;
  }

  /** All traffic, told in 30 cells. */
  traffic(window: TrafficWindow): Traffic {
    const view = this.#viewOf(window);
    const merged = { ...view, cells: 30, merge: view.cells / 30 };
    return {
      ...this.#frame(window, merged),
      totals: totalsIn(this.#all, merged),
      upstreams: this.#source.upstreams().map((traffic) => {
        const { totals } = traffic;
        const series = this.#upstreams.get(traffic.id)?.series ?? null;
        return {
          upstream_id: traffic.id,
          upstream: traffic.name,
          ...verdictOf(traffic),
          last_ok_at: timeOf(lastOkOf(traffic)),
          last_used_at: timeOf(totals.lastUsedMs),
          active: traffic.active,
          idle: traffic.idle,
          ...(series === null ? { requests: [], errors: [], server_errors: [], p95_ms: [], health: '' } : rowIn(series, merged)),
        };
      }),
    };
  }

  /** Those of one upstream, in the cells that there are. */
  upstream(traffic: UpstreamTraffic, window: TrafficWindow): UpstreamTrafficSeries {
    const view = { ...this.#viewOf(window), merge: 1 };
    const series = this.#upstreams.get(traffic.id)?.series ?? newUpstream();
    return {
      ...this.#frame(window, view),
      upstream_id: traffic.id,
      upstream: traffic.name,
      ...upstreamIn(series, view),
    };
  }

  /** Whether there were answers. */
  #follow(followed: Followed, traffic: UpstreamTraffic, cell: number): boolean {
    const { totals } = traffic;
    const counts = upstreamCountsOf(totals);
    const grown = counts.map((count, index) => count - followed.before[index]!);
    const answered = totals.answered - followed.before[upstreamAt.answered]! > 0;
    const isUsed = grown[upstreamAt.requests]! > 0;
    followed.before = counts;
    const state = healthState(traffic);
    if (isUsed || traffic.check !== null) followed.used = cell;
    if (followed.series === null) {
      if (followed.used !== cell) return false;
      followed.series = newUpstream();
    } else if (cell - followed.used > keptCells) {
      followed.series = null;
      return false;
    }
    let step: UpstreamDetail | null = null;
    if (isUsed) {
      step = this.#read;
      this.#source.detail(traffic.id, step);
      const before = (followed.detail ??= newUpstreamDetail());
      subtract(step.latencies, before.latencies);
      subtract(step.errors, before.errors);
      if (answered) for (let bucket = 0; bucket < latencyBuckets; bucket++) this.#sum[bucket]! += step.latencies[bucket]!;
    }
    followed.series.add(cell, this.#last, {
      counts: grown,
      gauges: [traffic.active, traffic.idle],
      latencies: answered ? step!.latencies : null,
      errors: grown[upstreamAt.errors]! + grown[upstreamAt.abandoned]! > 0 ? step!.errors : null,
      mark: marks.indexOf(state),
    });
    return answered;
  }

  #followAll(cell: number, answered: boolean): void {
    const totals = this.#source.totals();
    const now = allCountsOf(totals);
    const { counts, errors } = this.#allBefore;
    this.#all.add(cell, this.#last, {
      counts: now.counts.map((count, index) => count - counts[index]!),
      gauges: [totals.requestsInFlight, totals.clientConnections],
      latencies: answered ? this.#sum : null,
      errors: Uint32Array.from(now.errors, (count, index) => count - errors[index]!),
      mark: 0,
    });
    this.#allBefore = now;
  }

  #beginAnew(now: number, cell: number): void {
    this.#since = now;
    this.#last = cell;
    this.#all = newTotals();
    for (const followed of this.#upstreams.values()) {
      followed.series = null;
      followed.used = -1;
    }
  }

  #viewOf(window: TrafficWindow): Omit<View, 'merge'> {
    const { tier, cells } = views[window];
    const width = trafficTiers[tier].cellMs;
    return { tier, cells, first: Math.floor((this.#last * cellMs) / width) - cells + 1 };
  }

  #frame(window: TrafficWindow, view: View) {
    const width = trafficTiers[view.tier]!.cellMs * view.merge;
    const from = view.first * trafficTiers[view.tier]!.cellMs;
    return {
      window,
      at: new Date(this.#clock()).toISOString(),
      from: new Date(from).toISOString(),
      cells: view.cells,
      cell_ms: width,
      last_cell_ms: (this.#last + 1) * cellMs - (from + (view.cells - 1) * width),
      since: new Date(this.#since).toISOString(),
    };
  }
}

const { cellMs } = trafficTiers[0];
const keptCells = (trafficTiers[2].cellMs * trafficTiers[2].cells) / cellMs;

const views = {
  '5m': { tier: 0, cells: 30 },
  '15m': { tier: 0, cells: 90 },
  '1h': { tier: 1, cells: 60 },
  '6h': { tier: 2, cells: 60 },
} as const satisfies Record<TrafficWindow, object>;

const noCounts = [0, 0, 0, 0, 0];

function newUpstream(): TrafficSeries {
  return new TrafficSeries(noCounts.length, 2);
}

function newTotals(): TrafficSeries {
  return new TrafficSeries(4, 2);
}

interface AllCounts {
  readonly counts: readonly number[];
  readonly errors: readonly number[];
}

function allCountsOf(totals: CounterTotals): AllCounts {
  return { counts: trafficCountsOf(totals), errors: [...totals.byErrorCode.values()] };
}

/** Leaves in `now` what came since `before`, and makes `before` what now is. The numbers begin anew after 2^32. */
function subtract(now: Uint32Array, before: Uint32Array): void {
  for (let index = 0; index < now.length; index++) {
    const count = now[index]!;
    now[index] = count - before[index]!;
    before[index] = count;
  }
}
