/**
 * Whether only a gateway that runs can answer this path: what it tells is of traffic and kept in memory. A process that has
 * nothing but the database asks the gateway that serves it.
 */
export function isLivePath(path: string): boolean {
  return /^\/(?:metrics|admin\/(?:requests|health|events|traffic|live)(?:\/.*)?|admin\/upstreams\/[^/]+\/(?:health|traffic))$/.test(path);
}
