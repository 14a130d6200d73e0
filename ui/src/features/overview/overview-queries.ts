import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { readApi } from '../../api/call-api.ts';
import { listKey } from '../../api/query-client.ts';
import type { Window } from './overview-search.ts';

export function overviewTrafficQuery(window: Window) {
  return queryOptions({
    queryKey: ['traffic', 'all', window],
    queryFn: ({ signal }) => readApi('/admin/traffic', { query: { window } }, signal),
    placeholderData: keepPreviousData,
  });
}

const one = { limit: '1' };

/** Whether there is any upstream. */
export const someUpstreamQuery = queryOptions({
  queryKey: listKey('upstreams', one),
  queryFn: ({ signal }) => readApi('/admin/upstreams', { query: one }, signal),
});
