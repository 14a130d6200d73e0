import { useQuery } from '@tanstack/react-query';
import type { Answer } from './call-api.ts';
import { oneKey, pollInterval, queryClient, type Resource } from './query-client.ts';

/**
 * One resource with its ETag, by id or name; undefined asks for none. It is read again every few seconds, so that a page, and an open form
 * above all, learns soon that somebody else changed it.
 */
export function useOne<One extends { readonly id: string }>(
  resource: Resource,
  id: string | undefined,
  read: (id: string, signal: AbortSignal) => Promise<Answer<One>>,
) {
  const queryKey = oneKey(resource, id ?? '');
  return useQuery({
    queryKey,
    // The name that it was asked for by first may be another one's by now.
    queryFn: ({ signal }) => read(queryClient.getQueryData<Answer<One>>(queryKey)?.value.id ?? id ?? '', signal),
    enabled: id !== undefined && id !== '',
    refetchInterval: pollInterval,
    gcTime: 0,
  });
}
