import { GatewayError } from '../errors/gateway-error.ts';
import type { UpstreamId } from '../model/ids.ts';
import type { LiveTrafficEvent } from '../model/traffic.ts';
import type { HealthEvent } from '../model/upstream-health.ts';
import type { CounterTotals } from '../telemetry/shared-counters.ts';
import { trafficCounts, trafficCountsOf, type TrafficSource, upstreamCounts, upstreamCountsOf } from './traffic-source.ts';
import { timeOf, type UpstreamTraffic } from './upstream-health.ts';

/** Hears of what goes on. Called with what each event is sent as; must not take long. */
export interface FeedListener {
  onEvent(name: 'revision' | 'health' | 'traffic', data: string): void;
  /** No more will come: the gateway stops. */
  onEnd(): void;
}

export interface LiveFeedOptions {
  readonly source: TrafficSource;
  readonly clock?: () => number;
  readonly intervalMs?: number;
  readonly maxListeners?: number;
}

/** What was counted, at one moment. */
interface Reading {
  readonly atMs: number;
  readonly totals: CounterTotals;
  readonly upstreams: ReadonlyMap<UpstreamId, UpstreamTraffic>;
}

/**
 * Tells whoever listens of each new revision of the gateway config, each change of an upstream's health and, every two seconds,
 * of the traffic since the last time. Nothing is read or made while nobody listens.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #listeners = new Set<FeedListener>();
  #timer: NodeJS.Timeout | undefined;
  /** What was told of last; undefined while nobody listens. */
  #last: Reading | undefined;
  #revision = 0;
  #ended = false;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  /**
   * From now on the listener hears of all; first of the revision that is served. Answers with how to stop that.
   * @throws GatewayError `too_many_listeners`, `draining`
   */
  listen(listener: FeedListener): () => void {
    if (this.#ended) throw new GatewayError('draining');
    if (this.#listeners.size >= (this.#options.maxListeners ?? 20)) {
      throw new GatewayError('too_many_listeners', { detail: 'Too many clients follow what goes on.' });
    }
    if (this.#last === undefined) {
      this.#last = this.#read();
      this.#timer = setInterval(() => this.look(), this.#options.intervalMs ?? 2_000).unref();
    }
    this.#listeners.add(listener);
    listener.onEvent('revision', JSON.stringify({ revision: this.#revision }));
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  /** Every worker serves this revision. */
  served(revision: number): void {
    if (revision === this.#revision) return;
    this.#revision = revision;
    this.#tell('revision', { revision });
  }

  healthChanged(event: HealthEvent): void {
    this.#tell('health', event);
  }

  /** Tells what has happened since the last time. */
  look(): void {
    const before = this.#last;
    if (before === undefined) return;
    const now = (this.#last = this.#read());
    const counts = grownBy(trafficCountsOf(now.totals), trafficCountsOf(before.totals));
    const event: LiveTrafficEvent = {
      at: new Date((this.#options.clock ?? Date.now)()).toISOString(),
      interval_ms: Math.round(now.atMs - before.atMs),
      totals: {
        requests: counts[trafficCounts.requests]!,
        status_4xx: counts[trafficCounts.status4xx]!,
        status_5xx: counts[trafficCounts.status5xx]!,
        no_response: counts[trafficCounts.noResponse]!,
        in_flight: now.totals.requestsInFlight,
        connections: now.totals.clientConnections,
      },
      upstreams: [...now.upstreams.values()].flatMap((traffic) => rowOf(traffic, before.upstreams.get(traffic.id)) ?? []),
    };
    this.#tell('traffic', event);
  }

  /** The gateway stops: listeners end. */
  end(): void {
    this.#ended = true;
    this.#rest();
    for (const listener of this.#listeners) listener.onEnd();
    this.#listeners.clear();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#last = undefined;
  }

  #read(): Reading {
    const { source } = this.#options;
    const upstreams = new Map(source.upstreams().map((traffic) => [traffic.id, traffic]));
    return { atMs: performance.now(), totals: source.totals(), upstreams };
  }

  #tell(name: 'revision' | 'health' | 'traffic', event: object): void {
    if (this.#listeners.size === 0) return;
    const data = JSON.stringify(event);
    for (const listener of this.#listeners) listener.onEvent(name, data);
  }
}

/** undefined where nothing has changed. */
function rowOf(now: UpstreamTraffic, before: UpstreamTraffic | undefined): LiveTrafficEvent['upstreams'][number] | undefined {
  const counts = upstreamCountsOf(now.totals);
  const grown = before === undefined ? counts : grownBy(counts, upstreamCountsOf(before.totals));
  if (grown[upstreamCounts.requests] === 0 && now.active === (before?.active ?? 0) && now.idle === (before?.idle ?? 0)) return undefined;
  return {
    upstream_id: now.id,
    requests: grown[upstreamCounts.requests]!,
    errors: grown[upstreamCounts.errors]!,
    server_errors: grown[upstreamCounts.serverErrors]!,
    active: now.active,
    idle: now.idle,
    last_used_at: timeOf(now.totals.lastUsedMs),
  };
}

function grownBy(now: readonly number[], before: readonly number[]): number[] {
  return now.map((count, index) => count - before[index]!);
}
