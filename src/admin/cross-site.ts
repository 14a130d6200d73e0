/** What the cross-site rule looks at. */
export interface CrossSiteRequest {
  readonly method: string;
  readonly headers: Headers;
}

/**
 * Why a request may not change anything, or undefined when it may. Browsers attach the session cookie by themselves,
 * so whatever comes from another site's page is refused: by `Sec-Fetch-Site`, which pages cannot forge, and by
 * `Origin` where a browser sends no fetch metadata. Clients other than browsers send neither. Of the origin only host
 * and port count: a proxy that ends TLS in front of us makes the scheme differ.
 */
export function crossSiteProblem({ method, headers }: CrossSiteRequest): string | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined;
  const site = headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none') return 'Requests from another site are refused.';
  const origin = headers.get('origin');
  if (origin !== null && hostOf(origin) !== headers.get('host')?.toLowerCase()) {
    return 'Requests from another origin are refused.';
  }
  return undefined;
}

function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
}
