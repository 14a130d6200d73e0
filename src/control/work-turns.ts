import { GatewayError } from '../errors/gateway-error.ts';

/**
 * Lets work that whoever may read can ask for be done one after the other: on drafts that are not stored, on the whole gateway
 * config. It may take seconds of the one thread that does all of managing, and more at once would leave it to nobody else, and
 * take as much memory each.
 */
export class WorkTurns {
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #isBusy = false;

  constructor(mostWaiting = Infinity) {
    this.#mostWaiting = mostWaiting;
  }

  /**
   * Does the work when it is its turn.
   * @throws GatewayError `too_many_attempts` where too many wait already; what `work` throws
   */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isBusy) {
      if (this.#waiting.length >= this.#mostWaiting)
        throw new GatewayError('too_many_attempts', {
          detail: `${this.#mostWaiting} others wait for the same already; try again later.`,
          retryAfter: 1,
        });
      // Who goes leaves the place to the first that waits.
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#isBusy = false;
      else next();
    }
  }
}
