/** Byte classes of the HTTP grammar as lookup tables, so that the parsers test a byte with one read. */

function table(accepts: (byte: number) => boolean): Uint8Array {
  const bytes = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) bytes[byte] = accepts(byte) ? 1 : 0;
  return bytes;
}

const tokenPunctuation = new Set("!#$%&'*+-.^_`|~".split('').map((character) => character.charCodeAt(0)));

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

/** `tchar`, RFC 9110 section 5.6.2: methods and field names. */
export const isTokenByte = table((byte) => isAlphanumeric(byte) || tokenPunctuation.has(byte));

/** Bytes of a field value, RFC 9110 section 5.5: visible, SP, HTAB and obs-text. Never CR, LF, NUL, DEL. */
export const isValueByte = table((byte) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f));

/** Bytes of a request target: visible US-ASCII without `#`, which no request may carry (RFC 9112 section 3.2). */
export const isTargetByte = table((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x23);

/** Bytes of `uri-host [":" port]`, RFC 3986 section 3.2.2, checked further by isValidHost. */
export const isHostByte = table((byte) => isAlphanumeric(byte) || "-._~%!$&'()*+;=:[]".includes(String.fromCharCode(byte)));

/** Value of a hexadecimal digit, or 255. */
export const hexValue: Uint8Array = (() => {
  const values = new Uint8Array(256).fill(255);
  for (let digit = 0; digit < 16; digit++) {
    const text = digit.toString(16);
    values[text.charCodeAt(0)] = digit;
    values[text.toUpperCase().charCodeAt(0)] = digit;
  }
  return values;
})();

export const CR = 0x0d;
export const LF = 0x0a;
export const SP = 0x20;
export const HTAB = 0x09;
export const COLON = 0x3a;
