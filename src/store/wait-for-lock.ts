import { setTimeout as sleep } from 'node:timers/promises';
import { isBusy } from './sqlite-errors.ts';

/** How long a transaction waits for another process's lock before it is refused, in milliseconds. */
export const lockWaitLimit = 5000;

/**
 * Tries something again, on a timer, as long as another connection's lock is in its way. SQLite's own
 * busy_timeout would sleep inside the event loop. Throws the last error when `deadline` (of performance.now())
 * has passed; always tries at least once.
 */
export async function waitForLock<T>(attempt: () => T, deadline: number): Promise<T> {
  for (let pause = 1; ; pause = Math.min(pause * 2, 25)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    await sleep(pause);
  }
}
