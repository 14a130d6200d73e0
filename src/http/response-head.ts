import { CR, isValueByte, LF, SP } from './characters.ts';
import { ConnectionOptions } from './connection-options.ts';
import { parseContentLength } from './content-length.ts';
import { HeaderFields, isText, needMore, tooManyFields } from './header-fields.ts';
import { headIncomplete, headRefused } from './request-head.ts';
import { kind } from './known-fields.ts';

/** Bounds on what an upstream may send: bytes of a head and fields in it. */
export const maxResponseHead = 65_536;
export const maxResponseFields = 500;

/**
 * One response head (RFC 9112 sections 4 and 6) as offsets into the bytes it was parsed from. One object is
 * reused for every response of a worker: whoever needs something after the callback copies it.
 */
export class ResponseHead {
  readonly fields = new HeaderFields(maxResponseFields);
  readonly connection = new ConnectionOptions();

  bytes: Buffer = Buffer.alloc(0);
  minor = 1;
  status = 0;
  /** First byte of the status line. */
  start = 0;
  reasonStart = 0;
  reasonEnd = 0;
  /** -1 when none is declared. */
  contentLength = -1;
  chunked = false;
  keepAlive = true;
  /** Seconds from `Keep-Alive: timeout=`, or -1. */
  keepAliveTimeout = -1;
  hasDate = false;
  /** The connection is authenticated as a whole (NTLM, Negotiate): it must not serve others. */
  bindsConnection = false;
  /** Index of the Upgrade field, or -1. */
  upgrade = -1;
  /** For the operator: why the head was refused. */
  reason = '';

  /** Returns the offset of the first body byte, headIncomplete, or headRefused. */
  parse(bytes: Buffer, position: number, end: number): number {
    this.bytes = bytes;
    this.start = position;
    let at = position;
    for (let offset = 0; offset < versionPrefix.length; offset++, at++) {
      if (at >= end) return headIncomplete;
      if (bytes[at] !== versionPrefix[offset]) return this.refuse('the answer does not start with HTTP/1.1 or HTTP/1.0');
    }
    if (at >= end) return headIncomplete;
    const minor = bytes[at]! - 0x30;
    if (minor !== 0 && minor !== 1) return this.refuse('the answer does not start with HTTP/1.1 or HTTP/1.0');
    this.minor = minor;
    at++;
    if (at >= end) return headIncomplete;
    if (bytes[at] !== SP) return this.refuse('the status line has no space behind the version');
    at++;
    let status = 0;
    for (let digits = 0; digits < 3; digits++, at++) {
      if (at >= end) return headIncomplete;
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) return this.refuse('the status is not three digits');
      status = status * 10 + digit;
    }
    if (status < 100 || status > 599) return this.refuse(`the status ${status} is not one of 100 to 599`);
    this.status = status;
    if (at >= end) return headIncomplete;
    if (bytes[at] === SP) at++;
    else if (bytes[at] !== CR) return this.refuse('the status is not three digits');
    this.reasonStart = at;
    while (at < end && isValueByte[bytes[at]!] === 1) at++;
    if (at >= end) return this.incomplete(end - position);
    if (bytes[at] !== CR) return this.refuse(bytes[at] === LF ? 'a line ends in a bare LF' : 'a control byte stands in the status line');
    this.reasonEnd = at;
    at++;
    if (at >= end) return headIncomplete;
    if (bytes[at] !== LF) return this.refuse('a bare CR stands in the status line');
    at++;

    const bodyStart = this.fields.parse(bytes, at, end);
    if (bodyStart < 0) {
      if (bodyStart === needMore) return this.incomplete(end - position);
      if (bodyStart === tooManyFields) return this.refuse(`the header has more than ${maxResponseFields} fields`);
      return this.refuse(this.fields.reason);
    }
    if (bodyStart - position > maxResponseHead) return this.refuse(`the head is longer than ${maxResponseHead} bytes`);
    return this.applyFields() ? bodyStart : headRefused;
  }

  private applyFields(): boolean {
    const fields = this.fields;
    const { kinds, valueStart, valueEnd, count } = fields;
    this.contentLength = -1;
    this.chunked = false;
    this.keepAliveTimeout = -1;
    this.hasDate = false;
    this.bindsConnection = false;
    this.upgrade = -1;
    this.connection.reset();
    for (let index = 0; index < count; index++) {
      const known = kinds[index]!;
      if (known === 0) continue;
      const start = valueStart[index]!;
      const end = valueEnd[index]!;
      switch (known) {
        case kind.contentLength:
          if (this.contentLength >= 0) return this.fail('there is more than one Content-Length field');
          this.contentLength = parseContentLength(this.bytes, start, end);
          if (this.contentLength < 0) return this.fail('the Content-Length field is not a number');
          break;
        case kind.transferEncoding:
          if (this.chunked) return this.fail('there is more than one Transfer-Encoding field');
          if (!isText(this.bytes, start, end, 'chunked')) return this.fail('the Transfer-Encoding is not exactly "chunked"');
          this.chunked = true;
          break;
        case kind.connection:
          this.connection.read(fields, index);
          break;
        case kind.keepAlive:
          this.keepAliveTimeout = keepAliveTimeoutOf(fields.value(index));
          break;
        case kind.date:
          this.hasDate = true;
          break;
        case kind.wwwAuthenticate:
          this.bindsConnection ||= /(?:^|,)\s*(?:ntlm|negotiate)\s*(?:,|$|[^=\s,])/i.test(fields.value(index));
          break;
        case kind.upgrade:
          this.upgrade = index;
          break;
        default:
          break;
      }
    }
    if (this.chunked) {
      if (this.contentLength >= 0) return this.fail('both Content-Length and Transfer-Encoding are there');
      if (this.minor === 0) return this.fail('Transfer-Encoding is not part of HTTP/1.0');
    }
    this.keepAlive = this.minor === 1 ? !this.connection.close : this.connection.keepAlive && !this.connection.close;
    return true;
  }

  private incomplete(available: number): number {
    return available <= maxResponseHead ? headIncomplete : this.refuse(`the head is longer than ${maxResponseHead} bytes`);
  }

  private fail(reason: string): false {
    this.reason = reason;
    return false;
  }

  private refuse(reason: string): number {
    this.reason = reason;
    return headRefused;
  }
}

const versionPrefix = Buffer.from('HTTP/1.', 'latin1');

function keepAliveTimeoutOf(value: string): number {
  const match = /(?:^|[,\s])timeout=(\d{1,9})/i.exec(value);
  return match === null ? -1 : Number(match[1]);
}
