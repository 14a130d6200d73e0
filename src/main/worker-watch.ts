/** A worker whose event loop has stood still for this long is taken for lost, in milliseconds. */
export const silenceLimit = 10_000;
/** How often main looks, in milliseconds. */
export const watchInterval = 1_000;

/**
 * Finds workers whose event loop stands still: a thread that spins is alive and serves nobody. Only time in which main itself was
 * awake counts against a worker: when the whole process was stopped (SIGSTOP, a suspended machine), nobody is to blame.
 */
export class WorkerWatch {
  private readonly beatOf: (index: number) => number;
  private readonly lastBeat: number[] = [];
  private readonly silentMs: number[] = [];
  private lastLook: number;

  /** `beatOf` gives a number that the worker of that index changes as long as its event loop turns. `now` is monotonic milliseconds. */
  constructor(beatOf: (index: number) => number, now: number) {
    this.beatOf = beatOf;
    this.lastLook = now;
  }

  /** Call every `watchInterval`. Answers the workers among `indexes` that have been silent for too long; each counts from zero again. */
  look(now: number, indexes: readonly number[]): number[] {
    // A look that comes late may mean that main did not run, and then the workers may not have run either.
    const awakeMs = Math.min(now - this.lastLook, 2 * watchInterval);
    this.lastLook = now;
    const lost: number[] = [];
    for (const index of indexes) {
      const beat = this.beatOf(index);
      const silent = beat === this.lastBeat[index] ? (this.silentMs[index] ?? 0) + awakeMs : 0;
      this.lastBeat[index] = beat;
      this.silentMs[index] = silent;
      if (silent <= silenceLimit) continue;
      this.silentMs[index] = 0;
      lost.push(index);
    }
    return lost;
  }

  /** A new worker has this index. */
  begin(index: number): void {
    this.silentMs[index] = 0;
  }
}
