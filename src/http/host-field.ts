import { hexValue, isHostByte } from './characters.ts';

/**
 * Whether bytes[start, end) is a valid `uri-host [":" port]` (RFC 9110 section 7.2, RFC 3986 section 3.2.2)
 * with a host that is not empty: no userinfo, no list, no path.
 */
export function isValidHost(bytes: Uint8Array, start: number, end: number): boolean {
  if (start >= end) return false;
  let at = start;
  if (bytes[at] === 0x5b) {
    at++;
    const addressStart = at;
    while (at < end && bytes[at] !== 0x5d) {
      const byte = bytes[at]!;
      const isAddressByte = (byte >= 0x30 && byte <= 0x3a) || byte === 0x2e || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
      if (!isAddressByte) return false;
      at++;
    }
    if (at >= end || at === addressStart) return false;
    at++;
  } else {
    while (at < end && bytes[at] !== 0x3a) {
      const byte = bytes[at]!;
      if (isHostByte[byte] === 0 || byte === 0x5b || byte === 0x5d) return false;
      if (byte === 0x25 && (at + 2 >= end || hexValue[bytes[at + 1]!] === 255 || hexValue[bytes[at + 2]!] === 255)) return false;
      at++;
    }
    if (at === start) return false;
  }
  if (at === end) return true;
  if (bytes[at] !== 0x3a) return false;
  at++;
  if (end - at > 5) return false;
  let port = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= 65_535;
}

/** Host part of a valid Host value: lower case, without port, brackets kept off, one trailing dot removed. */
export function hostNameOf(value: string): string {
  let name: string;
  if (value.startsWith('[')) {
    name = value.slice(1, value.indexOf(']'));
  } else {
    const colon = value.indexOf(':');
    name = colon < 0 ? value : value.slice(0, colon);
  }
  if (name.endsWith('.')) name = name.slice(0, -1);
  return name.toLowerCase();
}
