/** Filters of the tail, as they stand in the URL; named as the API names them. */
export interface LiveSearch {
  /** `404`, `5xx`, `none`. A number, as a text of digits would stand between quotes in the URL. */
  readonly status?: string | number;
  readonly method?: string;
  /** What the path begins with. */
  readonly path?: string;
  /** Names or ids. */
  readonly route?: string;
  readonly upstream?: string;
  /** Only those that somebody other than the client has to act on. */
  readonly failed?: true;
}

const textNames = ['method', 'path', 'route', 'upstream'] as const;

export function readLiveSearch(search: Record<string, unknown>): LiveSearch {
  const { status, failed } = search;
  const texts = textNames.flatMap((name) => {
    const value = search[name];
    return typeof value === 'string' || typeof value === 'number' ? [[name, String(value)]] : [];
  });
  return {
    ...(typeof status === 'string' || typeof status === 'number' ? { status } : {}),
    ...(Object.fromEntries(texts) as Record<string, string>),
    ...(failed === true || failed === 'true' ? { failed: true } : {}),
  };
}

/** As the API takes them. */
export function queryOf(search: LiveSearch): Record<string, string> {
  return Object.fromEntries(Object.entries(search).map(([name, value]) => [name, String(value)]));
}

/** The same in a terminal. */
export function tailCommand(search: LiveSearch): string {
  const query = queryOf(search);
  const flags = ['status', ...textNames, 'failed'].flatMap((name) => {
    const value = query[name];
    if (value === undefined) return [];
    if (name === 'failed') return ['--failed'];
    return [`--${name} ${/^[\w./-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`}`];
  });
  return ['apigate tail', ...flags].join(' ');
}
