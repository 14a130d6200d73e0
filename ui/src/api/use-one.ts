import { useQuery } from '@tanstack/react-query';
import type { Answer } from './call-api.ts';
import { oneKey, pollInterval, type Resource } from './query-client.ts';

/**
 * One resource with its ETag; undefined asks for none. It is read again every few seconds, so that a page, and an open form
 * above all, learns soon that somebody else changed it.
 */
export function useOne<One>(resource: Resource, id: string | undefined, read: (id: string, signal: AbortSignal) => Promise<Answer<One>>) {
  return useQuery({
    queryKey: oneKey(resource, id ?? ''),
    queryFn: ({ signal }) => read(id ?? '', signal),
    enabled: id !== undefined && id !== '',
    refetchInterval: pollInterval,
    gcTime: 0,
  });
}
