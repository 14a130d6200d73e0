/**
 * The view of a raw request path that routes are matched against (RFC 3986 sections 6.2.2 and 2.3): percent-encoded
 * unreserved characters decoded once, other triplets in upper case, repeated slashes merged. Null where the request must be
 * answered with 400: dot-segments in any encoding, backslash, control bytes, raw bytes outside visible ASCII, a `%` that
 * starts no triplet. The client's own bytes are what is forwarded. Answers with the very same string when there is nothing to do.
 */
export function normalisePath(raw: string): string | null {
  if (raw.charCodeAt(0) !== slash) return null;
  let previous = 0;
  for (let i = 0; i < raw.length; i++) {
    const character = raw.charCodeAt(i);
    if (previous === slash && (character === slash || character === dot)) return rewrite(raw);
    if (character === percent || character === backslash || character <= 0x20 || character >= 0x7f) return rewrite(raw);
    previous = character;
  }
  return raw;
}

const slash = 0x2f;
const dot = 0x2e;
const percent = 0x25;
const backslash = 0x5c;
const semicolon = 0x3b;

let scratch = Buffer.allocUnsafe(16 * 1024);

function rewrite(raw: string): string | null {
  if (raw.length > scratch.length) scratch = Buffer.allocUnsafe(raw.length * 2);
  const out = scratch;
  let length = 0;
  for (let i = 0; i < raw.length; i++) {
    const character = raw.charCodeAt(i);
    if (character === percent) {
      const byte = hexDigit(raw.charCodeAt(i + 1)) * 16 + hexDigit(raw.charCodeAt(i + 2));
      if (!(byte >= 0x20) || byte === 0x7f || byte === backslash) return null;
      if (isUnreserved(byte)) {
        out[length++] = byte;
      } else {
        out[length++] = percent;
        out[length++] = upperHex.charCodeAt(byte >> 4);
        out[length++] = upperHex.charCodeAt(byte & 15);
      }
      i += 2;
    } else {
      if (character === backslash || character <= 0x20 || character >= 0x7f) return null;
      if (character !== slash || length === 0 || out[length - 1] !== slash) out[length++] = character;
    }
  }
  if (hasDotSegment(out, length)) return null;
  return out.latin1Slice(0, length);
}

/**
 * Whether a segment is `.` or `..`, alone or before a path parameter (`..;x`, which some servers resolve as `..`). An encoded
 * slash ends a segment here, as it does for servers that decode before they resolve.
 */
function hasDotSegment(path: Uint8Array, length: number): boolean {
  let start = 0;
  while (start < length) {
    if (path[start] === dot) {
      const after = path[start + 1] === dot && start + 1 < length ? start + 2 : start + 1;
      if (after >= length || path[after] === semicolon || slashLength(path, after, length) > 0 || isEncodedSemicolon(path, after, length)) {
        return true;
      }
    }
    while (start < length && slashLength(path, start, length) === 0) start++;
    start += slashLength(path, start, length);
  }
  return false;
}

/** 1 at a slash, 3 at an encoded one, else 0. */
function slashLength(path: Uint8Array, at: number, length: number): number {
  if (at >= length) return 0;
  if (path[at] === slash) return 1;
  return path[at] === percent && at + 2 < length && path[at + 1] === 0x32 && path[at + 2] === 0x46 ? 3 : 0;
}

function isEncodedSemicolon(path: Uint8Array, at: number, length: number): boolean {
  return path[at] === percent && at + 2 < length && path[at + 1] === 0x33 && path[at + 2] === 0x42;
}

const upperHex = '0123456789ABCDEF';

/** NaN for what is no hexadecimal digit, and beyond the end. */
function hexDigit(character: number): number {
  if (character >= 0x30 && character <= 0x39) return character - 0x30;
  const lower = character | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}

function isUnreserved(byte: number): boolean {
  const lower = byte | 0x20;
  return (
    (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === dot || byte === 0x5f || byte === 0x7e
  );
}
