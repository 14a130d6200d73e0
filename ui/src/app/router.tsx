import { createRouter } from '@tanstack/react-router';
import { accessRoutes } from '../features/access/access-routes.ts';
import { firstUpstreamRoutes } from '../features/first-upstream/first-upstream-routes.ts';
import { historyRoutes } from '../features/history/history-routes.ts';
import { keyRoutes } from '../features/keys/key-routes.ts';
import { liveRoutes } from '../features/live/live-routes.ts';
import { overviewRoutes } from '../features/overview/overview-routes.ts';
import { routeRoutes } from '../features/routes/route-routes.ts';
import { sessionRoutes } from '../features/session/session-routes.ts';
import { settingsRoutes } from '../features/settings/settings-routes.ts';
import { upstreamRoutes } from '../features/upstreams/upstream-routes.ts';
import { nowhereRoute, rootRoute, shellRoute } from './base-routes.tsx';
import { NotFoundPage } from './not-found-page.tsx';
import { PageError } from './page-error.tsx';
import { PageSkeleton } from './page-skeleton.tsx';

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    ...sessionRoutes,
    ...firstUpstreamRoutes,
    shellRoute.addChildren([
      ...overviewRoutes,
      ...upstreamRoutes,
      ...routeRoutes,
      ...keyRoutes,
      ...liveRoutes,
      ...historyRoutes,
      ...settingsRoutes,
      ...accessRoutes,
      nowhereRoute,
    ]),
  ]),
  basepath: '/ui',
  defaultPreload: 'intent',
  defaultPendingMs: 150,
  defaultPendingMinMs: 200,
  defaultPendingComponent: PageSkeleton,
  defaultErrorComponent: PageError,
  defaultNotFoundComponent: NotFoundPage,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
