import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { queryClient } from '../../api/query-client.ts';
import { shellRoute } from '../../app/base-routes.tsx';
import { fetchAhead } from '../../app/fetch-ahead.ts';
import { historyQuery } from './history-query.ts';
import { readDiffSearch, readHistorySearch } from './history-search.ts';

export const historyRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/history',
    validateSearch: readHistorySearch,
    loader: (visit) => fetchAhead(visit, () => queryClient.prefetchInfiniteQuery(historyQuery({}))),
    component: lazyRouteComponent(() => import('./history-page.tsx'), 'HistoryPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/history/diff',
    validateSearch: readDiffSearch,
    component: lazyRouteComponent(() => import('./diff-page.tsx'), 'DiffPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/history/$revision',
    component: lazyRouteComponent(() => import('./revision-page.tsx'), 'RevisionPage'),
  }),
] as const;
