import { STATUS_CODES } from 'node:http';
import { errorCatalogue, errorEntryOf, type ErrorCode } from '../../errors/catalogue.ts';
import { problemMediaType, problemOf } from '../../errors/problem.ts';
import type { OutputBuffer } from '../../http/output-buffer.ts';
import { dateField } from './http-date.ts';

export interface OwnResponse {
  readonly status: number;
  readonly requestId: string;
  /** Further fields, each with its line end. */
  readonly fields: string;
  readonly contentType: string;
  readonly body: string;
  /** A response to HEAD says how long its body would be and has none. */
  readonly isHeadRequest: boolean;
  readonly persist: boolean;
  readonly clientMinor: number;
}

/** `Allow` where no route decides: the methods that the gateway forwards at all (RFC 9110 section 10.2.1). */
export const allowField = 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n';

/** Writes a response that the gateway itself makes. */
export function writeOwnResponse(out: OutputBuffer, response: OwnResponse): void {
  const body = Buffer.from(response.body, 'utf8');
  const bodyless = response.status === 204;
  out.text(`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}\r\n`);
  if (!bodyless) out.text(`Content-Type: ${response.contentType}\r\nContent-Length: ${body.length}\r\n`);
  out.text(`Cache-Control: no-store\r\n${dateField()}X-Request-Id: ${response.requestId}\r\n`);
  if (response.fields !== '') out.text(response.fields);
  if (!response.persist) out.text('Connection: close\r\n');
  else if (response.clientMinor === 0) out.text('Connection: keep-alive\r\n');
  out.crlf();
  if (!bodyless && !response.isHeadRequest) out.copy(body, 0, body.length);
}

/** Body and fields of a gateway-made error: RFC 9457, and RFC 9209 for whose fault it is. */
export function errorResponse(
  code: ErrorCode,
  requestId: string,
  addedFields: string,
  /** Where it is not the code's usual one. */
  status: number = errorCatalogue[code].status,
): Pick<OwnResponse, 'status' | 'fields' | 'contentType' | 'body'> {
  const entry = errorEntryOf(code, status);
  const proxyStatus = entry.proxyStatus !== undefined ? `Proxy-Status: apigate; error=${entry.proxyStatus}\r\n` : '';
  // RFC 9110 section 15.5.2: a 401 says how to authenticate.
  const challenge = entry.status === 401 ? 'WWW-Authenticate: Bearer realm="apigate"\r\n' : '';
  const retry = code === 'upstream_overloaded' || code === 'draining' ? 'Retry-After: 1\r\n' : '';
  return {
    status: entry.status,
    fields: proxyStatus + challenge + retry + addedFields,
    contentType: problemMediaType,
    body: `${JSON.stringify(problemOf(code, requestId, undefined, undefined, status))}\n`,
  };
}
