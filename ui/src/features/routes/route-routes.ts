import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/base-routes.tsx';

export const routeRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/routes',
    component: lazyRouteComponent(() => import('./routes-page.tsx'), 'RoutesPage'),
  }),
] as const;
