import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { queryClient } from '../../api/query-client.ts';
import { shellRoute } from '../../app/base-routes.tsx';
import { fetchAhead } from '../../app/fetch-ahead.ts';
import { pagesQuery } from '../../components/use-pages.ts';
import { readListSearch } from '../../components/use-list-search.ts';
import { readAuditSearch } from './audit-search.ts';

/** What the four lists have around them: heading and tabs. */
const accessRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/access',
  component: lazyRouteComponent(() => import('./access-layout.tsx'), 'AccessLayout'),
});

const lists = [
  createRoute({
    getParentRoute: () => accessRoute,
    path: '/',
    validateSearch: readListSearch,
    loader: (visit) => fetchAhead(visit, () => queryClient.prefetchInfiniteQuery(pagesQuery('admins', '/admin/admins', { q: '' }))),
    component: lazyRouteComponent(() => import('./admins-list.tsx'), 'AdminsList'),
  }),
  createRoute({
    getParentRoute: () => accessRoute,
    path: '/tokens',
    validateSearch: readListSearch,
    component: lazyRouteComponent(() => import('./tokens-list.tsx'), 'TokensList'),
  }),
  createRoute({
    getParentRoute: () => accessRoute,
    path: '/sessions',
    validateSearch: readListSearch,
    component: lazyRouteComponent(() => import('./sessions-list.tsx'), 'SessionsList'),
  }),
  createRoute({
    getParentRoute: () => accessRoute,
    path: '/audit',
    validateSearch: readAuditSearch,
    component: lazyRouteComponent(() => import('./audit-list.tsx'), 'AuditList'),
  }),
] as const;

export const accessRoutes = [
  accessRoute.addChildren(lists),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/access/admins/new',
    component: lazyRouteComponent(() => import('./new-admin-page.tsx'), 'NewAdminPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/access/admins/$id',
    component: lazyRouteComponent(() => import('./edit-admin-page.tsx'), 'EditAdminPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/access/tokens/new',
    component: lazyRouteComponent(() => import('./new-token-page.tsx'), 'NewTokenPage'),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: '/access/tokens/$id',
    component: lazyRouteComponent(() => import('./edit-token-page.tsx'), 'EditTokenPage'),
  }),
] as const;
