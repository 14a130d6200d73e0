import type { RouteConfig } from '../../model/gateway-config.ts';
import { compileCors, type CorsPolicy } from '../cors-policy.ts';

/**
 * A route with everything that can be prepared before a request comes. Policies that it does not have are null here, so that they
 * cost a request one comparison.
 */
export interface ServedRoute extends RouteConfig {
  readonly corsPolicy: CorsPolicy | null;
}

/** Compiles what a route does with its requests; what it matches is compiled by the route table. */
export function serveRoute(config: RouteConfig): ServedRoute {
  return { ...config, corsPolicy: config.cors === null ? null : compileCors(config.cors, config.methods) };
}
