import { kind, knownFieldCount } from '../../http/known-fields.ts';
import type { OutputBuffer } from '../../http/output-buffer.ts';
import type { ResponseHead } from '../../http/response-head.ts';
import type { RequestId } from '../request-id.ts';
import { dateField } from './http-date.ts';

/** How the body goes to the client. */
export interface ResponseFraming {
  /** Sent as chunks. */
  readonly chunked: boolean;
  /** A 1.0 client gets no chunks: the connection's end is the body's. */
  readonly clientMinor: number;
  /** Whether the connection stays open behind the response. */
  readonly persist: boolean;
}

/**
 * Writes the head of the response for the client: the upstream's own bytes but for the fields that end here
 * (RFC 9110 section 7.6.1) and the framing, which is ours.
 */
export function writeResponseHead(
  out: OutputBuffer,
  head: ResponseHead,
  framing: ResponseFraming,
  id: RequestId,
  addedFields: string,
): void {
  writeStatusAndFields(out, head, head.chunked || framing.chunked || head.status === 204);
  if (framing.chunked) out.constant(chunkedField);
  if (!head.hasDate) out.text(dateField());
  endHead(out, framing, id, addedFields);
}

/** Writes the head of a response whose body is held back, but for what is known only with the body: see endHeldResponse. */
export function writeHeldResponse(out: OutputBuffer, head: ResponseHead): void {
  writeStatusAndFields(out, head, true);
  if (!head.hasDate) out.text(dateField());
}

/** Writes the rest of such a head. `length`: of the body as it goes to the client. */
export function endHeldResponse(out: OutputBuffer, length: number, framing: ResponseFraming, id: RequestId, addedFields: string): void {
  out.text('Content-Length: ');
  out.decimal(length);
  out.crlf();
  endHead(out, framing, id, addedFields);
}

function endHead(out: OutputBuffer, framing: ResponseFraming, id: RequestId, addedFields: string): void {
  id.writeField(out);
  if (addedFields !== '') out.text(addedFields);
  if (!framing.persist) out.text('Connection: close\r\n');
  else if (framing.clientMinor === 0) out.text('Connection: keep-alive\r\n');
  out.crlf();
}

/** Writes an interim response (1xx) for the client. */
export function writeInterimResponse(out: OutputBuffer, head: ResponseHead): void {
  writeStatusAndFields(out, head, true);
  out.crlf();
}

/** Writes the 101 that makes the connection a WebSocket (RFC 6455 section 4.2.2). */
export function writeSwitchingProtocols(out: OutputBuffer, head: ResponseHead, id: RequestId, addedFields: string): void {
  writeStatusAndFields(out, head, true);
  out.constant(upgradeFields);
  id.writeField(out);
  if (addedFields !== '') out.text(addedFields);
  out.crlf();
}

function writeStatusAndFields(out: OutputBuffer, head: ResponseHead, dropLength: boolean): void {
  const { bytes, fields } = head;
  if (head.minor === 1 && bytes[head.reasonStart - 1] === 0x20) {
    out.copy(bytes, head.start, head.reasonEnd + 2);
  } else {
    out.text(`HTTP/1.1 ${head.status} `);
    out.copy(bytes, head.reasonStart, head.reasonEnd);
    out.crlf();
  }
  const { kinds, nameStart, lineEnd, dropped, count } = fields;
  let runStart = -1;
  let runEnd = 0;
  for (let index = 0; index < count; index++) {
    const known = kinds[index]!;
    if (dropped[index] === 1 || (known < knownFieldCount && endsHere[known] === 1) || (dropLength && known === kind.contentLength)) {
      if (runStart >= 0) out.copy(bytes, runStart, runEnd);
      runStart = -1;
    } else {
      if (runStart < 0) runStart = nameStart[index]!;
      runEnd = lineEnd[index]!;
    }
  }
  if (runStart >= 0) out.copy(bytes, runStart, runEnd);
}

const chunkedField = Buffer.from('Transfer-Encoding: chunked\r\n', 'latin1');
const upgradeFields = Buffer.from('Connection: Upgrade\r\nUpgrade: websocket\r\n', 'latin1');

// Alt-Svc would lead clients around the gateway; X-Request-Id is ours on every response.
const endsHere = new Uint8Array(knownFieldCount);
for (const dropped of [
  kind.connection,
  kind.keepAlive,
  kind.proxyConnection,
  kind.transferEncoding,
  kind.te,
  kind.upgrade,
  kind.proxyAuthenticate,
  kind.altSvc,
  kind.xRequestId,
]) {
  endsHere[dropped] = 1;
}
