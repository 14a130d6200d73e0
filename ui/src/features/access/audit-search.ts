/** Filters of the audit log, as they stand in the URL and as the API takes them. */
export interface AuditSearch {
  /** `upstream.create`, or `upstream` for all that happens to upstreams. */
  readonly action?: string;
  /** Id or label of who acted, or the kind. */
  readonly actor?: string;
  /** Id or name of what was changed, or its type. */
  readonly resource?: string;
  /** A date: `2027-01-31`. */
  readonly since?: string;
  readonly until?: string;
}

export function readAuditSearch(search: Record<string, unknown>): AuditSearch {
  const names = ['action', 'actor', 'resource', 'since', 'until'] as const;
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = search[name];
      return typeof value === 'string' || typeof value === 'number' ? [[name, String(value)]] : [];
    }),
  );
}
