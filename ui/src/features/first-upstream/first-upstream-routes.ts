import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { requireSession, rootRoute } from '../../app/base-routes.tsx';

export const firstUpstreamRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/first-upstream',
    beforeLoad: ({ location }) => requireSession(location.href),
    component: lazyRouteComponent(() => import('./first-upstream-page.tsx'), 'FirstUpstreamPage'),
  }),
] as const;
