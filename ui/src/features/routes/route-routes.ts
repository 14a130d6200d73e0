import { createRoute } from '@tanstack/react-router';
import { queryClient } from '../../api/query-client.ts';
import { lazyPage } from '../../app/lazy-page.ts';
import { shellRoute } from '../../app/base-routes.tsx';
import { fetchAhead } from '../../app/fetch-ahead.ts';
import { routeOrderQuery } from './route-queries.ts';
import { readRoutesSearch } from './routes-search.ts';

export interface NewRouteSearch {
  /** Id of the route that the new one begins as. */
  readonly copy?: string;
  /** Id of an upstream. */
  readonly upstream?: string;
  readonly tab?: 'transformations';
}

export interface TrySearch {
  readonly method?: string;
  readonly url?: string;
}

const text = (value: unknown): value is string => typeof value === 'string' && value !== '';

export const routeRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/routes',
    validateSearch: readRoutesSearch,
    loader: (visit) => fetchAhead(visit, () => queryClient.prefetchInfiniteQuery(routeOrderQuery({}))),
    component: lazyPage(() => import('./routes-page.tsx'), 'RoutesPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/routes/new',
    validateSearch: ({ copy, upstream, tab }: Record<string, unknown>): NewRouteSearch => ({
      ...(text(copy) ? { copy } : {}),
      ...(text(upstream) ? { upstream } : {}),
      ...(tab === 'transformations' ? { tab } : {}),
    }),
    component: lazyPage(() => import('./new-route-page.tsx'), 'NewRoutePage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/routes/try',
    validateSearch: ({ method, url }: Record<string, unknown>): TrySearch => ({
      ...(text(method) ? { method } : {}),
      ...(text(url) ? { url } : {}),
    }),
    component: lazyPage(() => import('./try-request-page.tsx'), 'TryRequestPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/routes/$id',
    validateSearch: ({ tab }: Record<string, unknown>): Pick<NewRouteSearch, 'tab'> => (tab === 'transformations' ? { tab } : {}),
    component: lazyPage(() => import('./edit-route-page.tsx'), 'EditRoutePage'),
  }),
] as const;
