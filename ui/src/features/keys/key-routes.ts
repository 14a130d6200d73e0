import { createRoute } from '@tanstack/react-router';
import { queryClient } from '../../api/query-client.ts';
import { lazyPage } from '../../app/lazy-page.ts';
import { shellRoute } from '../../app/base-routes.tsx';
import { fetchAhead } from '../../app/fetch-ahead.ts';
import { keysQuery } from './key-queries.ts';
import { readListSearch } from '../../components/use-list-search.ts';

export const keyRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/keys',
    validateSearch: readListSearch,
    loader: (visit) => fetchAhead(visit, () => queryClient.prefetchInfiniteQuery(keysQuery(''))),
    component: lazyPage(() => import('./keys-page.tsx'), 'KeysPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/keys/new',
    component: lazyPage(() => import('./new-key-page.tsx'), 'NewKeyPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/keys/$id',
    component: lazyPage(() => import('./edit-key-page.tsx'), 'EditKeyPage'),
  }),
] as const;
