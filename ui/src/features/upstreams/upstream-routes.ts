import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/base-routes.tsx';

export const upstreamRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/upstreams',
    component: lazyRouteComponent(() => import('./upstreams-page.tsx'), 'UpstreamsPage'),
  }),
] as const;
