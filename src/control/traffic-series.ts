import { latencyBuckets, latencyOfBucket, percentileBuckets } from '../telemetry/latency-histogram.ts';

/** Cells of three widths: the numbers of ten seconds each for 15 minutes, of minutes for an hour, of six minutes for six. */
export const trafficTiers = [
  { cellMs: 10_000, cells: 90 },
  { cellMs: 60_000, cells: 60 },
  { cellMs: 360_000, cells: 60 },
] as const;

const offsets = [0, 90, 150] as const;
const allCells = 210;

/** What is known of a cell besides its counts. */
export const percentiles = [0.5, 0.95, 0.99] as const;

/** What a series takes in of ten seconds. */
export interface TrafficStep {
  /** How much each count has grown. */
  readonly counts: ArrayLike<number>;
  /** Gauges as they are at the end. */
  readonly gauges: ArrayLike<number>;
  /** Answers by latency, as many as came; null where none did. */
  readonly latencies: Uint32Array | null;
  /** Errors by code, as many as came; null where none did. */
  readonly errors: Uint32Array | null;
  /** A number below 256 of the caller's, the greatest of which is kept of a wider cell. */
  readonly mark: number;
}

/**
 * What happened, in cells of several widths, in two blocks of memory: about 7 KB, and 1 KB for each kind of error that was seen.
 * Cells have numbers: the time of their beginning divided by their width. Of those of ten seconds only whole ones are taken in;
 * the latest of the wider ones is still filling.
 */
export class TrafficSeries {
  readonly #counts: number;
  readonly #width: number;
  /** For each cell its counts and gauges. */
  readonly #numbers: Uint32Array;
  /** For each cell the buckets of its percentiles, plus one, and the mark. */
  readonly #bytes = new Uint8Array(allCells * cellBytes);
  /** Latencies of the wider cells that are filling. */
  readonly #filling = new Uint32Array((trafficTiers.length - 1) * latencyBuckets);
  readonly #errors = new Map<number, Uint32Array>();

  constructor(counts: number, gauges: number) {
    this.#counts = counts;
    this.#width = counts + gauges;
    this.#numbers = new Uint32Array(allCells * this.#width);
  }

  /** Takes in the cell of ten seconds of this number. `last` is the number of the one before, or less where some were left out. */
  add(cell: number, last: number, step: TrafficStep): void {
    const time = cell * trafficTiers[0].cellMs;
    for (const [tier, { cellMs }] of trafficTiers.entries()) {
      const number = Math.floor(time / cellMs);
      const before = Math.floor((last * trafficTiers[0].cellMs) / cellMs);
      if (number > before) this.#clear(tier, before + 1, number);
      this.#addTo(tier, this.#place(tier, number), step);
    }
  }

  /** One of the counts or, behind them, of the gauges. */
  number(tier: number, cell: number, index: number): number {
    return this.#numbers[this.#place(tier, cell) * this.#width + index]!;
  }

  /** In milliseconds; null without answers. See percentiles for the order. */
  latency(tier: number, cell: number, percentile: number): number | null {
    const bucket = this.#bytes[this.#place(tier, cell) * cellBytes + percentile]!;
    return bucket === 0 ? null : latencyOfBucket(bucket - 1);
  }

  mark(tier: number, cell: number): number {
    return this.#bytes[this.#place(tier, cell) * cellBytes + percentiles.length]!;
  }

  /** Which errors were ever seen. */
  errorCodes(): Iterable<number> {
    return this.#errors.keys();
  }

  errors(tier: number, cell: number, code: number): number {
    return this.#errors.get(code)?.[this.#place(tier, cell)] ?? 0;
  }

  #place(tier: number, cell: number): number {
    return offsets[tier]! + (cell % trafficTiers[tier]!.cells);
  }

  #clear(tier: number, from: number, to: number): void {
    const { cells } = trafficTiers[tier]!;
    for (let cell = Math.max(from, to - cells + 1); cell <= to; cell++) {
      const place = this.#place(tier, cell);
      this.#numbers.fill(0, place * this.#width, (place + 1) * this.#width);
      this.#bytes.fill(0, place * cellBytes, (place + 1) * cellBytes);
      for (const errors of this.#errors.values()) errors[place] = 0;
    }
    if (tier > 0) this.#fillingOf(tier).fill(0);
  }

  #addTo(tier: number, place: number, { counts, gauges, latencies, errors, mark }: TrafficStep): void {
    const at = place * this.#width;
    for (let index = 0; index < this.#counts; index++) this.#numbers[at + index]! += counts[index]!;
    for (let index = this.#counts; index < this.#width; index++) this.#numbers[at + index] = gauges[index - this.#counts]!;
    const bytes = place * cellBytes;
    this.#bytes[bytes + percentiles.length] = Math.max(this.#bytes[bytes + percentiles.length]!, mark);
    if (latencies !== null) {
      let histogram = latencies;
      if (tier > 0) {
        histogram = this.#fillingOf(tier);
        for (let bucket = 0; bucket < latencyBuckets; bucket++) histogram[bucket]! += latencies[bucket]!;
      }
      const buckets = percentileBuckets(histogram, percentiles);
      for (let index = 0; index < percentiles.length; index++) this.#bytes[bytes + index] = buckets[index]! + 1;
    }
    if (errors === null) return;
    for (let code = 0; code < errors.length; code++) {
      if (errors[code] === 0) continue;
      let cells = this.#errors.get(code);
      if (cells === undefined) this.#errors.set(code, (cells = new Uint32Array(allCells)));
      cells[place]! += errors[code]!;
    }
  }

  #fillingOf(tier: number): Uint32Array {
    return this.#filling.subarray((tier - 1) * latencyBuckets, tier * latencyBuckets);
  }
}

const cellBytes = percentiles.length + 1;
