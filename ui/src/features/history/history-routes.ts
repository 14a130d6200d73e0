import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/base-routes.tsx';

export const historyRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/history',
    component: lazyRouteComponent(() => import('./history-page.tsx'), 'HistoryPage'),
  }),
] as const;
