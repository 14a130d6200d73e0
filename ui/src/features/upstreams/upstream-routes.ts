import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/base-routes.tsx';
import { readUpstreamListSearch, readUpstreamPageSearch } from './upstream-search.ts';

export const upstreamRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/upstreams',
    validateSearch: readUpstreamListSearch,
    component: lazyRouteComponent(() => import('./upstreams-page.tsx'), 'UpstreamsPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/upstreams/new',
    validateSearch: ({ from }: Record<string, unknown>): { readonly from?: string } => (typeof from === 'string' ? { from } : {}),
    component: lazyRouteComponent(() => import('./new-upstream-page.tsx'), 'NewUpstreamPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/upstreams/$id',
    validateSearch: readUpstreamPageSearch,
    component: lazyRouteComponent(() => import('./upstream-page.tsx'), 'UpstreamPage'),
  }),
] as const;
