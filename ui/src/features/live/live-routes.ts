import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/base-routes.tsx';

export const liveRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/live',
    component: lazyRouteComponent(() => import('./live-page.tsx'), 'LivePage'),
  }),
] as const;
