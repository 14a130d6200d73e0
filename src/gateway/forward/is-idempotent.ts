/** Whether a request may be sent twice (RFC 9110 section 9.2.2). Unknown methods may do anything. */
export function isIdempotent(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'PUT' || method === 'DELETE';
}
