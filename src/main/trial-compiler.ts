import { Pace } from '../control/pace.ts';
import type { RouteExpressions, TrialCompiler } from '../control/control-context.ts';
import type { FieldError } from '../errors/gateway-error.ts';
import type { RouteId } from '../model/ids.ts';
import { checkRoute } from '../gateway/match/compile-route.ts';
import { routeOrder } from '../gateway/match/route-order.ts';
import { routeWarnings } from '../gateway/match/route-warnings.ts';
import { routeSetWarnings } from '../gateway/match/route-set-warnings.ts';
import { checkTransform, type TransformSettings } from '../gateway/transform/compile-transform.ts';
import { checkRegex } from '../gateway/linear-regex.ts';
import { compileUpstream, UncompilableUpstream } from '../gateway/snapshot/compile-upstream.ts';

/** The data plane's own compiler, behind the control plane's port. */
export function createTrialCompiler(transforms: TransformSettings): TrialCompiler {
  return {
    upstream(upstream) {
      try {
        // The pool is not looked at while compiling, and nothing is sent.
        compileUpstream(upstream, () => undefined as never);
        return [];
      } catch (error) {
        if (error instanceof UncompilableUpstream) return [{ field: 'base_url', message: error.message }];
        throw error;
      }
    },
    route(route, others) {
      const errors = checkRoute(route);
      return { errors, warnings: errors.length === 0 ? routeWarnings(route, others) : [] };
    },
    async expressions(route, pace) {
      for (const source of expressionsOf(route)) {
        checkRegex(source);
        await pace.rest();
      }
    },
    async routes(all, changed, pace = new Pace()) {
      const errors = new Map<RouteId, readonly FieldError[]>();
      for (const route of all) {
        if (!changed.has(route.id)) continue;
        errors.set(route.id, checkRoute(route));
        await pace.rest();
      }
      const sound = all.filter(({ id }) => (errors.get(id)?.length ?? 0) === 0);
      const warnings = await routeSetWarnings(sound, changed, pace);
      return new Map([...errors].map(([id, found]) => [id, { errors: found, warnings: warnings.get(id) ?? [] }]));
    },
    order: routeOrder,
    transformation: (route, credentialName) => checkTransform(route, transforms, credentialName),
  };
}

function expressionsOf(route: RouteExpressions): string[] {
  const { host_pattern = '', path_pattern = '', headers = [], request_transform = null, response_transform = null } = route;
  const conditions = [...(request_transform?.conditions ?? []), ...(response_transform?.conditions ?? [])];
  return [
    ...(route.host_match_type === 'regex' ? [host_pattern] : []),
    ...(route.match_type === 'regex' ? [path_pattern] : []),
    ...headers.filter(({ is_regex }) => is_regex).map(({ value }) => value),
    ...conditions.flatMap(({ when }) => when.path_matches ?? []),
  ];
}
