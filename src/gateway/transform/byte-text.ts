/*
 * Values on their way through templates are bytes, one character for each (latin1): what a header carried or a query decoded to
 * is UTF-8 more often than not, but nobody promises it.
 */

/** UTF-8 bytes of a text. */
export function bytesOfText(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The text that bytes stand for; what is not UTF-8 becomes U+FFFD. */
export function textOfBytes(bytes: string): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Percent-encodes all but unreserved characters (RFC 3986 section 2.3). */
export function percentEncoded(bytes: string): string {
  return bytes.replace(/[^A-Za-z0-9\-._~]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** Decodes one part of a query: `+` is a space, a `%` that begins no triplet is itself. */
export function queryDecoded(part: string): string {
  if (!/[%+]/.test(part)) return part;
  return part.replaceAll('+', ' ').replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- the range is that of ASCII
  return !/[^\u0000-\u007f]/.test(text);
}
