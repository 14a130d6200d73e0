import type { SharedCounters } from '../telemetry/shared-counters.ts';
import { readSharedCounters } from '../telemetry/shared-counters.ts';
import { metricsText } from '../telemetry/metrics-text.ts';
import { version } from './version.ts';
import type { WorkerPool } from './worker-pool.ts';

/** Gathers what `/metrics` shows. Everything is read from shared memory: no worker is asked. */
export function gatewayMetrics(pool: WorkerPool, counters: SharedCounters): () => string {
  const startedAtMs = Date.now();
  return () => {
    const { user, system } = process.cpuUsage();
    return metricsText({
      counters: readSharedCounters(counters),
      version,
      nodeVersion: process.version,
      workers: counters.workers,
      revision: pool.revision,
      startedAtMs,
      upstreams: pool.upstreamGauges(),
      process: { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss() },
    });
  };
}
