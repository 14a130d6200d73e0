import { setImmediate } from 'node:timers/promises';

/** Lets others run whenever some time of the event loop is used up. */
export interface Rests {
  rest(): Promise<void>;
}

/** Lets the event loop turn whenever some time of it is used up. */
export class Pace implements Rests {
  readonly #longestMs: number;
  readonly #tooLong: () => Error;
  #worked = 0;
  #since = performance.now();

  /** With `longestMs`, work that has taken more than that between its rests ends with the error of `tooLong`. */
  constructor(longestMs = Infinity, tooLong = (): Error => new Error('the work takes too long')) {
    this.#longestMs = longestMs;
    this.#tooLong = tooLong;
  }

  async rest(): Promise<void> {
    const used = performance.now() - this.#since;
    if (used < 10) return;
    this.#worked += used;
    if (this.#worked > this.#longestMs) throw this.#tooLong();
    await setImmediate();
    this.#since = performance.now();
  }
}

/** `items.map(work)`, resting in between. */
export async function mapPaced<Item, Made>(items: readonly Item[], pace: Rests, work: (item: Item) => Made): Promise<Made[]> {
  const made: Made[] = [];
  for (const item of items) {
    made.push(work(item));
    await pace.rest();
  }
  return made;
}
