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
  #workedSince = threadTime();

  /** With `longestMs`, work that has taken more than that of this thread's time between its rests ends with the error of `tooLong`. */
  constructor(longestMs = Infinity, tooLong = (): Error => new Error('the work takes too long')) {
    this.#longestMs = longestMs;
    this.#tooLong = tooLong;
  }

  async rest(): Promise<void> {
    if (performance.now() - this.#since < 10) return;
    this.#worked += threadTime() - this.#workedSince;
    if (this.#worked > this.#longestMs) throw this.#tooLong();
    await setImmediate();
    this.#since = performance.now();
    this.#workedSince = threadTime();
  }
}

/** Milliseconds that this thread has worked: a machine that others keep busy makes no work too long. */
function threadTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
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
