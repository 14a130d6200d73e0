/** Methods that a route can take by one bit; all others are compared by name. */
const bits: ReadonlyMap<string, number> = new Map(
  [
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'PROPFIND',
    'REPORT',
    'MKCOL',
    'COPY',
    'MOVE',
    'LOCK',
    'UNLOCK',
    'QUERY',
    'PURGE',
  ].map((method, i) => [method, 1 << i]),
);

/** 0 for a method that has no bit. Methods are case-sensitive (RFC 9110 section 9.1). */
export function methodBit(method: string): number {
  return bits.get(method) ?? 0;
}

export function methodsOfBits(set: number): string[] {
  return [...bits].filter(([, bit]) => (set & bit) !== 0).map(([method]) => method);
}
