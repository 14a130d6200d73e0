import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';
import { latencyBucketOf, latencyBuckets } from './latency-histogram.ts';

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
  /** When a request for it last ended, in whatever way. */
  readonly lastUsedMs: number;
  readonly lastFailureCode: ErrorCode | null;
}

export const failureClasses = ['connect', 'timeout', 'reset', 'protocol'] as const;
export type FailureClass = (typeof failureClasses)[number];

/** The errors that are counted for each upstream by their code: all that can happen to a request that was meant for it. */
export const upstreamErrorCodes = (Object.keys(errorCatalogue) as ErrorCode[]).filter((code) => code.startsWith('upstream_'));

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
  let lastOtherMs = 0;
  for (let worker = 0; worker < workers; worker++) {
    const base = (start + headBytes + worker * columnBytes) / 8;
    for (let index = 0; index < columnLength; index++) sums[index]! += columns[base + index]!;
    lastOkMs = Math.max(lastOkMs, columns[base + at.lastOk]!);
    lastOtherMs = Math.max(lastOtherMs, columns[base + at.lastOther]!);
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
    lastUsedMs: Math.max(lastOkMs, lastFailureMs, lastOtherMs),
    lastFailureCode: errorCodes[lastFailureCode - 1] ?? null,
  };
}

/** What is counted of an upstream beyond its totals. Each number begins anew after 2^32. */
export interface UpstreamDetail {
  /** Answers in each of the latencyBuckets: from a request sent to its response head. */
  readonly latencies: Uint32Array;
  /** Errors of each of upstreamErrorCodes. */
  readonly errors: Uint32Array;
}

export function newUpstreamDetail(): UpstreamDetail {
  return { latencies: new Uint32Array(latencyBuckets), errors: new Uint32Array(upstreamErrorCodes.length) };
}

/** Sums up latencies and errors of one upstream over all workers into `detail`, in the main thread. */
export function readUpstreamDetail(
  segments: readonly SharedArrayBuffer[],
  slot: number,
  place: UpstreamCounterPlace,
  workers: number,
  { latencies, errors }: UpstreamDetail,
): void {
  const { numbers } = viewsOf(segments[Math.floor(slot / place.slotsPerSegment)]!);
  const start = (slot % place.slotsPerSegment) * place.bytesPerSlot + place.offset;
  latencies.fill(0);
  errors.fill(0);
  for (let worker = 0; worker < workers; worker++) {
    const column = start + headBytes + worker * columnBytes;
    const ofLatencies = (column + latenciesAt) / 4;
    for (let bucket = 0; bucket < latencyBuckets; bucket++) latencies[bucket]! += numbers[ofLatencies + bucket]!;
    const ofErrors = (column + errorsAt) / 4;
    for (let code = 0; code < errors.length; code++) errors[code]! += numbers[ofErrors + code]!;
  }
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
    const { columns, streaks, numbers } = this.#views[segment] ?? this.#openSegment(segment);
    const start = (slot % slotsPerSegment) * bytesPerSlot + offset;
    const column = start + this.#column;
    const base = column / 8;
    columns[base + at.requests]! += 1;
    columns[base + at.bytesIn]! += exchange.bytesIn;
    columns[base + at.bytesOut]! += exchange.bytesOut;
    const place = placeOf(exchange);
    columns[base + place]! += 1;
    if (place === at.answered) {
      columns[base + at.latencySum]! += exchange.upstreamMs;
      numbers[(column + latenciesAt) / 4 + latencyBucketOf(exchange.upstreamMs)]! += 1;
      columns[base + at.lastOk] = exchange.startedAtMs + exchange.durationMs;
      if (exchange.status >= 500) columns[base + at.serverErrors]! += 1;
      if (Atomics.load(streaks, start / 4) !== 0) Atomics.store(streaks, start / 4, 0);
      return;
    }
    if (place >= at.connect && place <= at.protocol) {
      columns[base + at.lastFailure] = exchange.startedAtMs + exchange.durationMs;
      columns[base + at.lastFailureCode] = errorCodes.indexOf(exchange.code!) + 1;
      Atomics.add(streaks, start / 4, 1);
    } else {
      columns[base + at.lastOther] = exchange.startedAtMs + exchange.durationMs;
    }
    const code = exchange.code === null ? -1 : upstreamErrorCodes.indexOf(exchange.code);
    if (code !== -1) numbers[(column + errorsAt) / 4 + code]! += 1;
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
  readonly numbers: Uint32Array;
}

const views = new WeakMap<SharedArrayBuffer, Views>();

// Kept: main looks at every upstream once a second.
function viewsOf(segment: SharedArrayBuffer): Views {
  let known = views.get(segment);
  if (known === undefined) {
    known = { columns: new Float64Array(segment), streaks: new Int32Array(segment), numbers: new Uint32Array(segment) };
    views.set(segment, known);
  }
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
  /** When a request ended that was neither answered nor failed. */
  lastOther: 15,
} as const;

const columnLength = 16;
/** Of the upstream that is being read. */
const sums = new Float64Array(columnLength);
/** Behind these numbers lie answers by latency and errors by code, of 4 bytes each; all in whole 128-byte blocks. */
const latenciesAt = columnLength * 8;
const errorsAt = latenciesAt + latencyBuckets * 4;
const columnBytes = Math.ceil((errorsAt + upstreamErrorCodes.length * 4) / 128) * 128;
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
