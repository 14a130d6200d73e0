import { useQuery } from '@tanstack/react-query';
import { readApi } from '../../api/call-api.ts';
import { pollInterval, revisionKey } from '../../api/query-client.ts';

/** The revision that holds now; undefined until it is known. */
export function usePresentRevision(): number | undefined {
  const { data } = useQuery({
    queryKey: revisionKey,
    queryFn: ({ signal }) => readApi('/version', {}, signal),
    refetchInterval: pollInterval,
  });
  return data?.revision;
}
