/** What the router tells a loader, as far as it is of interest here. */
interface Visit {
  readonly cause: 'preload' | 'enter' | 'stay';
  readonly location: { readonly searchStr: string };
}

/**
 * For the loader of a route: has its page's data fetched while its code still is. The page itself asks for the same queries, and waits
 * for what is on its way. Nothing is fetched for an address with a search in it, whose queries are others, nor for a page that is there.
 */
export function fetchAhead({ cause, location }: Visit, fetchAll: () => unknown): void {
  if (cause !== 'stay' && location.searchStr === '') fetchAll();
}
