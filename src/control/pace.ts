import { setImmediate } from 'node:timers/promises';

/** Lets the event loop turn whenever some time of it is used up. */
export class Pace {
  #since = performance.now();

  async rest(): Promise<void> {
    if (performance.now() - this.#since < 10) return;
    await setImmediate();
    this.#since = performance.now();
  }
}
