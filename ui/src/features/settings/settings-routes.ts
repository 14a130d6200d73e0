import { createRoute } from '@tanstack/react-router';
import { queryClient } from '../../api/query-client.ts';
import { lazyPage } from '../../app/lazy-page.ts';
import { shellRoute } from '../../app/base-routes.tsx';
import { fetchAhead } from '../../app/fetch-ahead.ts';
import { settingsQuery } from '../../api/settings-query.ts';
import { readListSearch } from '../../components/use-list-search.ts';

const settingsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/settings',
  component: lazyPage(() => import('./settings-layout.tsx'), 'SettingsLayout'),
});

const tabs = [
  createRoute({
    getParentRoute: () => settingsRoute,
    path: '/',
    validateSearch: readListSearch,
    loader: (visit) => fetchAhead(visit, () => queryClient.prefetchQuery(settingsQuery)),
    component: lazyPage(() => import('./settings-list.tsx'), 'SettingsList'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: '/export',
    component: lazyPage(() => import('./export-tab.tsx'), 'ExportTab'),
  }),
] as const;

export const settingsRoutes = [settingsRoute.addChildren(tabs)] as const;
