import { createRoute } from '@tanstack/react-router';
import { queryClient } from '../../api/query-client.ts';
import { lazyPage } from '../../app/lazy-page.ts';
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
    component: lazyPage(() => import('./history-page.tsx'), 'HistoryPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/history/diff',
    validateSearch: readDiffSearch,
    component: lazyPage(() => import('./diff-page.tsx'), 'DiffPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/history/$revision',
    component: lazyPage(() => import('./revision-page.tsx'), 'RevisionPage'),
  }),
] as const;
