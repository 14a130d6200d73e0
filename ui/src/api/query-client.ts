import { QueryClient } from '@tanstack/react-query';
import { ApiProblem } from './api-problem.ts';

/** How often what changes by itself is read again, in milliseconds. TanStack Query stops while the tab is hidden. */
export const pollInterval = 5_000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      refetchIntervalInBackground: false,
      // Only what may go away by itself: a gateway that restarts, a database that is locked for a moment.
      retry: (count, error) => error instanceof ApiProblem && (error.status === 0 || error.status === 503) && count < 2,
      retryDelay: (count) => 500 * 2 ** count,
    },
    mutations: { retry: false },
  },
});

/**
 * Keys of queries: `[resource, 'list', query]` and `[resource, 'one', id]`. After a change of a resource call
 * `invalidate('keys')`; what shows the revision follows by itself.
 */
export type Resource =
  | 'upstreams'
  | 'routes'
  | 'keys'
  | 'admins'
  | 'tokens'
  | 'sessions'
  | 'audit'
  | 'history'
  | 'requests'
  | 'health'
  | 'traffic'
  | 'events';

export const listKey = (resource: Resource, query: object = {}) => [resource, 'list', query] as const;
export const oneKey = (resource: Resource, id: string) => [resource, 'one', id] as const;
export const revisionKey = ['version'] as const;
export const meKey = ['me'] as const;

/** Reads again what shows these resources, the revision and the history. */
export async function invalidate(...resources: Resource[]): Promise<void> {
  await Promise.all(
    [...resources.map((resource) => [resource]), revisionKey, ['history'], ['audit']].map((queryKey) =>
      queryClient.invalidateQueries({ queryKey }),
    ),
  );
}
