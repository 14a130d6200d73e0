import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from './eventually.ts';
import { entry, type Gateway } from './start-gateway.ts';

// Loaded into each thread of the gateway. Questions and answers are files in its working directory: a worker hears no signals.
const probe = `
  import { isMainThread, threadId, workerData } from 'node:worker_threads';
  import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
  import v8 from 'node:v8';
  import vm from 'node:vm';
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc');
  const index = isMainThread ? undefined : workerData?.index;
  const name = 'probe-' + (isMainThread ? 'main' : typeof index === 'number' ? index + 1 : 'other-' + threadId);
  const connection = typeof index !== 'number' ? undefined : (await import(${JSON.stringify(pathToFileURL(join(dirname(entry), `../http/server-connection${extname(entry)}`)).href)})).ServerConnection;
  setInterval(() => {
    if (!existsSync(name + '.ask')) return;
    gc();
    gc();
    const { heapUsed, external } = process.memoryUsage();
    const connections = connection === undefined ? 0 : v8.queryObjects(connection);
    const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    writeFileSync(name + '.new', JSON.stringify({ bytes: heapUsed + external, connections, timers }));
    rmSync(name + '.ask');
    renameSync(name + '.new', name + '.answer');
  }, 50).unref();
`;

/** Give it to the gateway's environment, so that `threadMemory` can ask. */
export const probeEnvironment: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(probe)}`,
};

/** What a thread of a gateway holds on to. */
export interface ThreadHoldings {
  /** Of its heap and of buffers, after a garbage collection. */
  readonly bytes: number;
  /** Client connections. */
  readonly connections: number;
  /** Timers that keep the thread alive. */
  readonly timers: number;
}

/** Asks a thread what it holds. Workers count from 1; one that takes the place of another has its number. */
export async function threadMemory(gateway: Gateway, thread: 'main' | number): Promise<ThreadHoldings> {
  const file = join(gateway.directory, `probe-${thread}`);
  rmSync(`${file}.answer`, { force: true });
  writeFileSync(`${file}.ask`, '');
  await eventually(() => existsSync(`${file}.answer`), `an answer of thread ${thread}`, 20_000);
  return JSON.parse(readFileSync(`${file}.answer`, 'utf8')) as ThreadHoldings;
}
