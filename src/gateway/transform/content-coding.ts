import zlib from 'node:zlib';

/** Codings that a body can be decoded from (RFC 9110 section 8.4.1; zstd: RFC 8878). */
type Coding = 'gzip' | 'deflate' | 'br' | 'zstd';

/** The coding that a Content-Encoding field names: null for none, undefined for one that cannot be decoded. */
export function codingOf(field: string | undefined): Coding | null | undefined {
  if (field === undefined) return null;
  const named = field
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  if (named.length === 0) return null;
  if (named.length > 1) return undefined;
  const name = named[0] === 'x-gzip' ? 'gzip' : named[0];
  return name === 'gzip' || name === 'deflate' || name === 'br' || name === 'zstd' ? name : undefined;
}

/** The members of an Accept-Encoding field that can be decoded, or `identity`. */
export function decodableOf(accepted: string | undefined): string {
  const members = (accepted ?? '')
    .split(',')
    .map((member) => member.trim())
    .filter((member) => /^(?:x-gzip|gzip|deflate|br|zstd)\s*(?:;|$)/i.test(member));
  return members.length === 0 ? 'identity' : members.join(', ');
}

/** A body is longer than it may become. */
export class BodyTooLong extends Error {}

/**
 * Decodes a body on a thread of its own. Stops at `limit` bytes of output, so that a small body cannot become a huge one.
 * `done` gets the bytes, BodyTooLong, or what is wrong with the coding.
 */
export function decodeBody(bytes: Buffer, coding: Coding, limit: number, done: (result: Buffer | Error) => void): void {
  const callback = (error: Error | null, result: Buffer): void => {
    if (error === null) done(result);
    else done((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? new BodyTooLong() : error);
  };
  const options = { maxOutputLength: Math.max(limit, 1) };
  switch (coding) {
    case 'gzip':
      zlib.gunzip(bytes, options, callback);
      break;
    case 'br':
      zlib.brotliDecompress(bytes, options, callback);
      break;
    case 'zstd':
      zlib.zstdDecompress(bytes, { ...options, params: { [zlib.constants.ZSTD_d_windowLogMax]: zstdWindowLog } }, callback);
      break;
    case 'deflate':
      // RFC 9110 section 8.4.1.2 means the zlib format; some send the bare one.
      if (isZlib(bytes)) zlib.inflate(bytes, options, callback);
      else zlib.inflateRaw(bytes, options, callback);
      break;
  }
}

/** 8 MiB, what decoders should support (RFC 8878 section 3.1.1.1.2): a few bytes could ask for far more memory. */
const zstdWindowLog = 23;

function isZlib(bytes: Buffer): boolean {
  return bytes.length >= 2 && (bytes[0]! & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0;
}
