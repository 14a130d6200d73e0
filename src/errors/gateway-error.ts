import { errorCatalogue, type ErrorCode } from './catalogue.ts';

/** One rejected field of an input: `field` is a dotted path into the JSON body. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

export interface GatewayErrorOptions {
  /** Text for the caller; defaults to the catalogue's `detail`. Must not hold a secret or an upstream's address. */
  readonly detail?: string;
  /** Every field at fault, when the error is about an input. */
  readonly errors?: readonly FieldError[];
  /** For the operator's log only: what happened underneath. */
  readonly cause?: unknown;
  /** Seconds for a `Retry-After` header. */
  readonly retryAfter?: number;
}

/**
 * The one error class that crosses module borders. Its `code` leads to status, fault, retryability and
 * texts in the catalogue. The forwarding path passes codes as values instead and never throws.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly errors: readonly FieldError[];
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, options: GatewayErrorOptions = {}) {
    super(options.detail ?? errorCatalogue[code].detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.errors = options.errors ?? [];
    this.retryAfter = options.retryAfter;
  }

  get status(): number {
    return errorCatalogue[this.code].status;
  }
}
