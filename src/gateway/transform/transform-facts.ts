import { randomUUID } from 'node:crypto';
import type { RequestHead } from '../../http/request-head.ts';
import { queryWithoutKey } from '../query-api-key.ts';
import { queryDecoded } from './byte-text.ts';
import type { PathCaptures } from '../path-captures.ts';

/** What templates and conditions ask of an exchange. */
export interface TransformSubject {
  readonly method: string;
  /** In lower case, without port. */
  readonly host: string;
  /** As it is matched: see normalisePath. */
  readonly path: string;
  readonly remoteAddress: string;
  readonly requestId: string;
  /** '' without a key. */
  readonly keyId: string;
  readonly keyPrefix: string;
}

/** What the templates of a route read of a request when its head is gone: those of bodies and of the response. */
export interface KeptOfRequest {
  /** Lower-case names of fields. */
  readonly headers: readonly string[];
  readonly query: boolean;
}

/** Values of template variables for one exchange; `uuid` and the time do not change within it. */
export class TransformFacts {
  readonly subject: TransformSubject;
  readonly #captures: PathCaptures;
  readonly #takesKeys: boolean;
  #head: RequestHead | null;
  #query: string | null = null;
  #headers: ReadonlyMap<string, string> | null = null;
  #captured: readonly string[] | null = null;
  #uuid = '';
  #now = 0;

  /** `takesKeys`: the route takes API keys from the query, where they end here. */
  constructor(subject: TransformSubject, head: RequestHead, captures: PathCaptures, takesKeys: boolean) {
    this.subject = subject;
    this.#head = head;
    this.#captures = captures;
    this.#takesKeys = takesKeys;
  }

  /** The head is about to be overwritten: keeps what will be asked for. */
  leaveHead(kept: KeptOfRequest | null): void {
    if (kept !== null) {
      if (kept.headers.length > 0) this.#headers = new Map(kept.headers.map((name) => [name, this.header(name)]));
      if (kept.query) this.#query = this.query;
    }
    this.#head = null;
  }

  get uuid(): string {
    if (this.#uuid === '') this.#uuid = randomUUID();
    return this.#uuid;
  }

  /** Milliseconds since the epoch. */
  get now(): number {
    if (this.#now === 0) this.#now = Date.now();
    return this.#now;
  }

  captured(slot: number): string {
    this.#captured ??= this.#captures.read(this.subject.path);
    return this.#captured[slot] ?? '';
  }

  /** Value of a request field by its lower-case name, '' when there is none. */
  header(name: string): string {
    if (this.#head === null) return this.#headers?.get(name) ?? '';
    return withoutApiKey(this.#head.fields.valueOf(name) ?? '');
  }

  /** The request's query as it came, without the question mark and without what is for the gateway: see queryWithoutKey. */
  get query(): string {
    if (this.#query !== null) return this.#query;
    return this.#head === null ? '' : queryWithoutKey(this.#head, this.#takesKeys);
  }

  /** Decoded value of the first query parameter of that name, '' when there is none. */
  parameter(name: string): string {
    for (const part of this.query.split('&')) {
      const equals = part.indexOf('=');
      if (queryDecoded(equals < 0 ? part : part.slice(0, equals)) === name)
        return equals < 0 ? '' : withoutApiKey(queryDecoded(part.slice(equals + 1)));
    }
    return '';
  }
}

// A key of ours never goes on to an upstream, under another name neither.
function withoutApiKey(value: string): string {
  return value.includes('ak_') && /ak_[0-9a-f]{64}/i.test(value) ? '' : value;
}
