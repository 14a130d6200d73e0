import { infiniteQueryOptions, useQuery } from '@tanstack/react-query';
import { callApi, readApi } from '../../api/call-api.ts';
import { listKey, oneKey, pollInterval } from '../../api/query-client.ts';
import { useOne } from '../../api/use-one.ts';
import { orderQueryOf, type RoutesSearch } from './routes-search.ts';

/** Routes in the order of matching, page by page. Read again by itself as long as that is one page or two. */
export function routeOrderQuery(search: RoutesSearch) {
  const query = orderQueryOf(search);
  return infiniteQueryOptions({
    queryKey: listKey('routes', { order: query }),
    queryFn: ({ pageParam, signal }) => readApi('/admin/route-order', { query: { ...query, cursor: pageParam, limit: '100' } }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 2 ? false : pollInterval),
    placeholderData: (before) => before,
  });
}

/** One route with its ETag. */
export function useRoute(id: string | undefined) {
  return useOne('routes', id, (id, signal) => callApi('get', '/admin/routes/:id', { param: { id } }, { signal }));
}

/** Upstreams whose name holds `q`, the first fifty. */
export function useUpstreamChoices(q: string) {
  return useQuery({
    queryKey: listKey('upstreams', { choices: q }),
    queryFn: ({ signal }) => readApi('/admin/upstreams', { query: { q, limit: '50' } }, signal),
    placeholderData: (before) => before,
    staleTime: 10_000,
  });
}

/** An upstream by id or name; undefined asks for none. */
export function useUpstream(idOrName: string | undefined) {
  return useQuery({
    queryKey: oneKey('upstreams', idOrName ?? ''),
    queryFn: ({ signal }) => callApi('get', '/admin/upstreams/:id', { param: { id: idOrName ?? '' } }, { signal }),
    select: ({ value }) => value,
    enabled: idOrName !== undefined && idOrName !== '',
    retry: false,
    staleTime: 10_000,
  });
}
