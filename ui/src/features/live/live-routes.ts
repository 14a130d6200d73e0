import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/base-routes.tsx';
import { readLiveSearch } from './live-search.ts';

export const liveRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/live',
    validateSearch: readLiveSearch,
    component: lazyRouteComponent(() => import('./live-page.tsx'), 'LivePage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/live/$id',
    component: lazyRouteComponent(() => import('./request-page.tsx'), 'RequestPage'),
  }),
] as const;
