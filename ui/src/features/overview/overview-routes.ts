import { createRoute } from '@tanstack/react-router';
import { queryClient } from '../../api/query-client.ts';
import { lazyPage } from '../../app/lazy-page.ts';
import { shellRoute } from '../../app/base-routes.tsx';
import { fetchAhead } from '../../app/fetch-ahead.ts';
import { overviewTrafficQuery, someUpstreamQuery } from './overview-queries.ts';
import { readOverviewSearch } from './overview-search.ts';

export const overviewRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/',
    validateSearch: readOverviewSearch,
    loader: (visit) =>
      fetchAhead(visit, () => {
        void queryClient.prefetchQuery(overviewTrafficQuery('5m'));
        void queryClient.prefetchQuery(someUpstreamQuery);
      }),
    component: lazyPage(() => import('./overview-page.tsx'), 'OverviewPage'),
  }),
] as const;
