import { createRoute } from '@tanstack/react-router';
import { queryClient } from '../../api/query-client.ts';
import { lazyPage } from '../../app/lazy-page.ts';
import { shellRoute } from '../../app/base-routes.tsx';
import { fetchAhead } from '../../app/fetch-ahead.ts';
import { allUpstreamsQuery, routesByUpstreamQuery, trafficQuery, upstreamTrafficQuery } from './upstream-queries.ts';
import { readUpstreamListSearch, readUpstreamPageSearch } from './upstream-search.ts';

export const upstreamRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/upstreams',
    validateSearch: readUpstreamListSearch,
    loader: (visit) =>
      fetchAhead(visit, () => {
        void queryClient.prefetchQuery(allUpstreamsQuery);
        void queryClient.prefetchQuery(trafficQuery);
        void queryClient.prefetchQuery(routesByUpstreamQuery);
      }),
    component: lazyPage(() => import('./upstreams-page.tsx'), 'UpstreamsPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/upstreams/new',
    validateSearch: ({ from }: Record<string, unknown>): { readonly from?: string } => (typeof from === 'string' ? { from } : {}),
    component: lazyPage(() => import('./new-upstream-page.tsx'), 'NewUpstreamPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/upstreams/$id',
    validateSearch: readUpstreamPageSearch,
    // Not the upstream itself: what a form is opened with is read when it is opened.
    loader: (visit) =>
      fetchAhead(visit, () => {
        void queryClient.prefetchQuery(trafficQuery);
        void queryClient.prefetchQuery(routesByUpstreamQuery);
        void queryClient.prefetchQuery(upstreamTrafficQuery(visit.params.id, '5m'));
      }),
    component: lazyPage(() => import('./upstream-page.tsx'), 'UpstreamPage'),
  }),
] as const;
