import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';

/** Memory in which workers count; handed to each worker in its workerData. */
export interface SharedCounters {
  readonly workers: number;
  readonly buffer: SharedArrayBuffer;
}

/** Sums over all workers, since the process started. */
export interface CounterTotals {
  readonly requests: number;
  /** Finished requests by status class: index 1 to 5; index 0 those that ended without a response. */
  readonly byStatusClass: readonly number[];
  /** Finished requests by status; index 0 is status 100. */
  readonly byStatus: readonly number[];
  /** Those of them on the gateway's own paths: management and probes. Classes as above. */
  readonly ownByStatusClass: readonly number[];
  /** Gateway-made errors, all codes of the catalogue, zero included. */
  readonly byErrorCode: ReadonlyMap<ErrorCode, number>;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly upstreamConnects: number;
  readonly retries: number;
  /** WebSocket tunnels: what came from clients (received) and from upstreams (sent), while they stand. */
  readonly framesReceived: number;
  readonly framesSent: number;
  readonly tunnelBytesReceived: number;
  readonly tunnelBytesSent: number;
  /** Responses that are streams: content sent, and server-sent events among it. */
  readonly streamBytesSent: number;
  readonly eventsSent: number;
  readonly logLinesDropped: number;
  /** Finished requests that main did not hear of, because it did not keep up. */
  readonly recordsDropped: number;
  /** Gauges: now. */
  readonly requestsInFlight: number;
  readonly clientConnections: number;
  readonly tunnelsOpen: number;
  readonly streamsOpen: number;
  /** Finished requests in each bucket of `durationBucketsMs`, the last one being those above all bounds. */
  readonly durationBuckets: readonly number[];
  readonly durationSumMs: number;
}

/** Upper bounds of the duration histogram in milliseconds: five to the decade, 0.1 ms to 100 s. */
export const durationBucketsMs: readonly number[] = [-1, 0, 1, 2, 3, 4]
  .flatMap((exponent) => [1, 1.6, 2.5, 4, 6.3].map((step) => Number((step * 10 ** exponent).toPrecision(2))))
  .concat(100_000);

/** Makes the memory, in the main thread. */
export function createSharedCounters(options: { readonly workers: number }): SharedCounters {
  // One column more than workers: main's own.
  return { workers: options.workers, buffer: new SharedArrayBuffer((options.workers + 1) * columnBytes) };
}

/**
 * Opens the column of one worker, inside that worker; `shared.workers` opens main's own. A worker that replaces a dead one goes
 * on in its column.
 */
export function openSharedCounters(shared: SharedCounters, workerIndex: number): WorkerCounters {
  return new WorkerCounters(columnOf(shared, workerIndex));
}

/** Sums up all workers, in the main thread. Reads memory only: no worker notices. */
export function readSharedCounters(shared: SharedCounters): CounterTotals {
  const sum = new Float64Array(columnLength);
  for (let worker = 0; worker <= shared.workers; worker++) {
    const column = columnOf(shared, worker);
    for (let i = 0; i < columnLength; i++) sum[i]! += column[i]!;
  }
  return {
    requests: sum[at.requests]!,
    byStatusClass: [...sum.subarray(at.statusClasses, at.statusClasses + 6)],
    ownByStatusClass: [...sum.subarray(at.ownStatusClasses, at.ownStatusClasses + 6)],
    byStatus: [...sum.subarray(at.statuses, at.statuses + statusCount)],
    byErrorCode: new Map(errorCodes.map((code, i) => [code, sum[at.errorCodes + i]!])),
    bytesIn: sum[at.bytesIn]!,
    bytesOut: sum[at.bytesOut]!,
    upstreamConnects: sum[at.upstreamConnects]!,
    retries: sum[at.retries]!,
    framesReceived: sum[at.framesReceived]!,
    framesSent: sum[at.framesSent]!,
    tunnelBytesReceived: sum[at.tunnelBytesReceived]!,
    tunnelBytesSent: sum[at.tunnelBytesSent]!,
    streamBytesSent: sum[at.streamBytesSent]!,
    eventsSent: sum[at.eventsSent]!,
    logLinesDropped: sum[at.logLinesDropped]!,
    recordsDropped: sum[at.recordsDropped]!,
    requestsInFlight: sum[at.requestsInFlight]!,
    clientConnections: sum[at.clientConnections]!,
    tunnelsOpen: sum[at.tunnelsOpen]!,
    streamsOpen: sum[at.streamsOpen]!,
    durationBuckets: [...sum.subarray(at.durationBuckets, at.durationBuckets + durationBucketsMs.length + 1)],
    durationSumMs: sum[at.durationSum]!,
  };
}

/** Takes a dead worker's open requests and connections back; its totals stay. Only once the worker has ended. */
export function zeroGauges(shared: SharedCounters, workerIndex: number): void {
  const column = columnOf(shared, workerIndex);
  column[at.requestsInFlight] = 0;
  column[at.clientConnections] = 0;
  column[at.tunnelsOpen] = 0;
  column[at.streamsOpen] = 0;
  column[at.logBytesTaken] = column[at.logBytesSent]!;
}

/** A number that changes as long as the worker's event loop turns. */
export function heartbeatOf(shared: SharedCounters, workerIndex: number): number {
  return columnOf(shared, workerIndex)[at.heartbeat]!;
}

/** Main has taken these log bytes of a worker off its hands, written or dropped: see WorkerCounters.logBacklog. */
export function tookLogBytes(shared: SharedCounters, workerIndex: number, bytes: number): void {
  columnOf(shared, workerIndex)[at.logBytesTaken]! += bytes;
}

/**
 * One worker's column. Only that worker writes it, so plain additions to doubles do (2 ns where an atomic add is 9);
 * main may read a value a moment old, never half of one: aligned 64-bit stores do not tear on the platforms Node runs on.
 */
export class WorkerCounters {
  readonly #column: Float64Array;

  constructor(column: Float64Array) {
    this.#column = column;
  }

  requestStarted(): void {
    this.#column[at.requests]! += 1;
    this.#column[at.requestsInFlight]! += 1;
  }

  /**
   * Exactly once for each requestStarted. `status` 0: ended without a response. `code`: the gateway's own error, if any.
   * Bytes are those of bodies, from and to the client.
   */
  requestFinished(status: number, code: ErrorCode | null, durationMs: number, bytesIn: number, bytesOut: number): void {
    const column = this.#column;
    const isStatus = status >= 100 && status < 600;
    const statusClass = isStatus ? (status / 100) | 0 : 0;
    if (isStatus) column[at.statuses + status - 100]! += 1;
    column[at.requestsInFlight]! -= 1;
    column[at.statusClasses + statusClass]! += 1;
    column[at.bytesIn]! += bytesIn;
    column[at.bytesOut]! += bytesOut;
    column[at.durationBuckets + bucketOf(durationMs)]! += 1;
    column[at.durationSum]! += durationMs;
    if (code !== null) column[at.errorCodes + errorCodeIndex.get(code)!]! += 1;
  }

  /** Besides requestFinished, for a request that the gateway answered on a path of its own. */
  ownRequestFinished(status: number): void {
    this.#column[at.ownStatusClasses + (status >= 100 && status < 600 ? (status / 100) | 0 : 0)]! += 1;
  }

  /** The event loop turns: see heartbeatOf. */
  beat(): void {
    this.#column[at.heartbeat]! += 1;
  }

  connectionOpened(): void {
    this.#column[at.clientConnections]! += 1;
  }

  connectionClosed(): void {
    this.#column[at.clientConnections]! -= 1;
  }

  upstreamConnected(): void {
    this.#column[at.upstreamConnects]! += 1;
  }

  retried(): void {
    this.#column[at.retries]! += 1;
  }

  tunnelOpened(): void {
    this.#column[at.tunnelsOpen]! += 1;
  }

  tunnelClosed(): void {
    this.#column[at.tunnelsOpen]! -= 1;
  }

  /** From a client. */
  tunnelReceived(bytes: number, frames: number): void {
    this.#column[at.tunnelBytesReceived]! += bytes;
    this.#column[at.framesReceived]! += frames;
  }

  /** To a client. */
  tunnelSent(bytes: number, frames: number): void {
    this.#column[at.tunnelBytesSent]! += bytes;
    this.#column[at.framesSent]! += frames;
  }

  streamOpened(): void {
    this.#column[at.streamsOpen]! += 1;
  }

  streamClosed(): void {
    this.#column[at.streamsOpen]! -= 1;
  }

  streamSent(bytes: number): void {
    this.#column[at.streamBytesSent]! += bytes;
  }

  eventsSent(events: number): void {
    this.#column[at.eventsSent]! += events;
  }

  logLinesDropped(lines: number): void {
    this.#column[at.logLinesDropped]! += lines;
  }

  recordsDropped(exchanges: number): void {
    this.#column[at.recordsDropped]! += exchanges;
  }

  logBytesSent(bytes: number): void {
    this.#column[at.logBytesSent]! += bytes;
  }

  /** Log bytes on their way to main. Zero as long as main has never said that it took some. */
  get logBacklog(): number {
    const taken = this.#column[at.logBytesTaken]!;
    return taken === 0 ? 0 : this.#column[at.logBytesSent]! - taken;
  }
}

const statusCount = 500;
const errorCodes = Object.keys(errorCatalogue) as ErrorCode[];
const errorCodeIndex: ReadonlyMap<ErrorCode, number> = new Map(errorCodes.map((code, i) => [code, i]));

const at = {
  requests: 0,
  bytesIn: 1,
  bytesOut: 2,
  upstreamConnects: 3,
  retries: 4,
  logLinesDropped: 5,
  requestsInFlight: 6,
  clientConnections: 7,
  durationSum: 8,
  logBytesSent: 9,
  /** The one number in a worker's column that main writes. */
  logBytesTaken: 10,
  heartbeat: 11,
  tunnelsOpen: 12,
  streamsOpen: 13,
  framesReceived: 14,
  framesSent: 15,
  tunnelBytesReceived: 16,
  tunnelBytesSent: 17,
  streamBytesSent: 18,
  eventsSent: 19,
  recordsDropped: 20,
  statusClasses: 21,
  ownStatusClasses: 27,
  durationBuckets: 33,
  errorCodes: 33 + durationBucketsMs.length + 1,
  statuses: 33 + durationBucketsMs.length + 1 + errorCodes.length,
} as const;

const columnLength = at.statuses + statusCount;
/** Whole 128-byte blocks: two workers never write into one cache line (or its prefetched neighbour). */
const columnBytes = Math.ceil((columnLength * 8) / 128) * 128;

function columnOf(shared: SharedCounters, workerIndex: number): Float64Array {
  if (!(workerIndex >= 0 && workerIndex <= shared.workers)) throw new RangeError(`no counters for worker ${workerIndex}`);
  return new Float64Array(shared.buffer, workerIndex * columnBytes, columnLength);
}

const bounds = Float64Array.from(durationBucketsMs);

function bucketOf(durationMs: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (durationMs <= bounds[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}
