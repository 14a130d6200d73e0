/** Where the events of a stream come from. */
export interface EventSource {
  /** Whether there is something to tell now. */
  readonly hasEvents: () => boolean;
  /** Takes what there is, or a part of it, as text in the form of Server-Sent Events. */
  readonly takeEvents: () => string | Promise<string>;
  /** More for the comment that shows every few seconds that the stream lives. */
  readonly atTick?: () => string;
  /** The stream has ended, by either side; called once or more often. */
  readonly onClose: () => void;
}

export interface EventStreamOptions {
  /** The first thing sent, as a comment: the response's head goes out with it, and the client knows that it listens. */
  readonly greeting: string;
  /** Whether the caller may still see this; asked every few seconds. */
  readonly isAllowed: () => Promise<boolean>;
  /** Of heartbeats and of asking whether it is still allowed. */
  readonly tickMs?: number | undefined;
}

/**
 * A response of Server-Sent Events, written as fast as the client reads: what waits meanwhile is the source's to bound. It ends
 * with the event `end` and a reason, when the source says so or the caller may not see it any more, and breaks off where nobody
 * reads for a minute.
 */
export class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #source: EventSource;
  readonly #isAllowed: () => Promise<boolean>;
  readonly #timer: NodeJS.Timeout;
  #comment: string;
  #end = '';
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #pulling = false;
  #ticksUnread = 0;
  #closed = false;
  #wake: () => void = () => {};

  constructor(source: EventSource, { greeting, isAllowed, tickMs = 5_000 }: EventStreamOptions) {
    this.#source = source;
    this.#isAllowed = isAllowed;
    this.#comment = `: ${greeting}\n\n`;
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      pull: () => this.#pull(),
      cancel: () => this.#close(),
    });
    this.#timer = setInterval(() => void this.#tick(), tickMs).unref();
  }

  /** The source has something to tell. */
  wake(): void {
    this.#wake();
  }

  /** Ends once what there is has been told. */
  end(reason: string): void {
    this.#end = reason;
    this.#wake();
  }

  /** Breaks off at once. */
  breakOff(reason: string): void {
    if (this.#closed) return;
    this.#close();
    this.#controller!.error(new Error(reason));
  }

  async #pull(): Promise<void> {
    this.#ticksUnread = 0;
    this.#pulling = true;
    while (!this.#closed && !this.#source.hasEvents() && this.#comment === '' && this.#end === '') {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const events = await this.#source.takeEvents();
    let text = this.#comment + events;
    this.#comment = '';
    const ends = this.#end !== '' && !this.#source.hasEvents();
    if (ends) text += eventText('end', JSON.stringify({ reason: this.#end }));
    if (this.#closed) return;
    this.#pulling = false;
    this.#controller!.enqueue(Buffer.from(text));
    if (!ends) return;
    this.#close();
    this.#controller!.close();
  }

  #close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#source.onClose();
    this.#wake();
  }

  async #tick(): Promise<void> {
    // Whoever reads nothing, or was gone before it could, must not keep the place of another.
    if (!this.#pulling && ++this.#ticksUnread > maxTicksUnread) return this.breakOff('the stream of events is not read');
    this.#comment = `: alive\n\n${this.#source.atTick?.() ?? ''}`;
    // While the store cannot be asked, what was proved holds: that is when one wants to see most.
    if (!(await this.#isAllowed().catch(() => true))) this.#end = 'the session or token is no longer valid';
    this.#wake();
  }
}

/** A minute, as ticks go. */
const maxTicksUnread = 12;

/** One event. `data` is JSON, so it has no line ends. */
export function eventText(name: string, data: string, id?: string): string {
  return `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`;
}
