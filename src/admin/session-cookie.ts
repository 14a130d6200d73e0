/** The cookie that carries the session's token: a session cookie of the browser, for this host alone. */
export function sessionCookie(token: string, scheme: 'http' | 'https'): string {
  return `session=${token}; HttpOnly; SameSite=Strict; Path=/${secure(scheme)}`;
}

/** Makes the browser forget the session's token. */
export function clearedSessionCookie(scheme: 'http' | 'https'): string {
  return `session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0${secure(scheme)}`;
}

/**
 * The session's token from a `Cookie` header; undefined when there is none. Two different ones count as none: a page on a
 * sibling name can plant a second cookie, and there is no telling which is ours (RFC 6265 section 5.4).
 */
export function sessionTokenOf(cookies: string | undefined): string | undefined {
  const found = new Set<string>();
  for (const pair of (cookies ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals).trim() === 'session') found.add(pair.slice(equals + 1).trim());
  }
  const [token] = found;
  return found.size === 1 ? token : undefined;
}

function secure(scheme: 'http' | 'https'): string {
  return scheme === 'https' ? '; Secure' : '';
}
