import { router } from './router.tsx';

/** Asks for all that the page of this address needs before React has drawn anything: its code, who is signed in, its data. */
export function loadFirstPage(): void {
  const [routes] = router.getMatchedRoutes(router.latestLocation.pathname);
  // By itself the router asks for the code when it knows who is signed in.
  for (const route of routes) void router.loadRouteChunk(route);
  void router.load();
}
