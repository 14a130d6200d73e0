import { readdir, readFile } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { TrafficSource } from '../control/traffic-source.ts';
import { healthState } from '../control/upstream-health.ts';
import type { SharedCounters } from '../telemetry/shared-counters.ts';
import { readSharedCounters } from '../telemetry/shared-counters.ts';
import { metricsText, type ProcessMetrics } from '../telemetry/metrics-text.ts';
import { version } from './version.ts';
import type { WorkerPool } from './worker-pool.ts';

/** Gathers what `/metrics` shows. What workers count is read from shared memory: no worker is asked. */
export function gatewayMetrics(source: TrafficSource, pool: WorkerPool, counters: SharedCounters): () => Promise<string> {
  const startedAtMs = Date.now();
  const delay = monitorEventLoopDelay({ resolution: delayResolutionMs });
  delay.enable();
  return async () => {
    const files = await fileCounts();
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - delayResolutionMs / 1e3);
    const eventLoopLag =
      delay.count === 0
        ? { p50: 0, p99: 0, max: 0 }
        : { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) };
    delay.reset();
    const of: ProcessMetrics = { cpuSeconds: (user + system) / 1e6, residentBytes: rss, heapUsedBytes: heapUsed, eventLoopLag, ...files };
    return metricsText({
      counters: readSharedCounters(counters),
      version,
      nodeVersion: process.version,
      workers: counters.workers,
      revision: pool.revision,
      startedAtMs,
      upstreams: source.upstreams().map((each) => {
        const state = healthState(each);
        return { ...each, healthy: state === 'healthy' ? true : state === 'failing' ? false : null };
      }),
      process: of,
    });
  };
}

/** The histogram holds the whole time between two looks, so this is taken off again. */
const delayResolutionMs = 20;

// Linux only; elsewhere there is no cheap way to know.
async function fileCounts(): Promise<Pick<ProcessMetrics, 'openFiles' | 'maxFiles'>> {
  try {
    const [open, limits] = await Promise.all([readdir('/proc/self/fd'), readFile('/proc/self/limits', 'utf8')]);
    const most = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    // Reading the directory takes a descriptor of its own.
    return { openFiles: open.length - 1, maxFiles: most === undefined ? null : Number(most) };
  } catch {
    return { openFiles: null, maxFiles: null };
  }
}
