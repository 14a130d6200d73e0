/** What a thread must learn to use slots: travels as a message, beside the gateway config change that needs it. */
export interface SlotAssignments {
  readonly slotsPerSegment: number;
  /** Number of the first buffer in `segments`; earlier ones are known already. */
  readonly firstSegment: number;
  readonly segments: readonly SharedArrayBuffer[];
  readonly slots: readonly (readonly [id: string, slot: number])[];
}

export interface SlotAllocatorOptions {
  readonly bytesPerSlot: number;
  /** Memory grows by this many slots at a time; 1,024 when not given. */
  readonly slotsPerSegment?: number;
  /** Whether nothing uses the freed slot any more (a worker may still finish an exchange on it); always when not given. */
  readonly isIdle?: (slot: number, segments: readonly SharedArrayBuffer[]) => boolean;
}

/**
 * Gives every id (of an upstream, of a key) its slot in memory that all threads share. Lives in the main thread, which alone
 * decides; workers learn the outcome from `SlotAssignments` by way of a `SlotDirectory`. A freed slot is used again only
 * when it is idle, and then starts out all zero.
 */
export class SlotAllocator {
  readonly bytesPerSlot: number;
  readonly slotsPerSegment: number;
  readonly segments: SharedArrayBuffer[] = [];
  readonly #isIdle: (slot: number, segments: readonly SharedArrayBuffer[]) => boolean;
  readonly #slots = new Map<string, number>();
  readonly #freed: number[] = [];
  #used = 0;

  constructor(options: SlotAllocatorOptions) {
    this.bytesPerSlot = options.bytesPerSlot;
    this.slotsPerSegment = options.slotsPerSegment ?? 1024;
    this.#isIdle = options.isIdle ?? (() => true);
  }

  /** Slots of these ids, made where missing, and the memory that came with them. */
  assign(ids: Iterable<string>): SlotAssignments {
    const firstSegment = this.segments.length;
    const slots: [string, number][] = [];
    for (const id of ids) slots.push([id, this.#slotFor(id)]);
    return { slotsPerSegment: this.slotsPerSegment, firstSegment, segments: this.segments.slice(firstSegment), slots };
  }

  /** Everything, for a worker that starts. */
  all(): SlotAssignments {
    return { slotsPerSegment: this.slotsPerSegment, firstSegment: 0, segments: [...this.segments], slots: [...this.#slots] };
  }

  /** Gives the ids' slots back. Unknown ids are passed over. */
  release(ids: Iterable<string>): void {
    for (const id of ids) {
      const slot = this.#slots.get(id);
      if (slot === undefined) continue;
      this.#slots.delete(id);
      this.#freed.push(slot);
    }
  }

  slotOf(id: string): number | undefined {
    return this.#slots.get(id);
  }

  entries(): IterableIterator<[id: string, slot: number]> {
    return this.#slots.entries();
  }

  /** Slots ever handed out: all that a sweep has to look at. */
  get highWater(): number {
    return this.#used;
  }

  #slotFor(id: string): number {
    const known = this.#slots.get(id);
    if (known !== undefined) return known;
    const slot = this.#reuse() ?? this.#next();
    this.#slots.set(id, slot);
    return slot;
  }

  /** Looks at the few that were freed longest ago: one stuck slot must not make each assignment slow. */
  #reuse(): number | undefined {
    const candidates = Math.min(this.#freed.length, 4);
    for (let i = 0; i < candidates; i++) {
      const slot = this.#freed.shift()!;
      if (this.#isIdle(slot, this.segments)) {
        const segment = this.segments[Math.floor(slot / this.slotsPerSegment)]!;
        new Uint8Array(segment, (slot % this.slotsPerSegment) * this.bytesPerSlot, this.bytesPerSlot).fill(0);
        return slot;
      }
      this.#freed.push(slot);
    }
    return undefined;
  }

  #next(): number {
    if (this.#used === this.segments.length * this.slotsPerSegment) {
      this.segments.push(new SharedArrayBuffer(this.slotsPerSegment * this.bytesPerSlot));
    }
    return this.#used++;
  }
}

/** A worker's side of a SlotAllocator: which slot belongs to which id, and the memory behind it. */
export class SlotDirectory {
  readonly segments: SharedArrayBuffer[] = [];
  readonly #slots = new Map<string, number>();

  /** Takes in what main assigned; harmless to repeat. */
  learn(assignments: SlotAssignments): void {
    for (const [i, segment] of assignments.segments.entries()) this.segments[assignments.firstSegment + i] = segment;
    for (const [id, slot] of assignments.slots) this.#slots.set(id, slot);
  }

  forget(ids: Iterable<string>): void {
    for (const id of ids) this.#slots.delete(id);
  }

  /** −1 when main has not assigned one. */
  slotOf(id: string): number {
    return this.#slots.get(id) ?? -1;
  }
}
