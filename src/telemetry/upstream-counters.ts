import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';

/** What happened to the requests of one upstream since it was made or the process started, over all workers. */
export interface UpstreamTotals {
  /** Requests sent to it, or meant to be, that have ended. */
  readonly requests: number;
  /** Those that it answered, whatever the status. */
  readonly answered: number;
  /** Those of them that it answered with 5xx. */
  readonly serverErrors: number;
  readonly failures: Readonly<Record<FailureClass, number>>;
  /** Refused because max_conns was reached. */
  readonly overloaded: number;
  /** Neither answered nor failed by the upstream: the client left, was too slow, or the gateway failed. */
  readonly abandoned: number;
  /** Failures since the last answer. */
  readonly streak: number;
  /** Sum of the times from a request sent to its response head, in milliseconds, over those answered. */
  readonly latencySumMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Milliseconds since the epoch; 0 for never. */
  readonly lastOkMs: number;
  readonly lastFailureMs: number;
  readonly lastFailureCode: ErrorCode | null;
}

export const failureClasses = ['connect', 'timeout', 'reset', 'protocol'] as const;
export type FailureClass = (typeof failureClasses)[number];

/** What is counted of a finished exchange. */
export interface CountedExchange {
  readonly status: number;
  readonly code: ErrorCode | null;
  /** 'upstream_connect' and so on: see ExchangeOutcome. */
  readonly outcome: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly upstreamMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Where slots lie in the memory that upstreams share: each begins with other numbers, these come behind them. */
export interface UpstreamCounterPlace {
  readonly slotsPerSegment: number;
  readonly bytesPerSlot: number;
  /** Bytes of a slot in front of the counters; a multiple of 8. */
  readonly offset: number;
}

/** Bytes that an upstream's counters take. */
export function upstreamCounterBytes(workers: number): number {
  return headBytes + workers * columnBytes;
}

/** Sums up one upstream over all workers, in the main thread. */
export function readUpstreamTotals(
  segments: readonly SharedArrayBuffer[],
  slot: number,
  place: UpstreamCounterPlace,
  workers: number,
): UpstreamTotals {
  const segment = segments[Math.floor(slot / place.slotsPerSegment)]!;
  const start = (slot % place.slotsPerSegment) * place.bytesPerSlot + place.offset;
  const sum = new Float64Array(columnLength);
  let lastOkMs = 0;
  let lastFailureMs = 0;
  let lastFailureCode = 0;
  for (let worker = 0; worker < workers; worker++) {
    const column = new Float64Array(segment, start + headBytes + worker * columnBytes, columnLength);
    for (let index = 0; index < columnLength; index++) sum[index]! += column[index]!;
    lastOkMs = Math.max(lastOkMs, column[at.lastOk]!);
    if (column[at.lastFailure]! <= lastFailureMs) continue;
    lastFailureMs = column[at.lastFailure]!;
    lastFailureCode = column[at.lastFailureCode]!;
  }
  return {
    requests: sum[at.requests]!,
    answered: sum[at.answered]!,
    serverErrors: sum[at.serverErrors]!,
    failures: { connect: sum[at.connect]!, timeout: sum[at.timeout]!, reset: sum[at.reset]!, protocol: sum[at.protocol]! },
    overloaded: sum[at.overloaded]!,
    abandoned: sum[at.abandoned]!,
    streak: Atomics.load(new Int32Array(segment, start, 1), 0),
    latencySumMs: sum[at.latencySum]!,
    bytesIn: sum[at.bytesIn]!,
    bytesOut: sum[at.bytesOut]!,
    lastOkMs,
    lastFailureMs,
    lastFailureCode: errorCodes[lastFailureCode - 1] ?? null,
  };
}

/**
 * One worker's side. Each worker has a column of its own, so plain additions do; only the streak of failures is common to all,
 * because an answer in any worker ends it, and it is written in bad times only.
 */
export class UpstreamCounters {
  readonly #segments: readonly SharedArrayBuffer[];
  readonly #place: UpstreamCounterPlace;
  readonly #column: number;
  readonly #views: { readonly columns: Float64Array; readonly streaks: Int32Array }[] = [];

  /** `segments` grows as main makes more. */
  constructor(segments: readonly SharedArrayBuffer[], place: UpstreamCounterPlace, workerIndex: number) {
    this.#segments = segments;
    this.#place = place;
    this.#column = headBytes + workerIndex * columnBytes;
  }

  /** Exactly once for each exchange that came to the upstream. */
  requestFinished(slot: number, exchange: CountedExchange): void {
    const { slotsPerSegment, bytesPerSlot, offset } = this.#place;
    const segment = (slot / slotsPerSegment) | 0;
    const { columns, streaks } = this.#views[segment] ?? this.#openSegment(segment);
    const start = (slot % slotsPerSegment) * bytesPerSlot + offset;
    const base = (start + this.#column) / 8;
    columns[base + at.requests]! += 1;
    columns[base + at.bytesIn]! += exchange.bytesIn;
    columns[base + at.bytesOut]! += exchange.bytesOut;
    const place = placeOf(exchange);
    columns[base + place]! += 1;
    if (place === at.answered) {
      columns[base + at.latencySum]! += exchange.upstreamMs;
      columns[base + at.lastOk] = exchange.startedAtMs + exchange.durationMs;
      if (exchange.status >= 500) columns[base + at.serverErrors]! += 1;
      if (Atomics.load(streaks, start / 4) !== 0) Atomics.store(streaks, start / 4, 0);
    } else if (place >= at.connect && place <= at.protocol) {
      columns[base + at.lastFailure] = exchange.startedAtMs + exchange.durationMs;
      columns[base + at.lastFailureCode] = errorCodes.indexOf(exchange.code!) + 1;
      Atomics.add(streaks, start / 4, 1);
    }
  }

  #openSegment(index: number): { readonly columns: Float64Array; readonly streaks: Int32Array } {
    const buffer = this.#segments[index];
    if (buffer === undefined) throw new RangeError(`no counters for segment ${index}: main has not assigned it`);
    return (this.#views[index] = { columns: new Float64Array(buffer), streaks: new Int32Array(buffer) });
  }
}

const errorCodes = Object.keys(errorCatalogue) as ErrorCode[];

const at = {
  requests: 0,
  answered: 1,
  serverErrors: 2,
  connect: 3,
  timeout: 4,
  reset: 5,
  protocol: 6,
  overloaded: 7,
  abandoned: 8,
  latencySum: 9,
  bytesIn: 10,
  bytesOut: 11,
  lastOk: 12,
  lastFailure: 13,
  lastFailureCode: 14,
} as const;

const columnLength = 15;
const columnBytes = 128;
/** The streak has a cache line to itself. */
const headBytes = 64;

function placeOf({ code, outcome, status }: CountedExchange): number {
  switch (outcome) {
    case 'upstream_connect':
      return at.connect;
    case 'upstream_timeout':
      return at.timeout;
    case 'upstream_reset':
      return at.reset;
    case 'upstream_protocol':
      return at.protocol;
    case 'overload':
      return code === 'upstream_overloaded' ? at.overloaded : at.abandoned;
    default:
      // A client that left in the middle of an answer has had one.
      return code === null && status > 0 ? at.answered : at.abandoned;
  }
}
