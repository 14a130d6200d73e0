import { GatewayError } from '../errors/gateway-error.ts';

/** Looking at a draft may take seconds of the one thread that does all of managing: more at once would leave it to nobody else. */
const atOnce = 2;
const mostWaiting = 32;

let running = 0;
const waiting: (() => void)[] = [];

/**
 * Does work on a draft that is not stored, which whoever may read can ask for, when it is its turn.
 * @throws GatewayError `too_many_attempts` where too many wait already; what `work` throws
 */
export async function inDraftTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= atOnce) {
    if (waiting.length >= mostWaiting)
      throw new GatewayError('too_many_attempts', {
        detail: `${mostWaiting} drafts wait to be looked at; try again later.`,
        retryAfter: 1,
      });
    // Who goes leaves the place to the first that waits.
    await new Promise<void>((resolve) => void waiting.push(resolve));
  } else {
    running++;
  }
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}
