/**
 * Whether only a gateway that runs can answer this path: what it tells is of traffic and kept in memory. A process that has
 * nothing but the database asks the gateway that serves it.
 */
export function isLivePath(path: string): boolean {
  return /^\/(?:metrics|admin\/(?:requests|health|events|traffic|live)(?:\/.*)?|admin\/upstreams\/[^/]+\/(?:health|traffic))$/.test(path);
}

/**
 * Whether a running gateway knows more than a process that has nothing but the database, which can answer all the same: with the
 * gateway's own settings and environment, and about its traffic. Such requests change nothing.
 */
export function isBetterLive(method: string, { pathname, searchParams }: Pick<URL, 'pathname' | 'searchParams'>): boolean {
  if (method !== 'POST') return false;
  return pathname === '/admin/explain' || (pathname === '/admin/apply' && searchParams.get('dry_run') === 'true');
}
