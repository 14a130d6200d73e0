import { GatewayError } from '../errors/gateway-error.ts';

const mostWaiting = 16;

/**
 * Lets work on drafts that are not stored, which whoever may read can ask for, be done one after the other: it may take seconds of
 * the one thread that does all of managing, and more at once would leave it to nobody else.
 */
export class DraftTurns {
  readonly #waiting: (() => void)[] = [];
  #isBusy = false;

  /**
   * Does the work when it is its turn.
   * @throws GatewayError `too_many_attempts` where too many wait already; what `work` throws
   */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isBusy) {
      if (this.#waiting.length >= mostWaiting)
        throw new GatewayError('too_many_attempts', {
          detail: `${mostWaiting} drafts wait to be looked at; try again later.`,
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
