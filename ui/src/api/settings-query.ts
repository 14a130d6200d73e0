import { queryOptions } from '@tanstack/react-query';
import { readApi } from './call-api.ts';

/** What the gateway was started with: only a restart changes it. */
export const settingsQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: ({ signal }) => readApi('/admin/settings', {}, signal),
  staleTime: Infinity,
});
