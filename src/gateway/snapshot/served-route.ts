import type { RouteConfig } from '../../model/gateway-config.ts';
import { compileCors, type CorsPolicy } from '../cors-policy.ts';
import { routePartOf } from '../record/exchange-line.ts';
import { compileTransform, type RouteTransform, type TransformSettings } from '../transform/compile-transform.ts';

/**
 * A route with everything that can be prepared before a request comes. Policies that it does not have are null here, so that they
 * cost a request one comparison.
 */
export interface ServedRoute extends RouteConfig {
  readonly corsPolicy: CorsPolicy | null;
  readonly transform: RouteTransform | null;
  /** For the access log. */
  readonly logPart: Uint8Array;
}

/** Compiles what a route does with its requests; what it matches is compiled by the route table. */
export function serveRoute(config: RouteConfig, transformSettings: TransformSettings): ServedRoute {
  return {
    ...config,
    corsPolicy: config.cors === null ? null : compileCors(config.cors, config.methods),
    transform: compileTransform(config, transformSettings),
    logPart: routePartOf(config.id, config.upstream_id),
  };
}
