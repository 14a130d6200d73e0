/** Whether an address, as a socket names it, is of this very machine. */
export function isLoopback(address: string): boolean {
  return /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/i.test(address) || address === '::1';
}

/**
 * Whether a field of this name is how proxies, load balancers and content networks say that a request came through them:
 * `Forwarded`, `Via`, `X-Forwarded-For`, `X-Real-IP`, `True-Client-IP`, `CF-Connecting-IP` and their like.
 */
export function tellsOfForwarding(name: string): boolean {
  return /forwarded|real.ip|client.ip|connecting.ip|front.end.https|^via$/i.test(name);
}
