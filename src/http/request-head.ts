// Over 300 lines: the request line, the framing rules and the host rules decide together on one head.
import type { ErrorCode } from '../errors/catalogue.ts';
import { CR, isTargetByte, isTokenByte, LF, SP } from './characters.ts';
import { ConnectionOptions } from './connection-options.ts';
import { parseContentLength } from './content-length.ts';
import { HeaderFields, isText, malformed, needMore, tooManyFields } from './header-fields.ts';
import { isValidHost } from './host-field.ts';
import { kind } from './known-fields.ts';

/** Bounds on what a client may send, in bytes and fields. */
export interface RequestLimits {
  readonly maxTarget: number;
  readonly maxHead: number;
  readonly maxFields: number;
}

/** The head is not complete yet. */
export const headIncomplete = -1;
/** The head is refused: `error` and `reason` say why. */
export const headRefused = -2;

/** A request line's method is a token; longer ones than this are nobody's. */
const maxMethodLength = 32;

/**
 * One request head (RFC 9112 sections 2, 3 and 6) as offsets into the bytes it was parsed from. One object is
 * reused for every request of a worker: whoever needs something after the callback copies it.
 */
export class RequestHead {
  readonly fields: HeaderFields;
  readonly connection = new ConnectionOptions();
  readonly limits: RequestLimits;

  bytes: Buffer = Buffer.alloc(0);
  /** First byte of the method, after empty lines. */
  start = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** The path within the target: behind the authority where the target is in absolute form. */
  pathStart = 0;
  pathEnd = 0;
  /** Whether the path has no percent sign, backslash, empty segment, or segment that starts with a dot. */
  pathIsPlain = true;
  /** Minor version: 0 or 1. */
  minor = 1;
  /** Index of the Host field, or -1 (HTTP/1.0 only). */
  host = -1;
  /** Declared length of the body; -1 when there is none declared. */
  contentLength = -1;
  chunked = false;
  /** Whether the connection may carry another request after this one. */
  keepAlive = true;
  expectContinue = false;
  /** Index of the Upgrade field that Connection names, or -1. */
  upgrade = -1;
  /** Whether TE says that trailers are welcome. */
  acceptsTrailers = false;
  hasVia = false;
  /** Whether Authorization speaks for all that follows on a connection (NTLM, Negotiate): others must not use that of the upstream. */
  bindsConnection = false;
  /** `OPTIONS *`. */
  isAsterisk = false;

  error: ErrorCode = 'request_malformed';
  /** For the operator: why the head was refused. */
  reason = '';

  constructor(limits: RequestLimits) {
    this.limits = limits;
    this.fields = new HeaderFields(limits.maxFields);
  }

  get method(): string {
    return methodText(this.bytes, this.start, this.methodEnd);
  }

  /** Whether it asks to become a WebSocket (RFC 6455 section 4.1). Other Upgrade tokens are offers that nobody takes. */
  get asksForWebSocket(): boolean {
    const index = this.upgrade;
    return index >= 0 && isText(this.bytes, this.fields.valueStart[index]!, this.fields.valueEnd[index]!, 'websocket');
  }

  /** Whether a body follows. */
  get hasBody(): boolean {
    return this.chunked || this.contentLength > 0;
  }

  /**
   * Parses a head that starts at `position`. Returns the offset of the first body byte, headIncomplete, or
   * headRefused. Faults are found as soon as their bytes are there, not only when the head is complete.
   */
  parse(bytes: Buffer, position: number, end: number): number {
    this.clear();
    this.bytes = bytes;
    let at = position;
    // RFC 9112 section 2.2: at least one empty line before the request line is ignored; two at most here.
    for (let lines = 0; lines < 2 && at < end && bytes[at] === CR; lines++) {
      if (at + 1 >= end) return headIncomplete;
      if (bytes[at + 1] !== LF) return this.refuse('request_malformed', 'a bare CR stands before the request line');
      at += 2;
    }
    this.start = at;
    const available = end - at;

    while (at < end && isTokenByte[bytes[at]!] === 1) at++;
    if (at - this.start > maxMethodLength) return this.refuse('request_malformed', 'the method is longer than 32 bytes');
    if (at >= end) return headIncomplete;
    if (bytes[at] !== SP || at === this.start) return this.refuse('request_malformed', lineFault(bytes[at]!, 'the method'));
    this.methodEnd = at;
    at++;

    this.targetStart = at;
    const targetLimit = at + this.limits.maxTarget;
    while (at < end && isTargetByte[bytes[at]!] === 1) at++;
    if (at > targetLimit) return this.refuse('target_too_long', `the target is longer than ${this.limits.maxTarget} bytes`);
    if (at >= end) return this.incomplete(available);
    if (bytes[at] !== SP || at === this.targetStart) return this.refuse('request_malformed', lineFault(bytes[at]!, 'the target'));
    this.targetEnd = at;
    at++;

    const afterLine = this.parseVersion(bytes, at, end);
    if (afterLine < 0) return afterLine === headIncomplete ? this.incomplete(available) : afterLine;

    const fields = this.fields;
    const bodyStart = fields.parse(bytes, afterLine, end);
    if (bodyStart < 0) {
      if (bodyStart === needMore) return this.incomplete(available);
      if (bodyStart === tooManyFields) return this.refuse('headers_too_large', `the header has more than ${this.limits.maxFields} fields`);
      if (bodyStart === malformed) return this.refuse('request_malformed', fields.reason);
    }
    if (bodyStart - this.start > this.limits.maxHead)
      return this.refuse('headers_too_large', `the head is longer than ${this.limits.maxHead} bytes`);
    return this.applyFields(bodyStart);
  }

  /** Forgets the last request: nothing of it may show in what is said of one that never became a head. */
  clear(): void {
    this.bytes = nothing;
    this.start = 0;
    this.methodEnd = 0;
    this.targetStart = 0;
    this.targetEnd = 0;
    this.pathStart = 0;
    this.pathEnd = 0;
    this.minor = 1;
    this.host = -1;
    this.upgrade = -1;
    this.fields.count = 0;
  }

  private parseVersion(bytes: Buffer, position: number, end: number): number {
    let at = position;
    for (let offset = 0; offset < versionPrefix.length; offset++, at++) {
      if (at >= end) return headIncomplete;
      if (bytes[at] !== versionPrefix[offset])
        return this.refuse('request_malformed', 'the request line does not end in HTTP/1.1 or HTTP/1.0');
    }
    if (at >= end) return headIncomplete;
    const minor = bytes[at]! - 0x30;
    if (minor !== 0 && minor !== 1) return this.refuse('request_malformed', 'the request line does not end in HTTP/1.1 or HTTP/1.0');
    this.minor = minor;
    at++;
    if (at >= end) return headIncomplete;
    if (bytes[at] !== CR) return this.refuse('request_malformed', lineFault(bytes[at]!, 'the version'));
    at++;
    if (at >= end) return headIncomplete;
    if (bytes[at] !== LF) return this.refuse('request_malformed', 'a bare CR stands behind the request line');
    return at + 1;
  }

  private incomplete(available: number): number {
    if (available <= this.limits.maxHead) return headIncomplete;
    return this.refuse('headers_too_large', `the head is longer than ${this.limits.maxHead} bytes`);
  }

  // One pass over the fields that rule framing, routing and persistence; then the rules that need several of them.
  private applyFields(bodyStart: number): number {
    const fields = this.fields;
    const { kinds, valueStart, valueEnd, count } = fields;
    this.host = -1;
    this.contentLength = -1;
    this.chunked = false;
    this.expectContinue = false;
    this.upgrade = -1;
    this.acceptsTrailers = false;
    this.hasVia = false;
    this.bindsConnection = false;
    this.connection.reset();
    let upgradeField = -1;
    for (let index = 0; index < count; index++) {
      const known = kinds[index]!;
      if (known === 0) continue;
      const start = valueStart[index]!;
      const end = valueEnd[index]!;
      switch (known) {
        case kind.host:
          if (this.host >= 0) return this.refuse('request_malformed', 'there is more than one Host field');
          if (!isValidHost(this.bytes, start, end))
            return this.refuse('request_malformed', 'the Host field is not a host with an optional port');
          this.host = index;
          break;
        case kind.contentLength:
          if (this.contentLength >= 0) return this.refuse('request_malformed', 'there is more than one Content-Length field');
          this.contentLength = parseContentLength(this.bytes, start, end);
          if (this.contentLength < 0) return this.refuse('request_malformed', 'the Content-Length field is not a number');
          break;
        case kind.transferEncoding:
          if (this.chunked) return this.refuse('request_malformed', 'there is more than one Transfer-Encoding field');
          if (!isText(this.bytes, start, end, 'chunked'))
            return this.refuse('request_malformed', 'the Transfer-Encoding is not exactly "chunked"');
          // White space by RFC 9110 section 5.6.3, but llhttp reads a request with an upgrade as one without a body then.
          if (holdsTab(this.bytes, end, fields.lineEnd[index]!))
            return this.refuse('request_malformed', 'a tab stands behind the Transfer-Encoding');
          this.chunked = true;
          break;
        case kind.connection:
          this.connection.read(fields, index);
          break;
        case kind.expect:
          if (!isText(this.bytes, start, end, '100-continue'))
            return this.refuse('expectation_failed', 'the Expect field is not "100-continue"');
          this.expectContinue = true;
          break;
        case kind.upgrade:
          upgradeField = index;
          break;
        case kind.te:
          this.acceptsTrailers ||= hasTrailersMember(fields.value(index));
          break;
        case kind.via:
          this.hasVia = true;
          break;
        case kind.authorization:
          // 'n' or 'N' first: strings are made of few values.
          if ((this.bytes[start]! | 0x20) === 0x6e) this.bindsConnection ||= /^(?:ntlm|negotiate)(?:\s|$)/i.test(fields.value(index));
          break;
        default:
          break;
      }
    }
    if (this.chunked) {
      if (this.contentLength >= 0) return this.refuse('request_malformed', 'both Content-Length and Transfer-Encoding are there');
      if (this.minor === 0) return this.refuse('request_malformed', 'Transfer-Encoding is not part of HTTP/1.0');
    }
    if (this.host < 0 && this.minor === 1) return this.refuse('request_malformed', 'the Host field is missing');
    this.keepAlive = this.minor === 1 ? !this.connection.close : this.connection.keepAlive && !this.connection.close;
    if (this.minor === 0) this.expectContinue = false; // RFC 9110 section 10.1.1
    if (this.connection.upgrade && this.minor === 1) this.upgrade = upgradeField;
    return this.applyTarget() ? bodyStart : headRefused;
  }

  // RFC 9112 section 3.2: the four forms of a target.
  private applyTarget(): boolean {
    const bytes = this.bytes;
    let at = this.targetStart;
    const end = this.targetEnd;
    this.isAsterisk = false;
    if (bytes[at] !== 0x2f) {
      if (end - at === 1 && bytes[at] === 0x2a) {
        if (!isText(bytes, this.start, this.methodEnd, 'options') || this.method !== 'OPTIONS')
          return this.fail('the target * belongs to OPTIONS alone');
        this.isAsterisk = true;
        this.pathStart = at;
        this.pathEnd = end;
        this.pathIsPlain = true;
        return true;
      }
      if (this.method === 'CONNECT') {
        this.refuse('method_not_allowed', 'CONNECT asks for a tunnel, which the gateway does not make');
        return false;
      }
      at = this.absoluteFormPath();
      if (at < 0) return false;
    }
    this.pathStart = at;
    let plain = true;
    let previous = 0;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === 0x3f) break;
      if (byte === 0x25 || byte === 0x5c || (previous === 0x2f && (byte === 0x2f || byte === 0x2e))) plain = false;
      previous = byte;
    }
    this.pathEnd = at;
    this.pathIsPlain = plain;
    return true;
  }

  // Returns the offset of the path (which may be empty), or -1.
  private absoluteFormPath(): number {
    const bytes = this.bytes;
    const scheme = bytes.latin1Slice(this.targetStart, Math.min(this.targetStart + 8, this.targetEnd)).toLowerCase();
    const authorityStart = scheme.startsWith('http://') ? this.targetStart + 7 : scheme === 'https://' ? this.targetStart + 8 : -1;
    if (authorityStart < 0) {
      this.fail('the target is neither a path nor an http URL');
      return -1;
    }
    let at = authorityStart;
    while (at < this.targetEnd && bytes[at] !== 0x2f && bytes[at] !== 0x3f) at++;
    if (!isValidHost(bytes, authorityStart, at)) {
      this.fail('the host in the target is not valid');
      return -1;
    }
    if (this.host >= 0) {
      const hostStart = this.fields.valueStart[this.host]!;
      const hostEnd = this.fields.valueEnd[this.host]!;
      if (bytes.latin1Slice(authorityStart, at).toLowerCase() !== bytes.latin1Slice(hostStart, hostEnd).toLowerCase()) {
        this.fail('the host in the target differs from the Host field');
        return -1;
      }
    } else {
      this.fail('the target names a host but there is no Host field');
      return -1;
    }
    return at;
  }

  private fail(reason: string): false {
    this.refuse('request_malformed', reason);
    return false;
  }

  private refuse(error: ErrorCode, reason: string): number {
    this.error = error;
    this.reason = reason;
    return headRefused;
  }
}

const versionPrefix = Buffer.from('HTTP/1.', 'latin1');
const nothing = Buffer.alloc(0);

function lineFault(byte: number, where: string): string {
  if (byte === LF) return 'the request line ends in a bare LF';
  if (byte === CR) return 'the request line ends early';
  if (byte === SP) return `${where} is empty or followed by more than one space`;
  return `byte 0x${byte.toString(16).padStart(2, '0')} stands in or behind ${where}`;
}

function hasTrailersMember(value: string): boolean {
  return value
    .toLowerCase()
    .split(',')
    .some((member) => member.trim() === 'trailers');
}

const commonMethods = ['GET', 'POST', 'PUT', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS'].map((text) => ({
  text,
  bytes: Buffer.from(text, 'latin1'),
}));

// The usual methods are given as the same string each time, so that nothing is allocated for them.
function methodText(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  for (const method of commonMethods) {
    if (method.bytes.length !== length) continue;
    let offset = 0;
    while (offset < length && bytes[start + offset] === method.bytes[offset]) offset++;
    if (offset === length) return method.text;
  }
  return bytes.latin1Slice(start, end);
}

function holdsTab(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === 0x09) return true;
  return false;
}
