import { Notifications } from '@mantine/notifications';
import { createRootRoute, createRoute, Outlet, redirect, type ErrorComponentProps } from '@tanstack/react-router';
import { ApiProblem } from '../api/api-problem.ts';
import { callApi } from '../api/call-api.ts';
import { meKey, queryClient } from '../api/query-client.ts';
import { BarePage } from './bare-page.tsx';
import { NotFoundPage } from './not-found-page.tsx';
import { PageError } from './page-error.tsx';
import { Shell } from './shell.tsx';

export const rootRoute = createRootRoute({ component: Root, errorComponent: BareError });

/** Messages are below the router, because some lead to a page. */
function Root() {
  return (
    <>
      {/* Over the foot of the sidebar, see global.css; on a phone over the foot of the page. */}
      <Notifications position="bottom-left" aria-live="polite" />
      <Outlet />
    </>
  );
}

/** Parent of every page for admins: the sidebar, the header, and the session that they need. */
export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  beforeLoad: ({ location }) => requireSession(location.href),
  component: Shell,
  // Who is signed in could not be asked.
  errorComponent: BareError,
});

/** Every address that is no page: within the sidebar and the header, from where there is a way on. */
export const nowhereRoute = createRoute({ getParentRoute: () => shellRoute, path: '$', component: NotFoundPage });

function BareError(props: ErrorComponentProps) {
  return (
    <BarePage>
      <PageError {...props} />
    </BarePage>
  );
}

/** Once signed in, a session that ends is the shell's business: it asks over the page, which stays. */
export async function requireSession(target: string): Promise<void> {
  if (queryClient.getQueryData(meKey) !== undefined) return;
  try {
    queryClient.setQueryData(meKey, (await callApi('get', '/admin/me', {}, { throwOn401: true })).value);
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
    const { required } = (await callApi('get', '/admin/setup', {})).value;
    throw required ? redirect({ to: '/setup' }) : redirect({ to: '/sign-in', search: { to: target } });
  }
}
