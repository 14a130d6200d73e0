import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../errors/gateway-error.ts';
import type { ControlContext } from './control-context.ts';
import { markServingKey } from './serving-key.ts';

export interface FollowOptions {
  /** How often the store is asked whether anything was committed, in milliseconds. */
  readonly interval?: number;
  /** How often credential files are looked at, in milliseconds. */
  readonly fileInterval?: number;
}

export interface Follower {
  /** Looks at once instead of at the next tick; for tests and for signals. */
  look(): Promise<void>;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

const servedEntry = 'served_revision';

/**
 * Publishes the whole gateway config once, then keeps the workers on what is committed, by whatever process,
 * and on the content of credential files. Which revision is served it says in the store, for other processes
 * that wait for theirs. When the store is gone the workers go on with what they have, and this goes on asking.
 * @throws GatewayError when the first publish fails
 */
export async function followStore(context: ControlContext, options: FollowOptions = {}): Promise<Follower> {
  const { interval = 150, fileInterval = 1000 } = options;
  const state: FollowState = { context, dataVersion: undefined, marked: -1, markedKey: undefined, lost: false };
  await catchUp(state);

  let stopped = false;
  let nextFileLook = performance.now() + fileInterval;
  let looking: Promise<void> = Promise.resolve();
  const look = (): Promise<void> => {
    const files = performance.now() >= nextFileLook;
    if (files) nextFileLook = performance.now() + fileInterval;
    looking = looking.then(() => lookOnce(state, files));
    return looking;
  };
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    if (!stopped) timer = setTimeout(() => void look().then(wait), interval);
  };
  wait();
  return {
    look: async () => {
      nextFileLook = 0;
      await look();
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await looking;
    },
  };
}

/**
 * For a process without workers that has committed a revision: waits until the running gateway serves it.
 * @returns true when it is served everywhere, or when no gateway runs and so nothing older is served;
 *   false when it was not served in time
 */
export async function waitUntilServed(context: ControlContext, revision: number, timeoutMs: number): Promise<boolean> {
  if (context.publishing.serves) {
    await context.publishing.reach(revision);
    return true;
  }
  const deadline = performance.now() + timeoutMs;
  for (let round = 0; ; round += 1) {
    try {
      if (round % 10 === 0 && !(await context.store.isServed())) return true;
      const served = await context.store.read((tx) => tx.meta.get(servedEntry));
      if (served !== undefined && Number(served) >= revision) return true;
    } catch (error) {
      // The change is committed all the same; whether it is served cannot be told.
      context.logger.warn({ err: error }, 'the store could not be asked whether the change is served');
      return false;
    }
    if (performance.now() >= deadline) return false;
    await sleep(20);
  }
}

interface FollowState {
  readonly context: ControlContext;
  dataVersion: number | undefined;
  /** The revision that the store says is served. */
  marked: number;
  /** What the store says of this gateway's keys. */
  markedKey: string | undefined;
  /** Whether the store could not be asked last time. */
  lost: boolean;
}

async function lookOnce(state: FollowState, files: boolean): Promise<void> {
  const { context } = state;
  try {
    if (files) await context.publishing.refreshFiles();
    const dataVersion = await context.store.dataVersion();
    if (dataVersion !== state.dataVersion) {
      await catchUp(state);
      state.dataVersion = dataVersion;
    }
    if (state.lost) context.logger.info({}, 'the store is back; changes are followed again');
    state.lost = false;
  } catch (error) {
    // Publishing has logged its own failure, and is tried again at the next tick.
    if (error instanceof GatewayError && error.code === 'publish_failed') return;
    if (!state.lost) context.logger.error({ err: error }, 'the store cannot be followed; traffic goes on with the last gateway config');
    state.lost = true;
  }
}

async function catchUp(state: FollowState): Promise<void> {
  const { context } = state;
  const { publishing, store } = context;
  // Before the publish, which opens what another process may have sealed with a new key.
  state.markedKey = await markServingKey(store, context.sealer, state.markedKey);
  const revision = await store.read((tx) => tx.revision());
  if (revision < publishing.servedRevision) {
    context.logger.warn(
      { revision, served: publishing.servedRevision },
      'the store went back to an earlier revision; the whole gateway config is published',
    );
    publishing.startAnew();
    state.marked = -1;
  }
  await publishing.reach(revision);
  // At most one small write a tick, and none when nothing changes.
  if (state.marked >= revision) return;
  await store.write((tx) => tx.meta.set(servedEntry, String(revision)));
  state.marked = revision;
}
