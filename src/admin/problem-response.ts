import { HTTPException } from 'hono/http-exception';
import type { ErrorCode } from '../errors/catalogue.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { problemMediaType, problemOfError } from '../errors/problem.ts';

/** Where the causes of errors go that are not the caller's doing; pino's logger fits. */
export interface AdminLog {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** What is known of a request that failed; never its query, headers or body. */
export interface FailedRequest {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
}

/** Turns whatever was thrown into the answer. What the caller cannot mend goes to the log with its cause. */
export function problemResponse(thrown: unknown, request: FailedRequest, log: AdminLog): Response {
  const error = asGatewayError(thrown);
  if (error.status >= 500) {
    const details = {
      request_id: request.requestId,
      method: request.method,
      path: request.path,
      code: error.code,
      err: error.cause ?? error,
    };
    if (error.code === 'internal_error') log.error(details, 'an admin request failed unexpectedly');
    else log.warn(details, 'an admin request failed');
  }
  const headers = new Headers({ 'Content-Type': problemMediaType });
  if (error.retryAfter !== undefined) headers.set('Retry-After', String(error.retryAfter));
  // RFC 9110 section 11.6.1: a 401 names at least one way to authenticate.
  if (error.status === 401) headers.set('WWW-Authenticate', 'Bearer realm="apigate"');
  return new Response(JSON.stringify(problemOfError(error, request.requestId)), { status: error.status, headers });
}

function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (thrown instanceof HTTPException) {
    const code = codesOfStatus[thrown.status];
    if (code !== undefined) return new GatewayError(code, { cause: thrown });
  }
  return new GatewayError('internal_error', { cause: thrown });
}

const codesOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
};
