import type { FinishedRequests, NumberedRequest, RequestListener } from '../control/finished-requests.ts';
import type { RequestFilter } from '../control/request-filter.ts';
import { EventStream, eventText } from './event-stream.ts';

export interface RequestStreamOptions {
  readonly requests: FinishedRequests;
  readonly filter: RequestFilter;
  /** `Last-Event-ID` of a client that comes back: it gets what it missed, as far as that is still there. */
  readonly lastEventId?: string | undefined;
  /** What workers wrote of requests, as the JSON of FinishedRequests. */
  readonly textsOf: (lines: readonly string[]) => Promise<readonly string[]>;
  /** Whether the caller may still see this; asked every few seconds. */
  readonly isAllowed: () => Promise<boolean>;
  /** Finished requests that workers could not tell of, since the start. */
  readonly recordsDropped: () => number;
  /** Of heartbeats and of asking whether it is still allowed. */
  readonly tickMs?: number;
}

/**
 * Requests as they end, as Server-Sent Events: `request` with the request as its data, `dropped` with how many were left out
 * because the client (`"where":"listener"`) or the gateway (`"where":"gateway"`) did not keep up, and `end` with the reason.
 * A comment every few seconds shows that the stream lives.
 * @throws GatewayError `too_many_listeners`
 */
export function requestStream(options: RequestStreamOptions): ReadableStream<Uint8Array> {
  return new RequestEvents(options).stream.body;
}

class RequestEvents implements RequestListener {
  readonly filter: RequestFilter;
  readonly stream: EventStream;
  readonly #options: RequestStreamOptions;
  #queue: NumberedRequest[] = [];
  #dropped = 0;
  #gatewayDropped: number;

  constructor(options: RequestStreamOptions) {
    const { requests, filter, lastEventId, isAllowed, tickMs } = options;
    this.#options = options;
    this.filter = filter;
    this.#gatewayDropped = options.recordsDropped();
    const stop = requests.listen(this);
    this.stream = new EventStream(
      {
        hasEvents: () => this.#queue.length > 0 || this.#dropped > 0,
        takeEvents: () => this.#takeEvents(),
        atTick: () => this.#droppedByGateway(),
        onClose: stop,
      },
      { greeting: 'these are the requests as they end', isAllowed, tickMs },
    );
    const [instance, number] = lastEventId?.split('-') ?? [];
    if (instance === requests.instance && /^\d{1,15}$/.test(number ?? '')) this.onRequests(requests.after(Number(number), filter));
  }

  onRequests(finished: readonly NumberedRequest[]): void {
    const room = Math.max(0, maxQueue - this.#queue.length);
    this.#queue.push(...finished.slice(0, room));
    this.#dropped += Math.max(0, finished.length - room);
    this.stream.wake();
  }

  onEnd(): void {
    this.stream.end('the gateway stops');
  }

  async #takeEvents(): Promise<string> {
    const { requests, textsOf } = this.#options;
    const batch = this.#queue.splice(0, maxBatch);
    const texts = await textsOf(batch.map(({ line }) => line));
    let text = '';
    for (const [at, { number }] of batch.entries()) {
      text += eventText('request', texts[at]!, `${requests.instance}-${number}`);
    }
    if (this.#queue.length === 0 && this.#dropped > 0) {
      text += droppedText(this.#dropped, 'listener');
      this.#dropped = 0;
    }
    return text;
  }

  #droppedByGateway(): string {
    const before = this.#gatewayDropped;
    this.#gatewayDropped = this.#options.recordsDropped();
    return this.#gatewayDropped > before ? droppedText(this.#gatewayDropped - before, 'gateway') : '';
  }
}

const maxQueue = 1_000;
const maxBatch = 500;

function droppedText(count: number, where: 'listener' | 'gateway'): string {
  return eventText('dropped', JSON.stringify({ count, where }));
}
