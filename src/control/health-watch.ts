import { randomBytes } from 'node:crypto';
import type { UpstreamId } from '../model/ids.ts';
import type { HealthEvent, HealthState } from '../model/upstream-health.ts';
import type { ControlLogger } from './control-context.ts';
import { healthState, type UpstreamTraffic, verdictOf } from './upstream-health.ts';

export interface HealthWatchOptions {
  /** Reads what the data plane counts; no worker notices. */
  readonly read: () => readonly UpstreamTraffic[];
  readonly logger: ControlLogger;
  readonly onEvent?: (event: HealthEvent) => void;
  readonly clock?: () => number;
  readonly intervalMs?: number;
  readonly maxEvents?: number;
}

/**
 * Looks at the health of all upstreams once a second, logs and keeps what has changed: the last 500 events, in memory. An upstream
 * that fails and recovers within one second makes none.
 */
export class HealthWatch {
  /** Tells the numbers of this start from those of another. */
  readonly instance = randomBytes(4).toString('hex');
  readonly #options: HealthWatchOptions;
  readonly #maxEvents: number;
  readonly #timer: NodeJS.Timeout;
  #states = new Map<UpstreamId, HealthState>();
  #events: HealthEvent[] = [];
  #made = 0;

  constructor(options: HealthWatchOptions) {
    this.#options = options;
    this.#maxEvents = options.maxEvents ?? 500;
    this.#timer = setInterval(() => this.look(), options.intervalMs ?? 1_000).unref();
  }

  /** What each upstream's traffic comes to, now. */
  traffic(): readonly UpstreamTraffic[] {
    return this.#options.read();
  }

  /** Newest first; of all upstreams or of one. */
  events(upstreamId?: UpstreamId): readonly HealthEvent[] {
    const wanted = upstreamId === undefined ? this.#events : this.#events.filter((event) => event.upstream_id === upstreamId);
    return wanted.toReversed();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  look(): void {
    const states = new Map<UpstreamId, HealthState>();
    for (const traffic of this.#options.read()) {
      const state = healthState(traffic);
      states.set(traffic.id, state);
      const before = this.#states.get(traffic.id);
      // A new one has not changed; it begins as what it can be without traffic.
      const from = before ?? (traffic.enabled ? 'unknown' : 'disabled');
      if (from !== state) this.#record(traffic, from, state);
    }
    this.#states = states;
  }

  #record(traffic: UpstreamTraffic, from: HealthState, to: HealthState): void {
    const { logger, onEvent, clock = Date.now } = this.#options;
    const { cause, source, problem } = verdictOf(traffic);
    const event: HealthEvent = {
      kind: 'health',
      id: ++this.#made,
      time: new Date(clock()).toISOString(),
      upstream_id: traffic.id,
      upstream: traffic.name,
      from,
      to,
      source,
      cause,
      problem,
    };
    this.#events.push(event);
    onEvent?.(event);
    if (this.#events.length > this.#maxEvents) this.#events.shift();
    const fields = { upstream: traffic.name, upstream_id: traffic.id, source, reason: cause };
    if (to === 'failing') logger.warn(fields, 'an upstream is failing');
    else if (from === 'failing' && to === 'healthy') logger.info(fields, 'an upstream answers again');
  }
}
