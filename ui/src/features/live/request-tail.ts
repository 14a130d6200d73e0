import { ApiProblem, problemOf } from '../../api/api-problem.ts';
import type { Item } from '../../api/admin-schema.ts';
import { readApi } from '../../api/call-api.ts';
import { ObservableValue } from '../../api/observable-value.ts';
import { readEvents, type StreamEvent } from '../../api/read-events.ts';
import { gatewayIsSilent, signedInAgain } from '../../api/session-state.ts';

export type FinishedRequest = Item<'/admin/requests'>;
export type TailQuery = Readonly<Record<string, string>>;

export interface TailState {
  /** Newest first, at most `maxRows`; undefined until the first are there. */
  readonly rows: readonly FinishedRequest[] | undefined;
  /** Requests that came in since the page was opened, shown or not. */
  readonly seen: number;
  /** Those of the last seconds, by the second. */
  readonly perSecond: number;
  /** Came in while the list holds still. */
  readonly waiting: number;
  /** What the gateway left out because this page, or the gateway itself, did not keep up. */
  readonly dropped: number;
  readonly connection: 'connecting' | 'live' | 'lost';
  /** Why there is no stream. */
  readonly problem: ApiProblem | undefined;
}

/** How many requests are shown: what somebody reads, not what there is. */
export const maxRows = 200;
/** Between two renderings, in milliseconds. */
const frame = 250;
/** Before the next try after a failure, in milliseconds. */
const pause = 2_000;
const rateSeconds = 3;

/**
 * Requests as they end, for a page that must stay calm at thousands a second: what comes in is only counted and put aside;
 * four times a second the newest are read and shown. It comes back by itself after a break, with what it missed.
 */
export class RequestTail {
  readonly state = new ObservableValue<TailState>({
    rows: undefined,
    seen: 0,
    perSecond: 0,
    waiting: 0,
    dropped: 0,
    connection: 'connecting',
    problem: undefined,
  });
  readonly #query: TailQuery;
  #waiting: string[] = [];
  #waitingCount = 0;
  #seen = 0;
  #dropped = 0;
  #seenBefore: number[] = [];
  #held = false;
  #lastEventId: string | undefined;
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  #flushedAt = 0;

  constructor(query: TailQuery) {
    this.#query = query;
  }

  /** Follows until the signal says to stop. */
  async follow(signal: AbortSignal): Promise<void> {
    const timer = setInterval(() => this.#measure(), 1_000);
    signal.addEventListener('abort', () => {
      clearInterval(timer);
      clearTimeout(this.#flushTimer);
      this.#flushTimer = undefined;
    });
    for (;;) {
      const problem = await this.#readOnce(signal).then(
        () => undefined,
        (error: unknown) => problemOf(error),
      );
      if (signal.aborted) return;
      this.#change({ connection: 'lost', problem });
      if (problem?.status === 0) gatewayIsSilent();
      if (problem?.status === 401) await signedInAgain();
      else await wait(pause, signal);
      if (signal.aborted) return;
    }
  }

  /** While it is held nothing that is shown moves. */
  hold(held: boolean): void {
    if (this.#held === held) return;
    this.#held = held;
    if (!held) this.#flush();
  }

  /** Takes away what is shown; what comes next begins the list anew. */
  clear(): void {
    this.#waiting = [];
    this.#waitingCount = 0;
    this.#change({ rows: [], waiting: 0 });
  }

  async #readOnce(signal: AbortSignal): Promise<void> {
    await readEvents('/admin/requests/stream', {
      query: this.#query,
      signal,
      lastEventId: this.#lastEventId,
      onOpen: () => {
        this.#change({ connection: 'live', problem: undefined });
        // After the stream is open, so that none falls between the two.
        if (this.#lastEventId === undefined) void this.#readEarlier(signal);
      },
      onEvent: (event) => this.#take(event),
    });
  }

  async #readEarlier(signal: AbortSignal): Promise<void> {
    const query = { ...this.#query, limit: String(maxRows) };
    const earlier = await readApi('/admin/requests', { query }, signal).catch((error: unknown) => problemOf(error));
    if (signal.aborted) return;
    if (earlier instanceof ApiProblem) this.#change({ problem: earlier });
    else this.#show([...(this.state.get().rows ?? []), ...earlier.data]);
  }

  #take({ name, data, id }: StreamEvent): void {
    if (name === 'request') {
      this.#seen += 1;
      this.#waitingCount += 1;
      this.#lastEventId = id;
      this.#waiting.push(data);
      if (this.#waiting.length >= 2 * maxRows) this.#waiting.splice(0, this.#waiting.length - maxRows);
    } else if (name === 'dropped') {
      this.#dropped += (JSON.parse(data) as { readonly count: number }).count;
    }
    this.#flushTimer ??= setTimeout(() => this.#flush(), Math.max(0, this.#flushedAt + frame - performance.now()));
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    this.#flushedAt = performance.now();
    if (this.#held) return this.#change({ waiting: this.#waitingCount, seen: this.#seen, dropped: this.#dropped });
    const fresh = this.#waiting
      .slice(-maxRows)
      .toReversed()
      .map((data) => JSON.parse(data) as FinishedRequest);
    this.#waiting = [];
    this.#waitingCount = 0;
    if (fresh.length > 0) this.#show([...fresh, ...(this.state.get().rows ?? [])]);
    this.#change({ waiting: 0, seen: this.#seen, dropped: this.#dropped });
  }

  #show(rows: readonly FinishedRequest[]): void {
    const known = new Set<string>();
    const isNew = (request: FinishedRequest): boolean => {
      const key = keyOf(request);
      return !known.has(key) && known.add(key) !== undefined;
    };
    this.#change({ rows: rows.filter(isNew).slice(0, maxRows) });
  }

  #measure(): void {
    this.#seenBefore.push(this.#seen);
    if (this.#seenBefore.length > rateSeconds + 1) this.#seenBefore.shift();
    const seconds = Math.max(1, this.#seenBefore.length - 1);
    this.#change({ perSecond: (this.#seen - (this.#seenBefore[0] ?? this.#seen)) / seconds });
  }

  #change(changes: Partial<TailState>): void {
    const before = this.state.get();
    const differs = (Object.keys(changes) as (keyof TailState)[]).some((name) => before[name] !== changes[name]);
    if (differs) this.state.set({ ...before, ...changes });
  }
}

/** Clients may send the same id twice. */
export function keyOf({ id, time }: Pick<FinishedRequest, 'id' | 'time'>): string {
  return `${id} ${time}`;
}

async function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
