import type { RouteConfig } from '../../model/gateway-config.ts';
import { compileTransform, type RouteTransform, type TransformSettings } from '../transform/compile-transform.ts';

/**
 * A route with everything that can be prepared before a request comes. Policies that it does not have are null here, so that they
 * cost a request one comparison.
 */
export interface ServedRoute extends RouteConfig {
  readonly transform: RouteTransform | null;
}

/** Compiles what a route does with its requests; what it matches is compiled by the route table. */
export function serveRoute(config: RouteConfig, transformSettings: TransformSettings): ServedRoute {
  return { ...config, transform: compileTransform(config, transformSettings) };
}
