import { HTAB, SP } from './characters.ts';
import { isText, type HeaderFields } from './header-fields.ts';
import { kind } from './known-fields.ts';

/** What the Connection fields of a message say (RFC 9110 section 7.6.1). */
export class ConnectionOptions {
  close = false;
  keepAlive = false;
  upgrade = false;

  reset(): void {
    this.close = false;
    this.keepAlive = false;
    this.upgrade = false;
  }

  /** Reads one Connection field and marks as dropped the fields it lists. Call when all fields are parsed. */
  read(fields: HeaderFields, index: number): void {
    const bytes = fields.bytes;
    const end = fields.valueEnd[index]!;
    let at = fields.valueStart[index]!;
    while (at < end) {
      let from = at;
      while (at < end && bytes[at] !== 0x2c) at++;
      let to = at;
      at++;
      while (from < to && (bytes[from] === SP || bytes[from] === HTAB)) from++;
      while (to > from && (bytes[to - 1] === SP || bytes[to - 1] === HTAB)) to--;
      if (to > from) this.option(fields, from, to);
    }
  }

  private option(fields: HeaderFields, from: number, to: number): void {
    const bytes = fields.bytes;
    const length = to - from;
    if (length === 5 && isText(bytes, from, to, 'close')) this.close = true;
    else if (length === 10 && isText(bytes, from, to, 'keep-alive')) this.keepAlive = true;
    else if (length === 7 && isText(bytes, from, to, 'upgrade')) this.upgrade = true;
    else dropListed(fields, bytes.latin1Slice(from, to).toLowerCase());
  }
}

// Fields that a peer may not have us remove by listing them: framing, routing, and what the gateway itself adds.
const keptKinds = new Set<number>([
  kind.host,
  kind.contentLength,
  kind.transferEncoding,
  kind.connection,
  kind.expect,
  kind.contentType,
  kind.contentEncoding,
  kind.contentRange,
  kind.authorization,
  kind.cookie,
  kind.setCookie,
  kind.xApiKey,
  kind.xKeyId,
  kind.xRequestId,
  kind.xForwardedFor,
  kind.xForwardedProto,
  kind.xForwardedHost,
  kind.xForwardedPort,
  kind.forwarded,
  kind.via,
  kind.date,
  kind.cacheControl,
  kind.maxForwards,
]);

function dropListed(fields: HeaderFields, lowerCaseName: string): void {
  for (let index = 0; index < fields.count; index++) {
    if (fields.nameIs(index, lowerCaseName) && !keptKinds.has(fields.kinds[index]!)) fields.dropped[index] = 1;
  }
}
