import { randomBytes } from 'node:crypto';
import { GatewayError } from '../errors/gateway-error.ts';
import type { RecordedRequest } from '../model/finished-request.ts';
import { LineRing, linesOf, type NumberedLine } from '../telemetry/line-ring.ts';
import type { Page } from './control-context.ts';
import { isOwnRequest, readRecordedRequest } from './recorded-request.ts';
import { type RequestFilter, requestMatcher } from './request-filter.ts';

/** A record with its number, in the order in which requests ended (workers tell of theirs within a tenth of a second). */
export interface NumberedRequest {
  readonly number: number;
  readonly request: RecordedRequest;
}

/** Hears of requests as they end. Called for each one that its filter lets through; must not take long. */
export interface RequestListener {
  readonly filter: RequestFilter;
  onRequest(finished: NumberedRequest): void;
  /** No more will come: the gateway stops. */
  onEnd(): void;
}

export interface FinishedRequestsOptions {
  readonly maxRequests?: number;
  /** Of each kind of error that is kept apart. */
  readonly maxErrors?: number;
  readonly maxListeners?: number;
}

/**
 * The requests that ended last. Errors are kept apart as well, those that somebody other than the client must mend and those that
 * are the client's, so that neither traffic nor the other kind pushes them out. What workers wrote is kept as it came and read
 * when somebody asks; nothing here is stored anywhere else.
 */
export class FinishedRequests {
  readonly #all: LineRing;
  readonly #failures: LineRing;
  readonly #refusals: LineRing;
  readonly #listeners = new Map<RequestListener, (request: RecordedRequest) => boolean>();
  readonly #maxListeners: number;
  /** Tells the numbers of this start from those of another. */
  readonly instance = randomBytes(4).toString('hex');
  #next = 1;
  #ended = false;

  constructor(options: FinishedRequestsOptions = {}) {
    const { maxRequests = 5_000, maxErrors = 500, maxListeners = 20 } = options;
    this.#all = new LineRing({ maxLines: maxRequests, maxBytes: 8 * mebibyte });
    this.#failures = new LineRing({ maxLines: maxErrors, maxBytes: mebibyte });
    this.#refusals = new LineRing({ maxLines: maxErrors, maxBytes: mebibyte });
    this.#maxListeners = maxListeners;
  }

  /** Takes what a worker wrote, in lines, each with its line end; nothing of it is needed afterwards. `errors`: whether some are. */
  take({ lines, count, errors }: { readonly lines: Uint8Array; readonly count: number; readonly errors: boolean }): void {
    const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
    const first = this.#next;
    this.#next += count;
    this.#all.add(bytes, first, count);
    if (errors) this.#keepErrors(bytes, first);
    if (this.#listeners.size > 0) this.#tell(bytes, first);
  }

  /** Newest first. The cursor is the number of the last one shown, so that what comes meanwhile moves nothing. */
  list(filter: RequestFilter, query: { readonly limit?: number; readonly cursor?: string }): Page<RecordedRequest> {
    const { limit = 100, cursor } = query;
    if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) {
      throw new GatewayError('validation_failed', { errors: [{ field: 'cursor', message: 'leads nowhere; begin again without it' }] });
    }
    const before = cursor === undefined ? Number.POSITIVE_INFINITY : Number(cursor);
    const matches = requestMatcher(filter);
    const data: RecordedRequest[] = [];
    let total = 0;
    let last = 0;
    let more = false;
    for (const { number, bytes } of this.#newestFirst()) {
      const request = readRecordedRequest(bytes);
      if (!matches(request)) continue;
      total++;
      if (number >= before) continue;
      if (data.length < limit) {
        data.push(request);
        last = number;
      } else {
        more = true;
      }
    }
    return { data, total, next_cursor: more ? String(last) : null };
  }

  /** The last requests that ended, the newest first, without those to the gateway's own paths. */
  newest(count: number): RecordedRequest[] {
    const found: RecordedRequest[] = [];
    for (const { bytes } of this.#all.newestFirst()) {
      if (found.length >= count) break;
      const request = readRecordedRequest(bytes);
      if (!isOwnRequest(request)) found.push(request);
    }
    return found;
  }

  /**
   * The newest request of this id.
   * @throws GatewayError `not_found`
   */
  find(id: string): RecordedRequest {
    // As it stands in the line: an id that a proxy gave may hold quotes.
    const mark = Buffer.from(`"request_id":${JSON.stringify(id)}`, 'latin1');
    for (const { bytes } of this.#newestFirst()) {
      if (bytes.includes(mark)) return readRecordedRequest(bytes);
    }
    throw new GatewayError('not_found', {
      detail: 'No request of this id is among those that ended last. Older ones are in the log.',
    });
  }

  /** Requests that ended after the one of this number, oldest first: for a listener that was away. */
  after(number: number, filter: RequestFilter): NumberedRequest[] {
    const matches = requestMatcher(filter);
    const missed: NumberedRequest[] = [];
    for (const line of this.#newestFirst()) {
      if (line.number <= number) break;
      const request = readRecordedRequest(line.bytes);
      if (matches(request)) missed.push({ number: line.number, request });
    }
    return missed.toReversed();
  }

  /**
   * From now on the listener hears of requests. Answers with how to stop that.
   * @throws GatewayError `too_many_listeners`
   */
  listen(listener: RequestListener): () => void {
    if (this.#ended) throw new GatewayError('draining');
    if (this.#listeners.size >= this.#maxListeners) throw new GatewayError('too_many_listeners');
    this.#listeners.set(listener, requestMatcher(listener.filter));
    return () => void this.#listeners.delete(listener);
  }

  /** The gateway stops: listeners end. */
  end(): void {
    this.#ended = true;
    for (const listener of this.#listeners.keys()) listener.onEnd();
    this.#listeners.clear();
  }

  #keepErrors(bytes: Buffer, first: number): void {
    for (const { number, bytes: line } of linesOf(bytes, first)) {
      const hasCode = line.includes(codeMark);
      if (!hasCode && !line.includes(serverErrorMark)) continue;
      const ring = hasCode && line.includes(infoMark) ? this.#refusals : this.#failures;
      // With its line end, which stands behind it.
      ring.add(bytes.subarray(line.byteOffset - bytes.byteOffset, line.byteOffset - bytes.byteOffset + line.length + 1), number, 1);
    }
  }

  #tell(bytes: Buffer, first: number): void {
    for (const { number, bytes: line } of linesOf(bytes, first)) {
      const request = readRecordedRequest(line);
      for (const [listener, matches] of this.#listeners) if (matches(request)) listener.onRequest({ number, request });
    }
  }

  /** Every line once: the last ones whole, then what is left of older errors. */
  *#newestFirst(): Generator<NumberedLine> {
    yield* this.#all.newestFirst();
    const { oldest } = this.#all;
    const rings = [this.#failures.newestFirst(oldest), this.#refusals.newestFirst(oldest)];
    let heads = rings.map((ring) => ring.next());
    for (;;) {
      const newest = heads.reduce((best, head, at) => (numberOf(head) > numberOf(heads[best]!) ? at : best), 0);
      const { value, done } = heads[newest]!;
      if (done === true) return;
      yield value;
      heads = heads.with(newest, rings[newest]!.next());
    }
  }
}

const mebibyte = 1024 * 1024;
// Texts in a line have their quotes escaped, so none of these can be a part of one.
const codeMark = Buffer.from(',"code":"');
const serverErrorMark = Buffer.from(',"status":5');
const infoMark = Buffer.from('{"level":"info"');

function numberOf(head: IteratorResult<NumberedLine>): number {
  return head.done === true ? -1 : head.value.number;
}
