import type { ErrorCode } from '../../errors/catalogue.ts';

/** A transformation that cannot be done for this message: nothing of the message may go on. */
export class TransformFailure extends Error {
  readonly code: ErrorCode;
  /** Of the answer: 400 and 413 where the request is at fault, 500 a template, 502 the response. */
  readonly status: number;

  constructor(status: 400 | 413 | 500 | 502, reason: string) {
    super(reason);
    this.code = status === 413 ? 'body_too_large' : 'transform_error';
    this.status = status;
  }
}
