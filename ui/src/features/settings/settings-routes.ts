import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../app/base-routes.tsx';
import { readListSearch } from '../../components/use-list-search.ts';

const settingsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/settings',
  component: lazyRouteComponent(() => import('./settings-layout.tsx'), 'SettingsLayout'),
});

const tabs = [
  createRoute({
    getParentRoute: () => settingsRoute,
    path: '/',
    validateSearch: readListSearch,
    component: lazyRouteComponent(() => import('./settings-list.tsx'), 'SettingsList'),
  }),
  createRoute({
    getParentRoute: () => settingsRoute,
    path: '/export',
    component: lazyRouteComponent(() => import('./export-tab.tsx'), 'ExportTab'),
  }),
] as const;

export const settingsRoutes = [settingsRoute.addChildren(tabs)] as const;
