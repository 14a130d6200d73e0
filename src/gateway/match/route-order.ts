import type { RouteConfig } from '../../model/gateway-config.ts';
import { compareRoutes, compileRoute, type CompiledRoute } from './compile-route.ts';
import { CoverIndex } from './cover-index.ts';
import { warningsByItself } from './route-warnings.ts';

/** A route in its place among all. */
export interface OrderedRoute {
  readonly route: RouteConfig;
  /** The most preferred route that covers this one's every request; null where there is none, and for a disabled route. */
  readonly beatenBy: RouteConfig | null;
  /** What works but will surprise, whatever other routes there are. */
  readonly warnings: readonly string[];
}

/** Pairs that are compared at most: see routeSetWarnings. What is not looked at is not told. */
const mostPairs = 1_000_000;

const compiledRoutes = new WeakMap<RouteConfig, CompiledRoute<RouteConfig>>();
const orders = new WeakMap<readonly RouteConfig[], readonly OrderedRoute[]>();

/**
 * All routes in the order in which they are preferred, disabled ones where they would stand. The same list is ordered once,
 * the same route compiled once. For people, not for requests.
 */
export function routeOrder(all: readonly RouteConfig[]): readonly OrderedRoute[] {
  const known = orders.get(all);
  if (known !== undefined) return known;
  const compiled = all.map(compiledOnce);
  const budget = { pairs: mostPairs };
  const index = new CoverIndex(compiled.filter(({ route }) => route.enabled));
  const order = compiled.toSorted(compareRoutes).map((own): OrderedRoute => {
    const winners = own.route.enabled ? [...index.winnersOver(own, budget)] : [];
    return { route: own.route, beatenBy: winners.toSorted(compareRoutes)[0]?.route ?? null, warnings: warningsByItself(own) };
  });
  orders.set(all, order);
  return order;
}

function compiledOnce(route: RouteConfig): CompiledRoute<RouteConfig> {
  let compiled = compiledRoutes.get(route);
  if (compiled === undefined) compiledRoutes.set(route, (compiled = compileRoute(route)));
  return compiled;
}
