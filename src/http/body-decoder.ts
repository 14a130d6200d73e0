// Up to 300 lines: the chunk grammar is one state machine and is read best in one piece.
import { CR, hexValue, isTokenByte, isValueByte, LF } from './characters.ts';
import { type HeaderFields, needMore } from './header-fields.ts';
import { kind } from './known-fields.ts';

/** Takes the bytes of a body as they are decoded. The range is valid during the call only. */
export interface BodySink {
  onBody(bytes: Buffer, start: number, end: number): void;
}

/** The rest of the body is still to come. */
export const bodyOpen = -1;
/** The framing is broken: `reason` says how. The connection cannot be used any further. */
export const bodyBroken = -2;

const maxChunkSizeDigits = 15;
/** Chunk extensions of one chunk line; they are dropped, so only their grammar and size matter. */
const maxExtensionBytes = 1024;
/** Extensions of one whole body: small chunks with large extensions would cost more than they carry. */
const maxExtensionBytesOfBody = 16_384;
export const maxTrailerBytes = 8192;

const state = {
  done: 0,
  length: 1,
  untilClose: 2,
  size: 3,
  sizeDigits: 4,
  extensionName: 5,
  extensionNameBytes: 6,
  extensionValue: 7,
  extensionToken: 8,
  extensionQuoted: 9,
  extensionQuotedPair: 10,
  extensionAfterQuoted: 11,
  sizeLf: 12,
  data: 13,
  dataCr: 14,
  dataLf: 15,
  trailers: 16,
} as const;

/**
 * Finds the end of one message body (RFC 9112 section 6.3) and hands its content on without its framing.
 * One decoder is reused for every message of a connection.
 */
export class BodyDecoder {
  private state: number = state.done;
  private remaining = 0;
  private digits = 0;
  private extensionBytes = 0;
  private extensionBytesOfBody = 0;
  private trailerBytes: Buffer | null = null;
  /** Trailers of the body just finished; null when it had none. Valid until the next message. */
  trailers: HeaderFields | null = null;
  reason = '';

  startEmpty(): void {
    this.state = state.done;
    this.trailers = null;
  }

  startLength(length: number): void {
    this.state = length === 0 ? state.done : state.length;
    this.remaining = length;
    this.trailers = null;
  }

  startChunked(): void {
    this.state = state.size;
    this.extensionBytesOfBody = 0;
    this.trailerBytes = null;
    this.trailers = null;
  }

  /** The body ends where the connection does (responses only). */
  startUntilClose(): void {
    this.state = state.untilClose;
    this.trailers = null;
  }

  get isDone(): boolean {
    return this.state === state.done;
  }

  get endsAtClose(): boolean {
    return this.state === state.untilClose;
  }

  /** Bytes still to come of a body with a declared length; 0 for others. */
  get remainingLength(): number {
    return this.state === state.length ? this.remaining : 0;
  }

  /**
   * Decodes bytes[position, end). Returns the offset behind the body when it ends there, bodyOpen, or bodyBroken.
   * `fields` is the scratch object that trailers are parsed into.
   */
  decode(bytes: Buffer, position: number, end: number, sink: BodySink, fields: HeaderFields): number {
    let at = position;
    switch (this.state) {
      case state.done:
        return at;
      case state.length: {
        const take = Math.min(this.remaining, end - at);
        this.remaining -= take;
        if (this.remaining === 0) this.state = state.done;
        if (take > 0) sink.onBody(bytes, at, at + take);
        return this.remaining === 0 ? at + take : bodyOpen;
      }
      case state.untilClose:
        if (end > at) sink.onBody(bytes, at, end);
        return bodyOpen;
      default:
        break;
    }
    while (at < end) {
      if (this.state === state.data) {
        const take = Math.min(this.remaining, end - at);
        this.remaining -= take;
        if (this.remaining === 0) this.state = state.dataCr;
        sink.onBody(bytes, at, at + take);
        at += take;
        continue;
      }
      if (this.state === state.trailers) return this.decodeTrailers(bytes, at, end, fields);
      if (!this.step(bytes[at]!)) return bodyBroken;
      at++;
    }
    // The size line of the last chunk may end these bytes; its empty line comes later.
    return bodyOpen;
  }

  // Takes one byte of chunk framing. RFC 9112 section 7.1, with extensions as 7.1.1 but without "bad" white space.
  private step(byte: number): boolean {
    switch (this.state) {
      case state.size: {
        const digit = hexValue[byte]!;
        if (digit === 255) return this.broken('a chunk does not start with its size');
        this.remaining = digit;
        this.digits = 1;
        this.extensionBytes = 0;
        this.state = state.sizeDigits;
        return true;
      }
      case state.sizeDigits: {
        const digit = hexValue[byte]!;
        if (digit !== 255) {
          if (++this.digits > maxChunkSizeDigits) return this.broken('a chunk size has more than 15 digits');
          this.remaining = this.remaining * 16 + digit;
          if (this.remaining > Number.MAX_SAFE_INTEGER) return this.broken('a chunk size is larger than 2^53 - 1');
          return true;
        }
        if (byte === 0x3b) this.state = state.extensionName;
        else if (byte === CR) this.state = state.sizeLf;
        else return this.broken(byte === LF ? 'a chunk line ends in a bare LF' : 'a byte that is not a digit stands in a chunk size');
        return true;
      }
      case state.sizeLf:
        if (byte !== LF) return this.broken('a bare CR stands in a chunk line');
        this.state = this.remaining === 0 ? state.trailers : state.data;
        return true;
      case state.dataCr:
        if (byte !== CR) return this.broken('a chunk is longer than its size says');
        this.state = state.dataLf;
        return true;
      case state.dataLf:
        if (byte !== LF) return this.broken('a chunk does not end in CR LF');
        this.state = state.size;
        return true;
      default:
        return this.extension(byte);
    }
  }

  private extension(byte: number): boolean {
    this.extensionBytesOfBody++;
    if (++this.extensionBytes > maxExtensionBytes || this.extensionBytesOfBody > maxExtensionBytesOfBody) {
      return this.broken('the chunk extensions are too long');
    }
    switch (this.state) {
      case state.extensionName:
        if (isTokenByte[byte] === 0) return this.broken('a chunk extension has no name');
        this.state = state.extensionNameBytes;
        return true;
      case state.extensionNameBytes:
        if (isTokenByte[byte] === 1) return true;
        if (byte === 0x3d) this.state = state.extensionValue;
        else return this.extensionEnd(byte);
        return true;
      case state.extensionValue:
        if (byte === 0x22) this.state = state.extensionQuoted;
        else if (isTokenByte[byte] === 1) this.state = state.extensionToken;
        else return this.broken('a chunk extension has an empty value');
        return true;
      case state.extensionToken:
        return isTokenByte[byte] === 1 ? true : this.extensionEnd(byte);
      case state.extensionQuoted:
        if (byte === 0x22) this.state = state.extensionAfterQuoted;
        else if (byte === 0x5c) this.state = state.extensionQuotedPair;
        else if (isValueByte[byte] === 0) return this.broken('a control byte stands in a chunk extension');
        return true;
      case state.extensionQuotedPair:
        if (isValueByte[byte] === 0) return this.broken('a control byte stands in a chunk extension');
        this.state = state.extensionQuoted;
        return true;
      default:
        return this.extensionEnd(byte);
    }
  }

  private extensionEnd(byte: number): boolean {
    if (byte === 0x3b) this.state = state.extensionName;
    else if (byte === CR) this.state = state.sizeLf;
    else return this.broken(byte === LF ? 'a chunk line ends in a bare LF' : 'a byte stands in a chunk extension that may not');
    return true;
  }

  // The usual end is an empty line right here. Trailers that arrive in pieces are collected, up to their bound.
  private decodeTrailers(bytes: Buffer, position: number, end: number, fields: HeaderFields): number {
    let source = bytes;
    let from = position;
    let to = end;
    const collected = this.trailerBytes;
    if (collected !== null) {
      source = Buffer.concat([collected, bytes.subarray(position, Math.min(end, position + maxTrailerBytes + 1 - collected.length))]);
      from = 0;
      to = source.length;
    }
    const after = fields.parse(source, from, Math.min(to, from + maxTrailerBytes));
    if (after === needMore) {
      if (to - from >= maxTrailerBytes) return this.fail('the trailers are longer than 8192 bytes');
      this.trailerBytes = collected === null ? Buffer.from(bytes.subarray(position, end)) : source;
      return bodyOpen;
    }
    if (after < 0) return this.fail(fields.reason === '' ? 'the trailers have too many fields' : fields.reason);
    this.state = state.done;
    this.trailerBytes = null;
    if (fields.count > 0) this.trailers = fields;
    return collected === null ? after : position + (after - collected.length);
  }

  private fail(reason: string): number {
    this.reason = reason;
    return bodyBroken;
  }

  private broken(reason: string): false {
    this.reason = reason;
    return false;
  }
}

// RFC 9110 section 6.5.1: nothing that rules framing, routing, authentication or the handling of the message.
const forbiddenInTrailers = new Set<number>([
  kind.host,
  kind.contentLength,
  kind.transferEncoding,
  kind.connection,
  kind.keepAlive,
  kind.proxyConnection,
  kind.te,
  kind.trailer,
  kind.upgrade,
  kind.expect,
  kind.authorization,
  kind.proxyAuthorization,
  kind.proxyAuthenticate,
  kind.wwwAuthenticate,
  kind.xApiKey,
  kind.xKeyId,
  kind.xRequestId,
  kind.xForwardedFor,
  kind.xForwardedProto,
  kind.xForwardedHost,
  kind.xForwardedPort,
  kind.forwarded,
  kind.via,
  kind.cookie,
  kind.setCookie,
  kind.contentType,
  kind.contentEncoding,
  kind.contentRange,
  kind.cacheControl,
  kind.maxForwards,
  kind.workerToken,
  kind.workerClient,
  kind.workerScheme,
]);

/** Index of the first trailer that may not be one, or -1. */
export function forbiddenTrailer(trailers: HeaderFields): number {
  for (let index = 0; index < trailers.count; index++) if (forbiddenInTrailers.has(trailers.kinds[index]!)) return index;
  return -1;
}
