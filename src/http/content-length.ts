/**
 * Value of a Content-Length that stands at bytes[start, end): digits only, one value, at most 2^53 - 1
 * (RFC 9110 section 8.6, without its leniency for lists). -1 when it is anything else.
 */
export function parseContentLength(bytes: Uint8Array, start: number, end: number): number {
  const digits = end - start;
  if (digits === 0 || digits > 16) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : -1;
}
