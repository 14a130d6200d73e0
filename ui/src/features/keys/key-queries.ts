import { useQuery } from '@tanstack/react-query';
import { callApi, readApi } from '../../api/call-api.ts';
import { listKey } from '../../api/query-client.ts';
import { useOne } from '../../api/use-one.ts';
import { pagesQuery } from '../../components/use-pages.ts';

/** The keys whose name holds `q`, page by page. Kept up to date: "last used" moves by itself. */
export const keysQuery = (q: string) => pagesQuery('keys', '/admin/keys', { q });

/** One key with its ETag. */
export function useKey(id: string) {
  return useOne('keys', id, (id, signal) => callApi('get', '/admin/keys/:id', { param: { id } }, { signal }));
}

/** Names of routes by id, to choose from and to show. */
export function useRouteNames() {
  return useQuery({
    queryKey: listKey('routes', { limit: '500' }),
    queryFn: ({ signal }) => readApi('/admin/routes', { query: { limit: '500' } }, signal),
    select: ({ data }) => data.map(({ id, name }) => ({ value: id as string, label: name })),
  });
}
