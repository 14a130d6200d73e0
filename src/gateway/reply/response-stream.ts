import { kind } from '../../http/known-fields.ts';
import type { ResponseHead } from '../../http/response-head.ts';
import type { RouteProtocol } from '../../model/route.ts';
import type { WorkerCounters } from '../../telemetry/shared-counters.ts';
import { EventCounter } from './event-counter.ts';
import { isEventStream } from './is-event-stream.ts';

/**
 * The response as a stream, or null where it is none: server-sent events on any route, and whatever comes on a route of protocol
 * `sse` or `http_stream`.
 */
export function openResponseStream(
  head: ResponseHead,
  protocol: RouteProtocol | undefined,
  counters: WorkerCounters,
): ResponseStream | null {
  const hasEvents = isEventStream(head.fields);
  if (!hasEvents && protocol !== 'sse' && protocol !== 'http_stream') return null;
  const coded = head.fields.find(kind.contentEncoding) >= 0;
  const mayBeSilent = hasEvents || (protocol === 'sse' && head.status < 300);
  return new ResponseStream(counters, mayBeSilent, hasEvents && !coded ? new EventCounter() : null);
}

/** A response that is watched while it is under way, not only when it has ended. */
export class ResponseStream {
  /** May be silent for as long as it likes: the upstream's timeout_ms rests. */
  readonly mayBeSilent: boolean;
  private readonly counters: WorkerCounters;
  /** null where there are no events, or where a content coding hides them. */
  private readonly counter: EventCounter | null;

  constructor(counters: WorkerCounters, mayBeSilent: boolean, counter: EventCounter | null) {
    this.counters = counters;
    this.mayBeSilent = mayBeSilent;
    this.counter = counter;
    counters.streamOpened();
  }

  /** Events that went by; -1 where they are not counted. */
  get events(): number {
    return this.counter === null ? -1 : this.counter.events;
  }

  /** Content on its way to the client. */
  count(bytes: Uint8Array, start: number, end: number): void {
    const { counter, counters } = this;
    counters.streamSent(end - start);
    if (counter === null) return;
    const before = counter.events;
    counter.count(bytes, start, end);
    counters.eventsSent(counter.events - before);
  }

  /** The response has ended, whatever its end. Once. */
  closed(): void {
    this.counters.streamClosed();
  }
}
