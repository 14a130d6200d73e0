import type { Latency } from './open-load.ts';

/** What was seen of one gateway under a closed load, over a few seconds. */
export interface Window {
  /** CPU time of all the gateway's processes for each request, user and system, in microseconds. */
  readonly cpuMicros: number;
  /** Requests each second. */
  readonly rate: number;
  readonly residentKiB: number;
  /** CPU time of the gateway and of others on the machine, as shares of one core. */
  readonly gatewayShare: number;
  readonly othersShare: number;
  /** Whether the others left the machine alone; else the window counts only where there is no better one. */
  readonly quiet: boolean;
}

/** What an open load saw of it. */
export interface LatencyWindow extends Latency {
  readonly othersShare: number;
  readonly quiet: boolean;
}

export interface GatewayResult {
  readonly gateway: string;
  readonly windows: readonly Window[];
  readonly latencies: readonly LatencyWindow[];
  /** Requests each second that were offered when latency was measured. */
  readonly offeredRate: number;
}

/** Figures of a gateway in a case that is not a load. */
export interface FigureResult {
  readonly gateway: string;
  readonly figures: readonly number[];
}

export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly loads: readonly GatewayResult[];
  readonly figures: readonly FigureResult[];
  /** What the figures are. */
  readonly unit: string;
}

/** One gateway's medians in one case. */
export interface Summary {
  readonly gateway: string;
  readonly cpuMicros: number;
  readonly rate: number;
  readonly residentMiB: number;
  readonly gatewayShare: number;
  readonly p50: number;
  readonly p99: number;
  /** Whether it kept up with the rate at which latency was measured. */
  readonly keptUp: boolean;
  readonly quietWindows: number;
  readonly windows: number;
}

/** Medians over the quiet windows, or over all where none was. */
export function summarise({ gateway, windows, latencies, offeredRate }: GatewayResult): Summary {
  const used = quietOnes(windows);
  const calm = quietOnes(latencies);
  return {
    gateway,
    cpuMicros: median(used.map((window) => window.cpuMicros)),
    rate: median(used.map((window) => window.rate)),
    residentMiB: median(used.map((window) => window.residentKiB)) / 1_024,
    gatewayShare: median(used.map((window) => window.gatewayShare)),
    p50: median(calm.map(({ p50 }) => p50)),
    p99: median(calm.map((latency) => latency.p99)),
    keptUp: median(calm.map((latency) => latency.rate)) >= offeredRate * 0.95,
    quietWindows: windows.filter((window) => window.quiet).length,
    windows: windows.length,
  };
}

function quietOnes<T extends { readonly quiet: boolean }>(windows: readonly T[]): readonly T[] {
  const quiet = windows.filter((window) => window.quiet);
  return quiet.length > 0 ? quiet : windows;
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
