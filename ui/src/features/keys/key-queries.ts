import { useQuery } from '@tanstack/react-query';
import { callApi, readApi } from '../../api/call-api.ts';
import { listKey, oneKey } from '../../api/query-client.ts';
import { pagesQuery } from '../../components/use-pages.ts';

/** The keys whose name holds `q`, page by page. Kept up to date: "last used" moves by itself. */
export const keysQuery = (q: string) => pagesQuery('keys', '/admin/keys', { q });

/** One key with its ETag. Not refreshed while it is edited. */
export function useKey(id: string) {
  return useQuery({
    queryKey: oneKey('keys', id),
    queryFn: ({ signal }) => callApi('get', '/admin/keys/:id', { param: { id } }, { signal }),
    staleTime: Infinity,
    gcTime: 0,
  });
}

/** Names of routes by id, to choose from and to show. */
export function useRouteNames() {
  return useQuery({
    queryKey: listKey('routes', { limit: '500' }),
    queryFn: ({ signal }) => readApi('/admin/routes', { query: { limit: '500' } }, signal),
    select: ({ data }) => data.map(({ id, name }) => ({ value: id as string, label: name })),
  });
}
