import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import type { Gateway } from './start-gateway.ts';

// Loaded into each worker of the gateway. What is to happen is asked for by a file in its working directory, and so is each birth told.
const fault = `
  import { isMainThread, workerData } from 'node:worker_threads';
  import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
  if (!isMainThread && workerData !== null && typeof workerData.index === 'number') {
    appendFileSync('births-' + workerData.index, '.');
    const file = 'fault-' + workerData.index;
    setInterval(() => {
      if (!existsSync(file)) return;
      const what = readFileSync(file, 'utf8');
      if (what === '') return;
      rmSync(file);
      if (what === 'spin') for (;;);
      throw new Error('a fault that the test asked for');
    }, 20).unref();
  }
`;

/** Give it to the gateway's environment, so that `strike` can do harm. */
export const faultEnvironment: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}`,
};

/** Makes a worker throw an error that nobody catches, or spin for ever. Resolves when it has begun to. */
export async function strike(gateway: Gateway, index: number, what: 'throw' | 'spin'): Promise<void> {
  const file = join(gateway.directory, `fault-${index}`);
  writeFileSync(file, what);
  await eventually(() => !existsSync(file), `worker ${index} to hear of its fault`, 20_000);
}

/** How often a worker of that index was started. */
export function births(gateway: Gateway, index: number): number {
  const file = join(gateway.directory, `births-${index}`);
  return existsSync(file) ? readFileSync(file, 'utf8').length : 0;
}
