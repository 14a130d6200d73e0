import type { FeedListener, LiveFeed } from '../control/live-feed.ts';
import { EventStream, eventText } from './event-stream.ts';

export interface LiveStreamOptions {
  readonly feed: LiveFeed;
  /** Whether the caller may still see this; asked every few seconds. */
  readonly isAllowed: () => Promise<boolean>;
  readonly tickMs?: number;
  /** Of events that wait for the reader; 4 MiB when not given. */
  readonly maxWaiting?: number;
}

/**
 * What goes on, as Server-Sent Events: see LiveFeed. A reader that falls behind is cut off: it comes back to a fresh state, where
 * old news would be of no use.
 * @throws GatewayError `too_many_listeners`
 */
export function liveStream(options: LiveStreamOptions): ReadableStream<Uint8Array> {
  return new LiveEvents(options).stream.body;
}

class LiveEvents implements FeedListener {
  readonly stream: EventStream;
  readonly #maxWaiting: number;
  #waiting = '';

  constructor({ feed, isAllowed, tickMs, maxWaiting = 4 * 1024 * 1024 }: LiveStreamOptions) {
    this.#maxWaiting = maxWaiting;
    let stop = (): void => {};
    this.stream = new EventStream(
      { hasEvents: () => this.#waiting !== '', takeEvents: () => this.#take(), onClose: () => stop() },
      { greeting: 'this is what goes on', isAllowed, tickMs },
    );
    try {
      stop = feed.listen(this);
    } catch (error) {
      void this.stream.body.cancel();
      throw error;
    }
  }

  onEvent(name: string, data: string): void {
    this.#waiting += eventText(name, data);
    if (this.#waiting.length > this.#maxWaiting) this.stream.breakOff('the stream of what goes on is not read fast enough');
    else this.stream.wake();
  }

  onEnd(): void {
    this.stream.end('the gateway stops');
  }

  #take(): string {
    const text = this.#waiting;
    this.#waiting = '';
    return text;
  }
}
