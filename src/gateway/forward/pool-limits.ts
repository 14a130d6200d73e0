import { SlotAllocator, SlotDirectory } from '../../telemetry/shared-slots.ts';
import { type UpstreamCounterPlace, upstreamCounterBytes } from '../../telemetry/upstream-counters.ts';

/** Connections of one upstream, over all workers together. */
export interface PoolGauges {
  readonly idle: number;
  readonly active: number;
}

/** Main's side: a SlotAllocator for upstream ids whose slots PoolLimits of the same number of workers understands. */
export function createPoolSlots(workers: number): SlotAllocator {
  const stride = strideOf(workers);
  return new SlotAllocator({
    bytesPerSlot: stride * 4,
    slotsPerSegment,
    isIdle: (slot, segments) => {
      const gauges = readSlot(segments, slot, stride);
      return gauges.idle === 0 && gauges.active === 0;
    },
  });
}

/** Where in a slot the upstream's counters lie: behind what its pools hold. */
export function upstreamCounterPlace(workers: number): UpstreamCounterPlace {
  return { slotsPerSegment, bytesPerSlot: strideOf(workers) * 4, offset: poolNumbers(workers) * 4 };
}

/** What an upstream's pools hold now; null when the id has no slot. In the main thread. */
export function readPoolGauges(slots: SlotAllocator, upstreamId: string): PoolGauges | null {
  const slot = slots.slotOf(upstreamId);
  return slot === undefined ? null : readSlot(slots.segments, slot, slots.bytesPerSlot / 4);
}

/** Takes back exactly what a dead worker held of every upstream's limits. In the main thread, once the worker has ended. */
export function reclaimPoolShare(slots: SlotAllocator, workerIndex: number): void {
  const stride = slots.bytesPerSlot / 4;
  for (let slot = 0; slot < slots.highWater; slot++) {
    const segment = new Int32Array(slots.segments[Math.floor(slot / slotsPerSegment)]!);
    const base = (slot % slotsPerSegment) * stride;
    const own = base + ownColumn(workerIndex);
    Atomics.sub(segment, base + idleTotal, Atomics.exchange(segment, own + idleTotal, 0));
    Atomics.sub(segment, base + activeTotal, Atomics.exchange(segment, own + activeTotal, 0));
  }
}

/**
 * A worker's side of the caps `max_idle_conns` and `max_conns`, exact over all workers: the totals change by
 * compare-and-exchange, so no two workers ever take the same last place. Each worker also keeps its own share, from
 * which main gives back what a dead worker held. (A worker ends between two calls, never between the two stores of one.)
 */
export class PoolLimits {
  readonly directory = new SlotDirectory();
  readonly #views: Int32Array[] = [];
  readonly #stride: number;
  readonly #own: number;

  constructor(workers: number, workerIndex: number) {
    this.#stride = strideOf(workers);
    this.#own = ownColumn(workerIndex);
  }

  /** Keeps one more idle connection if fewer than `max` are idle. False: close the connection instead. */
  tryParkIdle(slot: number, max: number): boolean {
    return this.#tryAdd(slot, idleTotal, max);
  }

  /** The idle connection was taken out, to be used or because it closed. */
  unparkIdle(slot: number): void {
    this.#subtract(slot, idleTotal);
  }

  /** Counts one more active connection; false when `max` (0: no cap) are active already. */
  tryAcquireActive(slot: number, max: number): boolean {
    return this.#tryAdd(slot, activeTotal, max === 0 ? 0x7fff_ffff : max);
  }

  releaseActive(slot: number): void {
    this.#subtract(slot, activeTotal);
  }

  /** Over all workers. */
  idle(slot: number): number {
    return Atomics.load(this.#view(slot), this.#base(slot) + idleTotal);
  }

  /** Over all workers. */
  active(slot: number): number {
    return Atomics.load(this.#view(slot), this.#base(slot) + activeTotal);
  }

  #tryAdd(slot: number, gauge: number, max: number): boolean {
    const view = this.#view(slot);
    const base = this.#base(slot);
    for (;;) {
      const total = Atomics.load(view, base + gauge);
      if (total >= max) return false;
      if (Atomics.compareExchange(view, base + gauge, total, total + 1) === total) break;
    }
    view[base + this.#own + gauge]! += 1;
    return true;
  }

  #subtract(slot: number, gauge: number): void {
    const view = this.#view(slot);
    const base = this.#base(slot);
    Atomics.sub(view, base + gauge, 1);
    view[base + this.#own + gauge]! -= 1;
  }

  #base(slot: number): number {
    return (slot & (slotsPerSegment - 1)) * this.#stride;
  }

  #view(slot: number): Int32Array {
    const segment = slot >> segmentBits;
    return this.#views[segment] ?? this.#openSegment(slot, segment);
  }

  #openSegment(slot: number, segment: number): Int32Array {
    const buffer = this.directory.segments[segment];
    if (slot < 0 || buffer === undefined) throw new RangeError(`no pool slot ${slot}: main has not assigned it`);
    return (this.#views[segment] = new Int32Array(buffer));
  }
}

const segmentBits = 10;
const slotsPerSegment = 1 << segmentBits;

const idleTotal = 0;
const activeTotal = 1;

/** Totals, then idle and active of each worker; whole cache lines, so that upstreams do not slow one another. */
function poolNumbers(workers: number): number {
  return Math.ceil((2 + 2 * workers) / 16) * 16;
}

function strideOf(workers: number): number {
  return poolNumbers(workers) + upstreamCounterBytes(workers) / 4;
}

function ownColumn(workerIndex: number): number {
  return 2 + 2 * workerIndex;
}

function readSlot(segments: readonly SharedArrayBuffer[], slot: number, stride: number): PoolGauges {
  const view = new Int32Array(segments[Math.floor(slot / slotsPerSegment)]!);
  const base = (slot % slotsPerSegment) * stride;
  return { idle: Atomics.load(view, base + idleTotal), active: Atomics.load(view, base + activeTotal) };
}
