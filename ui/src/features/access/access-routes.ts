import { createRoute } from '@tanstack/react-router';
import { queryClient } from '../../api/query-client.ts';
import { lazyPage } from '../../app/lazy-page.ts';
import { shellRoute } from '../../app/base-routes.tsx';
import { fetchAhead } from '../../app/fetch-ahead.ts';
import { pagesQuery } from '../../components/use-pages.ts';
import { readListSearch } from '../../components/use-list-search.ts';
import { readAuditSearch } from './audit-search.ts';

/** What the four lists have around them: heading and tabs. */
const accessRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/access',
  component: lazyPage(() => import('./access-layout.tsx'), 'AccessLayout'),
});

const lists = [
  createRoute({
    getParentRoute: () => accessRoute,
    path: '/',
    validateSearch: readListSearch,
    loader: (visit) => fetchAhead(visit, () => queryClient.prefetchInfiniteQuery(pagesQuery('admins', '/admin/admins', { q: '' }))),
    component: lazyPage(() => import('./admins-list.tsx'), 'AdminsList'),
  }),
  createRoute({
    getParentRoute: () => accessRoute,
    path: '/tokens',
    validateSearch: readListSearch,
    component: lazyPage(() => import('./tokens-list.tsx'), 'TokensList'),
  }),
  createRoute({
    getParentRoute: () => accessRoute,
    path: '/sessions',
    validateSearch: readListSearch,
    component: lazyPage(() => import('./sessions-list.tsx'), 'SessionsList'),
  }),
  createRoute({
    getParentRoute: () => accessRoute,
    path: '/audit',
    validateSearch: readAuditSearch,
    component: lazyPage(() => import('./audit-list.tsx'), 'AuditList'),
  }),
] as const;

export const accessRoutes = [
  accessRoute.addChildren(lists),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/access/admins/new',
    component: lazyPage(() => import('./new-admin-page.tsx'), 'NewAdminPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/access/admins/$id',
    component: lazyPage(() => import('./edit-admin-page.tsx'), 'EditAdminPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/access/tokens/new',
    component: lazyPage(() => import('./new-token-page.tsx'), 'NewTokenPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/access/tokens/$id',
    component: lazyPage(() => import('./edit-token-page.tsx'), 'EditTokenPage'),
  }),
] as const;
