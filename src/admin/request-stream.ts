import type { FinishedRequests, NumberedRequest, RequestListener } from '../control/finished-requests.ts';
import type { RequestFilter } from '../control/request-filter.ts';
import type { FinishedRequest, RecordedRequest } from '../model/finished-request.ts';

export interface RequestStreamOptions {
  readonly requests: FinishedRequests;
  readonly filter: RequestFilter;
  /** `Last-Event-ID` of a client that comes back: it gets what it missed, as far as that is still there. */
  readonly lastEventId?: string | undefined;
  readonly addNames: (requests: readonly RecordedRequest[]) => Promise<FinishedRequest[]>;
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
  const source = new RequestEvents(options);
  return new ReadableStream<Uint8Array>({
    start: (controller) => source.start(controller),
    pull: () => source.pull(),
    cancel: () => source.close(),
  });
}

class RequestEvents implements RequestListener {
  readonly filter: RequestFilter;
  readonly #options: RequestStreamOptions;
  readonly #stop: () => void;
  readonly #timer: NodeJS.Timeout;
  #queue: NumberedRequest[] = [];
  #dropped = 0;
  #gatewayDropped: number;
  // The first thing sent: the head goes out with it, and the client knows that it listens.
  #comment = ': these are the requests as they end\n\n';
  #end = '';
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #pulling = false;
  #ticksUnread = 0;
  #closed = false;
  #wake: () => void = () => {};

  constructor(options: RequestStreamOptions) {
    const { requests, filter, lastEventId, tickMs = 5_000 } = options;
    this.#options = options;
    this.filter = filter;
    this.#gatewayDropped = options.recordsDropped();
    this.#stop = requests.listen(this);
    const [instance, number] = lastEventId?.split('-') ?? [];
    if (instance === requests.instance && /^\d{1,15}$/.test(number ?? ''))
      for (const missed of requests.after(Number(number), filter)) this.onRequest(missed);
    this.#timer = setInterval(() => void this.#tick(), tickMs).unref();
  }

  onRequest(finished: NumberedRequest): void {
    if (this.#queue.length < maxQueue) this.#queue.push(finished);
    else this.#dropped++;
    this.#wake();
  }

  onEnd(): void {
    this.#end = 'the gateway stops';
    this.#wake();
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
  }

  async pull(): Promise<void> {
    this.#ticksUnread = 0;
    this.#pulling = true;
    while (!this.#closed && this.#queue.length === 0 && this.#dropped === 0 && this.#comment === '' && this.#end === '') {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const batch = this.#queue.splice(0, maxBatch);
    const named = await this.#options.addNames(batch.map(({ request }) => request));
    let text = this.#comment;
    this.#comment = '';
    for (const [at, { number }] of batch.entries()) {
      text += event('request', named[at]!, `${this.#options.requests.instance}-${number}`);
    }
    if (this.#queue.length === 0 && this.#dropped > 0) {
      text += event('dropped', { count: this.#dropped, where: 'listener' });
      this.#dropped = 0;
    }
    const ends = this.#queue.length === 0 && this.#end !== '';
    if (ends) text += event('end', { reason: this.#end });
    if (this.#closed) return;
    this.#pulling = false;
    this.#controller!.enqueue(Buffer.from(text));
    if (!ends) return;
    this.close();
    this.#controller!.close();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#stop();
    this.#wake();
  }

  async #tick(): Promise<void> {
    if (!this.#pulling && ++this.#ticksUnread > maxTicksUnread) {
      // Whoever reads nothing, or was gone before it could, must not keep the place of another.
      this.close();
      this.#controller!.error(new Error('the stream of requests is not read'));
      return;
    }
    this.#comment = ': alive\n\n';
    const dropped = this.#options.recordsDropped();
    if (dropped > this.#gatewayDropped) this.#comment += event('dropped', { count: dropped - this.#gatewayDropped, where: 'gateway' });
    this.#gatewayDropped = dropped;
    // While the store cannot be asked, what was proved holds: that is when one wants to see most.
    if (!(await this.#options.isAllowed().catch(() => true))) this.#end = 'the session or token is no longer valid';
    this.#wake();
  }
}

/** A minute, as ticks go. */
const maxTicksUnread = 12;
const maxQueue = 1_000;
const maxBatch = 100;

function event(name: string, data: object, id?: string): string {
  return `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}
