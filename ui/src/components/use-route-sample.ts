import { useQuery } from '@tanstack/react-query';
import type { Route } from '../api/admin-schema.ts';
import { readApi } from '../api/call-api.ts';
import { listKey } from '../api/query-client.ts';

/** A URL that some route which asks for a key takes; the gateway's own where there is no such route yet. */
export function useRouteSample(): string {
  const { data } = useQuery({
    queryKey: listKey('routes', { limit: '500' }),
    queryFn: ({ signal }) => readApi('/admin/routes', { query: { limit: '500' } }, signal),
  });
  const route = data?.data.find(({ auth_required, enabled, match_type }) => auth_required && enabled && match_type !== 'regex');
  return route === undefined ? `${location.origin}/` : sampleUrlOf(route);
}

/** The simplest URL that a route takes. */
export function sampleUrlOf({ path_pattern: path }: Pick<Route, 'path_pattern'>): string {
  return location.origin + path.replace(/\/?\*$/, '/').replaceAll(/\{\w+\}/g, '1');
}
