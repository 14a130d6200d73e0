import { infiniteQueryOptions, useInfiniteQuery } from '@tanstack/react-query';
import type { CallInput, Output, PathOf } from '../api/admin-schema.ts';
import { readApi } from '../api/call-api.ts';
import { listKey, pollInterval, type Resource } from '../api/query-client.ts';

/** A list of the API, page by page and kept up to date. */
export function pagesQuery<P extends PathOf<'get'>>(resource: Resource, path: P, query: Readonly<Record<string, string>>, limit = 100) {
  return infiniteQueryOptions({
    queryKey: listKey(resource, query),
    queryFn: ({ pageParam, signal }) => {
      const input = { query: { ...query, cursor: pageParam, limit: String(limit) } } as unknown as CallInput<'get', P>;
      return readApi(path, input, signal) as Promise<Output<'get', P> & { readonly next_cursor: string | null }>;
    },
    initialPageParam: '',
    getNextPageParam: (last: { readonly next_cursor: string | null }) => last.next_cursor ?? undefined,
    refetchInterval: pollInterval,
    placeholderData: (before) => before,
  });
}

/** The same for `ListSection`. */
export function usePages<P extends PathOf<'get'>>(...list: Parameters<typeof pagesQuery<P>>) {
  return useInfiniteQuery(pagesQuery(...list));
}
