import type { FinishedRequests } from './finished-requests.ts';
import type { HealthWatch } from './health-watch.ts';
import type { LiveFeed } from './live-feed.ts';
import type { TrafficHistory } from './traffic-history.ts';

/** What a running gateway knows of its traffic. There is none in a process without workers. */
export interface LiveTraffic {
  readonly requests: FinishedRequests;
  readonly health: HealthWatch;
  readonly history: TrafficHistory;
  readonly feed: LiveFeed;
  /** Finished requests that workers could not tell of, since the start. */
  readonly recordsDropped: () => number;
}
