import { createRoute } from '@tanstack/react-router';
import { lazyPage } from '../../app/lazy-page.ts';
import { shellRoute } from '../../app/base-routes.tsx';
import { readLiveSearch } from './live-search.ts';

export const liveRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/live',
    validateSearch: readLiveSearch,
    component: lazyPage(() => import('./live-page.tsx'), 'LivePage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/live/$id',
    component: lazyPage(() => import('./request-page.tsx'), 'RequestPage'),
  }),
] as const;
