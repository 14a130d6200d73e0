import { setImmediate } from 'node:timers/promises';

/** For tests: what work answers, and how often the event loop turned for others meanwhile. */
export async function countTurns<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly turns: number }> {
  const progress = { over: false, turns: 0 };
  const counting = (async () => {
    while (!progress.over) {
      await setImmediate();
      progress.turns += 1;
    }
  })();
  try {
    const value = await work();
    return { value, turns: progress.turns };
  } finally {
    progress.over = true;
    await counting;
  }
}
