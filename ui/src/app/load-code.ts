import type { AnyRouter } from '@tanstack/react-router';

/** Asks for a page's code; by itself the router does so when it knows that somebody is signed in. */
export function loadCode(router: AnyRouter, pathname: string): void {
  // What cannot be had is asked for again when the page is to be shown, which then says so.
  for (const route of router.getMatchedRoutes(pathname)[0]) router.loadRouteChunk(route)?.catch(() => undefined);
}
