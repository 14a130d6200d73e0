import { createRoute } from '@tanstack/react-router';
import { lazyPage } from '../../app/lazy-page.ts';
import { rootRoute } from '../../app/base-routes.tsx';

/** Pages for those who are not signed in. */
export const sessionRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/sign-in',
    validateSearch: ({ to }: Record<string, unknown>): { readonly to?: string } => (isOwnPath(to) ? { to } : {}),
    component: lazyPage(() => import('./sign-in-page.tsx'), 'SignInPage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/setup',
    component: lazyPage(() => import('./setup-page.tsx'), 'SetupPage'),
  }),
] as const;

/** Only pages of ours: a link must not send anybody elsewhere after signing in. */
function isOwnPath(to: unknown): to is string {
  return typeof to === 'string' && /^\/(?![/\\])/.test(to);
}
