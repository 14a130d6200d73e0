import { useQuery } from '@tanstack/react-query';
import { readApi } from '../api/call-api.ts';
import { listKey } from '../api/query-client.ts';
import { useClientOrigin } from './client-origin.ts';
import { sampleUrlOf } from './sample-url.ts';

/** A URL that some route which asks for a key takes; the gateway's own where there is no such route yet. */
export function useRouteSample(): string {
  const origin = useClientOrigin();
  const { data } = useQuery({
    queryKey: listKey('routes', { limit: '500' }),
    queryFn: ({ signal }) => readApi('/admin/routes', { query: { limit: '500' } }, signal),
  });
  const route = data?.data.find(({ auth_required, enabled, match_type }) => auth_required && enabled && match_type !== 'regex');
  return route === undefined ? `${origin}/` : sampleUrlOf(route, origin);
}
