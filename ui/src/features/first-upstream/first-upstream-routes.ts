import { createRoute } from '@tanstack/react-router';
import { lazyPage } from '../../app/lazy-page.ts';
import { requireSession, rootRoute } from '../../app/base-routes.tsx';

export const firstUpstreamRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/first-upstream',
    beforeLoad: ({ location }) => requireSession(location.href),
    component: lazyPage(() => import('./first-upstream-page.tsx'), 'FirstUpstreamPage'),
  }),
] as const;
