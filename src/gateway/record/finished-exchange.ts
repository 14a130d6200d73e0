import type { ErrorCode } from '../../errors/catalogue.ts';

/** How an exchange ended, for people and metrics: one of few. */
export type ExchangeOutcome =
  | 'ok'
  | 'client_abort'
  | 'upstream_connect'
  | 'upstream_timeout'
  | 'upstream_reset'
  | 'upstream_protocol'
  | 'rejected'
  | 'overload';

/** Where an exchange stood when it went wrong; '' for one that came to its end. `request` is everything before the upstream is asked. */
export type ExchangePhase = '' | 'request' | 'connect' | 'send' | 'wait' | 'body' | 'tunnel';

/** What the recorder reads of an exchange that has ended, whatever its end. The exchange object itself is one. */
export interface FinishedExchange {
  readonly requestId: string;
  /** The id's bytes where it is 32 hexadecimal digits of our own, else null. */
  readonly requestIdDigits: Uint8Array | null;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** From the request head to the end, on a monotonic clock. */
  readonly durationMs: number;
  readonly method: string;
  /** As matched: lower case, without port. */
  readonly host: string;
  /** Without the query, which may hold secrets. */
  readonly rawPath: string;
  /** 0 when the exchange ended without a response. */
  readonly status: number;
  readonly outcome: ExchangeOutcome;
  /** Empty where there is none. */
  readonly routeId: string;
  /** Empty where there is none. */
  readonly upstreamId: string;
  /** Route and upstream as they stand in a line, made ready before: see routePartOf. null where they must be written. */
  readonly routePart: Uint8Array | null;
  readonly upstreamPart: Uint8Array | null;
  /** Empty where no key was used; logged as `anonymous`. */
  readonly keyId: string;
  readonly remoteAddress: string;
  /** Bytes of the request's body that came in. */
  readonly bytesIn: number;
  /** Bytes of the response's body that went out. */
  readonly bytesOut: number;
  /** WebSocket frames from the client and to it; -1 where the exchange was no WebSocket. */
  readonly framesIn: number;
  readonly framesOut: number;
  /** Server-sent events to the client; -1 where there could be none. */
  readonly events: number;
  /** The gateway's own error, if that is what the client got. */
  readonly code: ErrorCode | null;
  /** The plain cause for the operator; empty when there is nothing to say. Never holds a secret. */
  readonly reason: string;
  readonly phase: ExchangePhase;
  /** Of the upstream in shared memory; −1 where the request never came to one. */
  readonly upstreamSlot: number;
  /** Connections tried for this exchange. */
  readonly attempts: number;
  /** From the request's last byte to the upstream's response head; 0 when there was none. */
  readonly upstreamMs: number;
}
