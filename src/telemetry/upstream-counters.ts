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
  const { columns, streaks } = viewsOf(segments[Math.floor(slot / place.slotsPerSegment)]!);
  const start = (slot % place.slotsPerSegment) * place.bytesPerSlot + place.offset;
  sums.fill(0);
  let lastOkMs = 0;
  let lastFailureMs = 0;
  let lastFailureCode = 0;
  for (let worker = 0; worker < workers; worker++) {
    const base = (start + headBytes + worker * columnBytes) / 8;
    for (let index = 0; index < columnLength; index++) sums[index]! += columns[base + index]!;
    lastOkMs = Math.max(lastOkMs, columns[base + at.lastOk]!);
    if (columns[base + at.lastFailure]! <= lastFailureMs) continue;
    lastFailureMs = columns[base + at.lastFailure]!;
    lastFailureCode = columns[base + at.lastFailureCode]!;
  }
  return {
    requests: sums[at.requests]!,
    answered: sums[at.answered]!,
    serverErrors: sums[at.serverErrors]!,
    failures: { connect: sums[at.connect]!, timeout: sums[at.timeout]!, reset: sums[at.reset]!, protocol: sums[at.protocol]! },
    overloaded: sums[at.overloaded]!,
    abandoned: sums[at.abandoned]!,
    streak: Atomics.load(streaks, start / 4),
    latencySumMs: sums[at.latencySum]!,
    bytesIn: sums[at.bytesIn]!,
    bytesOut: sums[at.bytesOut]!,
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
  readonly #views: Views[] = [];

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

  #openSegment(index: number): Views {
    const buffer = this.#segments[index];
    if (buffer === undefined) throw new RangeError(`no counters for segment ${index}: main has not assigned it`);
    return (this.#views[index] = viewsOf(buffer));
  }
}

interface Views {
  readonly columns: Float64Array;
  readonly streaks: Int32Array;
}

const views = new WeakMap<SharedArrayBuffer, Views>();

// Kept: main looks at every upstream once a second.
function viewsOf(segment: SharedArrayBuffer): Views {
  let known = views.get(segment);
  if (known === undefined) views.set(segment, (known = { columns: new Float64Array(segment), streaks: new Int32Array(segment) }));
  return known;
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
/** Of the upstream that is being read. */
const sums = new Float64Array(columnLength);
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
