import type { Route } from '../api/admin-schema.ts';

/** Headers that a route asks for, one a line, as far as their conditions tell. */
export function sampleHeadersOf(conditions: Route['headers']): string {
  return conditions
    .filter(({ name, required }) => name !== '' && required)
    .map(({ name, value, is_regex }) => `${name}: ${is_regex ? value.replaceAll(/[\^$]/g, '') : value}`)
    .join('\n');
}

/** A URL that a route takes, as far as its patterns tell: of an expression only what it begins with. `origin`: useClientOrigin. */
export function sampleUrlOf(
  route: Pick<Route, 'host_pattern' | 'host_match_type' | 'path_pattern' | 'match_type'>,
  origin: string,
): string {
  const { host_pattern: host, host_match_type: hostType, path_pattern: path, match_type: type } = route;
  const samplePath =
    type === 'regex' ? (/^\^?((?:\/[\w-]*)+)/.exec(path)?.[1] ?? '/') : path.replace(/\*$/, '').replaceAll(/\{\w+\}/g, '1');
  const base = new URL(origin);
  if (host !== '' && hostType !== 'regex') base.hostname = host.replace(/^\*\./, 'www.');
  return base.origin + (samplePath.startsWith('/') ? samplePath : '/');
}
