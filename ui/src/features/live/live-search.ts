/** Filters of the tail, as they stand in the URL; named as the API names them. */
export interface LiveSearch {
  /** `404`, `5xx`, `none`. */
  readonly status?: string;
  readonly method?: string;
  /** What the path begins with. */
  readonly path?: string;
  /** Names or ids. */
  readonly route?: string;
  readonly upstream?: string;
  /** Only those that somebody other than the client has to act on. */
  readonly failed?: 'true';
}

export const filterNames = ['status', 'method', 'path', 'route', 'upstream', 'failed'] as const satisfies readonly (keyof LiveSearch)[];

export function readLiveSearch(search: Record<string, unknown>): LiveSearch {
  const given = filterNames.flatMap((name) => {
    const value = search[name];
    // The address bar has no types: `?status=404` arrives as a number, `?failed=true` as true.
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [[name, String(value)]] : [];
  });
  const { failed, ...rest } = Object.fromEntries(given) as Record<string, string>;
  return { ...rest, ...(failed === 'true' ? { failed } : {}) };
}

/** The same in a terminal. */
export function tailCommand(search: LiveSearch): string {
  const flags = filterNames.flatMap((name) => {
    const value = search[name];
    if (value === undefined) return [];
    return name === 'failed'
      ? ['--failed']
      : [`--${name} ${/^[\w./-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`}`];
  });
  return ['apigate tail', ...flags].join(' ');
}
