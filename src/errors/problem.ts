import { errorCatalogue, errorEntryOf, type ErrorCode } from './catalogue.ts';
import type { FieldError, GatewayError } from './gateway-error.ts';

/** Body of every error the admin API and the proxy make: RFC 9457 `application/problem+json`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly request_id: string;
  readonly errors?: readonly FieldError[];
}

export const problemMediaType = 'application/problem+json';

/** Turns a code into the body that the caller gets. */
export function problemOf(
  code: ErrorCode,
  requestId: string,
  detail?: string,
  errors?: readonly FieldError[],
  status: number = errorCatalogue[code].status,
): Problem {
  const entry = errorEntryOf(code, status);
  return {
    type: `urn:apigate:error:${code}`,
    title: entry.title,
    status: entry.status,
    detail: detail ?? entry.detail,
    code,
    request_id: requestId,
    ...(errors !== undefined && errors.length > 0 ? { errors } : {}),
  };
}

/** Turns a thrown GatewayError into the body that the caller gets. */
export function problemOfError(error: GatewayError, requestId: string): Problem {
  return problemOf(error.code, requestId, error.message, error.errors);
}
