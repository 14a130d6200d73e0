import { useSyncExternalStore } from 'react';
import type { LiveTrafficEvent } from '../../../src/model/traffic.ts';
import { pollInterval, queryClient, revisionKey } from './query-client.ts';

/** `polling`: the stream cannot be had, so figures are read every few seconds instead. */
export type LiveMode = 'connecting' | 'live' | 'polling' | 'paused';

/** What an upstream does just now, as the stream told last. */
export interface LiveFigures {
  /** When, in milliseconds since 1970. */
  readonly at: number;
  readonly active: number;
  readonly idle: number;
  readonly lastUsedAt: string | null;
}

export interface Live {
  readonly mode: LiveMode;
  /** Of the gateway config, as every worker serves it; undefined before it was told. */
  readonly revision: number | undefined;
  /** The last two seconds; undefined before they were told, and without the stream. */
  readonly traffic: LiveTrafficEvent | undefined;
  /** Of each upstream that the stream told of so far. */
  readonly upstreams: ReadonlyMap<string, LiveFigures>;
  /** For queries of what moves: how often to read it again, in milliseconds. */
  readonly refetchInterval: number | false;
}

/** How long figures that are told in cells of ten seconds stay good while the stream tells the rest. */
const cellInterval = 10_000;
/** The stream tells something every two seconds; silence for so long is a broken connection. */
const silence = 10_000;
const retryAfter = 10_000;
/** Bridges the moment between two pages that both follow. */
const lingering = 1_000;

const nothingYet: Live = {
  mode: 'connecting',
  revision: undefined,
  traffic: undefined,
  upstreams: new Map(),
  refetchInterval: pollInterval,
};

/**
 * The one live stream of the admin UI (`GET /admin/live`): open while a page follows it, the tab can be seen, and nobody has
 * paused it. A new revision, and an upstream's health that changed, make what shows them be read again.
 */
class LiveStream {
  #state = nothingYet;
  readonly #listeners = new Set<() => void>();
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  get = (): Live => this.#state;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    clearTimeout(this.#leaving);
    if (this.#listeners.size === 1) {
      document.addEventListener('visibilitychange', this.#seen);
      this.#seen();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      document.removeEventListener('visibilitychange', this.#seen);
      this.#leaving = setTimeout(() => this.#close(), lingering);
    };
  };

  pause = (paused: boolean): void => {
    if (paused) {
      this.#close();
      this.#set({ mode: 'paused', refetchInterval: false });
    } else {
      this.#set({ mode: 'connecting', refetchInterval: pollInterval });
      this.#seen();
      void queryClient.invalidateQueries({ queryKey: ['traffic'] });
    }
  };

  readonly #seen = (): void => {
    if (document.hidden) this.#close();
    else if (this.#source === undefined && this.#state.mode !== 'paused') this.#open();
  };

  #open(): void {
    this.#close();
    const source = (this.#source = new EventSource('/admin/live'));
    source.addEventListener('revision', ({ data }: MessageEvent<string>) => this.#served(data));
    source.addEventListener('health', () => this.#changed('health', 'traffic', 'events'));
    source.addEventListener('traffic', ({ data }: MessageEvent<string>) => this.#moved(JSON.parse(data) as LiveTrafficEvent));
    source.addEventListener('error', () => this.#lost());
    this.#timer = setTimeout(() => this.#again(), silence);
  }

  /** Also on a stream that ended as it should: it is asked for again, and whoever may not see it any more is told by other calls. */
  #lost(): void {
    this.#set({ mode: 'polling', traffic: undefined, refetchInterval: pollInterval });
    // Whether the gateway is gone altogether is known at once then.
    void queryClient.invalidateQueries({ queryKey: revisionKey });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#again(), retryAfter);
  }

  #again(): void {
    this.#set({ mode: 'polling', traffic: undefined, refetchInterval: pollInterval });
    this.#open();
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }

  #alive(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#again(), silence);
    if (this.#state.mode !== 'live') this.#set({ mode: 'live', refetchInterval: cellInterval });
  }

  #served(data: string): void {
    this.#alive();
    const { revision } = JSON.parse(data) as { readonly revision: number };
    const before = this.#state.revision;
    this.#set({ revision });
    if (before === undefined || before === revision) return;
    void queryClient.invalidateQueries({ queryKey: revisionKey });
    this.#changed('upstreams', 'routes', 'keys', 'history', 'events', 'traffic');
  }

  #changed(...resources: string[]): void {
    this.#alive();
    for (const resource of resources) void queryClient.invalidateQueries({ queryKey: [resource] });
  }

  #moved(traffic: LiveTrafficEvent): void {
    this.#alive();
    const upstreams = new Map(this.#state.upstreams);
    const at = Date.parse(traffic.at);
    for (const { upstream_id: id, active, idle, last_used_at: lastUsedAt } of traffic.upstreams)
      upstreams.set(id, { at, active, idle, lastUsedAt });
    this.#set({ traffic, upstreams });
  }

  #set(change: Partial<Live>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

const stream = new LiveStream();

/** Stops or goes on with all figures that move by themselves. */
export const pauseLive = stream.pause;

/** What goes on at the gateway, told as it happens; see `refetchInterval` for what is read beside it. */
export function useLive(): Live {
  return useSyncExternalStore(stream.subscribe, stream.get);
}
