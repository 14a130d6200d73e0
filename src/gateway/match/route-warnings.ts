import type { RouteConfig } from '../../model/gateway-config.ts';
import { reservedPaths } from '../../model/route.ts';
import { compareRoutes, compileRoute, type CompiledRoute } from './compile-route.ts';

/** Overlaps with the new route are told one by one up to this many. */
export const mostNamed = 5;

/**
 * What works but will surprise: a reserved path that takes all of the route's requests, another route that always beats it,
 * routes that it will always beat, an expression without an anchor. `route` must have passed checkRoute; `others` may hold an
 * older version of it, and routes that are disabled: both are passed over. Looks at every other route: for saving, not for requests.
 */
export function routeWarnings(route: RouteConfig, others: Iterable<RouteConfig>): string[] {
  const own = compileRoute(route);
  const warnings = warningsByItself(own);
  if (!route.enabled) return warnings;

  let beaten = 0;
  let beatenBy: RouteConfig | undefined;
  for (const other of others) {
    if (other.id === route.id || !other.enabled || !mayOverlap(own, other)) continue;
    const theirs = compileRoute(other);
    if (compareRoutes(theirs, own) < 0) {
      if (beatenBy === undefined && covers(theirs, own)) beatenBy = other;
    } else if (covers(own, theirs) && ++beaten <= mostNamed) {
      warnings.push(`Route "${other.name}" never gets a request any more: this one always beats it.`);
    }
  }
  if (beaten > mostNamed) warnings.push(`${beaten - mostNamed} more routes never get a request any more for the same reason.`);
  if (beatenBy !== undefined) warnings.push(`This route never gets a request: route "${beatenBy.name}" always beats it.`);
  return warnings;
}

/** What shows without a look at other routes. */
export function warningsByItself(own: CompiledRoute<RouteConfig>): string[] {
  const warnings: string[] = [];
  const reserved = reservedBy(own);
  if (reserved !== undefined) {
    warnings.push(`This route never gets a request: ${reserved} belongs to the gateway itself.`);
  }
  if (own.pathRegex !== null && !own.route.path_pattern.startsWith('^')) {
    warnings.push('The expression also matches in the middle of a path; begin it with ^ if it should not.');
  }
  return warnings;
}

function reservedBy(route: CompiledRoute<RouteConfig>): string | undefined {
  const path = route.segments === null ? route.path : `/${route.segments[0] ?? ''}`;
  return route.pathRegex === null ? reservedPaths.find((reserved) => path === reserved || path.startsWith(`${reserved}/`)) : undefined;
}

/** A quick look before a route is compiled: most pairs of routes have nothing to do with one another. */
function mayOverlap(own: CompiledRoute<RouteConfig>, other: RouteConfig): boolean {
  if (own.pathRegex !== null || other.match_type === 'regex') {
    if (own.pathKind === 'exact' || other.match_type === 'exact') return true;
    return other.path_pattern === own.route.path_pattern || own.path === '' || other.path_pattern.length <= 2;
  }
  const [a, b] = [firstSegment(own.route.path_pattern), firstSegment(other.path_pattern)];
  return a === b || /[*{%]|^$/.test(a) || /[*{%]|^$/.test(b);
}

function firstSegment(pattern: string): string {
  return pattern.split('/').find((segment) => segment !== '') ?? '';
}

/** Whether every request that fits `b` also fits `a`. May say no where it is hard to tell, never yes wrongly. */
export function covers(a: CompiledRoute<RouteConfig>, b: CompiledRoute<RouteConfig>): boolean {
  return coversHost(a, b) && coversMethods(a, b) && coversPath(a, b) && coversHeaders(a, b);
}

function coversHost(a: CompiledRoute<RouteConfig>, b: CompiledRoute<RouteConfig>): boolean {
  if (a.hostKind === 'any') return true;
  if (a.hostKind === b.hostKind) return a.host === b.host;
  if (b.hostKind !== 'exact') return false;
  if (a.hostKind === 'wildcard') return b.host.indexOf('.') > 0 && b.host.slice(b.host.indexOf('.') + 1) === a.host;
  return a.hostRegex?.testExact(b.host) ?? false;
}

function coversMethods(a: CompiledRoute<RouteConfig>, b: CompiledRoute<RouteConfig>): boolean {
  if (a.methodBits === -1) return true;
  if (b.methodBits === -1) return false;
  return (b.methodBits & ~a.methodBits) === 0 && b.otherMethods.every((method) => a.otherMethods.includes(method));
}

function coversPath(a: CompiledRoute<RouteConfig>, b: CompiledRoute<RouteConfig>): boolean {
  if (a.pathKind === 'regex') {
    if (b.pathKind === 'regex') return a.route.path_pattern === b.route.path_pattern;
    return b.pathKind === 'exact' && b.segments === null && (a.pathRegex?.test(b.path) ?? false);
  }
  if (b.pathKind === 'regex') return a.pathKind === 'prefix' && a.path === '' && a.segments === null;
  if (a.pathKind === 'exact' && b.pathKind !== 'exact') return false;
  const [outer, inner] = [segmentsOf(a), segmentsOf(b)];
  if (a.pathKind === 'exact' ? outer.length !== inner.length : outer.length > inner.length) return false;
  return outer.every((segment, i) => (segment === null ? inner[i] !== '' : segment === inner[i]));
}

export function segmentsOf(route: CompiledRoute<RouteConfig>): readonly (string | null)[] {
  return route.segments ?? (route.path === '' ? [] : route.path.slice(1).split('/'));
}

function coversHeaders(a: CompiledRoute<RouteConfig>, b: CompiledRoute<RouteConfig>): boolean {
  return a.headers.every((condition) =>
    b.headers.some(
      (other) =>
        other.name === condition.name &&
        other.value === condition.value &&
        (other.regex === null) === (condition.regex === null) &&
        (other.required || !condition.required),
    ),
  );
}
