import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import type { FieldError } from '../../errors/gateway-error.ts';
import { hostNameProblem } from '../../model/base-url.ts';
import type { RouteConfig } from '../../model/gateway-config.ts';
import type { HeaderCondition } from '../../model/route.ts';
import { checkRegex, compileRegex, type LinearRegex } from '../linear-regex.ts';
import { methodBit } from './method-bits.ts';
import { parsePathPattern } from './path-pattern.ts';

/** How specific a route's host is; lower goes first. */
export const hostRanks = { exact: 0, wildcard: 1, regex: 2, any: 3 } as const;
export type HostKind = keyof typeof hostRanks;

const pathRanks = { exact: 0, prefix: 1, regex: 2 } as const;

/** A header condition, ready to be evaluated. */
export interface CompiledHeader {
  /** Lower case. */
  readonly name: string;
  readonly value: string;
  /** Found anywhere in the value unless anchored. */
  readonly regex: LinearRegex | null;
  readonly required: boolean;
}

/** A route, ready to be matched. */
export interface CompiledRoute<R extends RouteConfig> {
  readonly route: R;
  readonly hostKind: HostKind;
  /** Exact: the host; wildcard: what follows the first label; regex: its source; any: ''. */
  readonly host: string;
  readonly hostRegex: LinearRegex | null;
  readonly pathKind: RouteConfig['match_type'];
  /** Normalised literal path of an exact or prefix route without parameters; else ''. */
  readonly path: string;
  /** Segments of an exact or prefix route with parameters (null at each); else null. */
  readonly segments: readonly (string | null)[] | null;
  /** Found anywhere in the path unless anchored. */
  readonly pathRegex: LinearRegex | null;
  /** Slashes of an exact or prefix path. */
  readonly depth: number;
  /** Literal characters; of a regex, its source's length. */
  readonly weight: number;
  /** One bit for each well-known method; -1 when all methods are taken. */
  readonly methodBits: number;
  /** Methods that have no bit. */
  readonly otherMethods: readonly string[];
  readonly headers: readonly CompiledHeader[];
}

/** Makes a route ready to be matched. Throws where `checkRoute` finds an error. */
export function compileRoute<R extends RouteConfig>(route: R): CompiledRoute<R> {
  const hostKind = hostKindOf(route);
  const regexPath = route.match_type === 'regex';
  const pattern = route.match_type === 'regex' ? null : parsePathPattern(route.path_pattern, route.match_type);
  if (typeof pattern === 'string') throw new Error(`route ${route.id}: path_pattern ${pattern}`);
  const literal = pattern !== null && pattern.parameters.length === 0;
  return {
    route,
    hostKind,
    host: hostKey(route.host_pattern, hostKind),
    hostRegex: hostKind === 'regex' ? compileRegex(route.host_pattern, true) : null,
    pathKind: route.match_type,
    path: literal ? pattern.path : '',
    segments: pattern === null || literal ? null : pattern.segments,
    pathRegex: regexPath ? compileRegex(route.path_pattern) : null,
    depth: pattern === null ? 0 : pattern.segments.length,
    weight: pattern === null ? route.path_pattern.length : pattern.segments.reduce((sum, segment) => sum + 1 + (segment?.length ?? 0), 0),
    methodBits: methodBitsOf(route.methods),
    otherMethods: orNone(route.methods.filter((method) => methodBit(method) === 0)),
    headers: orNone(
      route.headers.map((condition) => ({
        name: condition.name.toLowerCase(),
        value: condition.value,
        regex: condition.is_regex ? compileRegex(condition.value) : null,
        required: condition.required,
      })),
    ),
  };
}

const none: readonly never[] = [];

// Thousands of routes share one empty list, which stays at hand.
function orNone<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? none : list;
}

/**
 * Order among routes that match the same request, best first: managed routes last, then higher priority, more specific host,
 * exact before prefix before regex, longer pattern (more segments, then more literal characters), and finally the id.
 */
export function compareRoutes(a: CompiledRoute<RouteConfig>, b: CompiledRoute<RouteConfig>): number {
  if (a.route.managed !== b.route.managed) return a.route.managed ? 1 : -1;
  if (a.route.priority !== b.route.priority) return b.route.priority - a.route.priority;
  if (a.hostKind !== b.hostKind) return hostRanks[a.hostKind] - hostRanks[b.hostKind];
  if (a.pathKind !== b.pathKind) return pathRanks[a.pathKind] - pathRanks[b.pathKind];
  if (a.depth !== b.depth) return b.depth - a.depth;
  if (a.weight !== b.weight) return b.weight - a.weight;
  return a.route.id < b.route.id ? -1 : a.route.id > b.route.id ? 1 : 0;
}

/** Everything that keeps the route from being compiled, by field. Part of the trial compile. */
export function checkRoute(route: RouteConfig): FieldError[] {
  const errors: FieldError[] = [];
  const note = (field: string, message: string | null): void => {
    if (message !== null) errors.push({ field, message });
  };
  note('host_pattern', checkHost(route));
  if (route.match_type === 'regex') {
    note('path_pattern', checkRegex(route.path_pattern));
  } else {
    const pattern = parsePathPattern(route.path_pattern, route.match_type);
    if (typeof pattern === 'string') note('path_pattern', pattern);
  }
  for (const [i, method] of route.methods.entries()) note(`methods.${i}`, checkMethod(method));
  for (const [i, condition] of route.headers.entries()) checkHeader(condition, `headers.${i}`, note);
  return errors;
}

/** With a pattern but no type of its own, `*.` means wildcard: no exact host can begin so. */
function hostKindOf(route: RouteConfig): HostKind {
  if (route.host_pattern === '') return 'any';
  if (route.host_match_type === 'exact' && route.host_pattern.startsWith('*.')) return 'wildcard';
  return route.host_match_type;
}

function hostKey(pattern: string, kind: HostKind): string {
  if (kind === 'any' || kind === 'regex') return pattern;
  let host = pattern.toLowerCase();
  if (host.startsWith('[') && host.endsWith(']')) host = host.slice(1, -1);
  if (host.endsWith('.')) host = host.slice(0, -1);
  return kind === 'wildcard' ? host.slice(2) : host;
}

function checkHost(route: RouteConfig): string | null {
  const kind = hostKindOf(route);
  if (kind === 'any') return null;
  if (kind === 'regex') return checkRegex(route.host_pattern);
  if (kind === 'wildcard' && !route.host_pattern.startsWith('*.')) return 'a wildcard must start with *. as in *.example.com';
  const host = hostKey(route.host_pattern, kind);
  if (host.includes('*')) return 'a * can only stand for the whole first label, as in *.example.com';
  if (isIPv6(host) && kind === 'exact') return null;
  if (/:\d*$/.test(host)) return 'must not have a port: hosts are matched without it';
  if (/[^\u0000-\u007f]/.test(host)) {
    const ascii = domainToASCII(host);
    return `must be in its xn-- form${ascii === '' ? '' : `: ${kind === 'wildcard' ? '*.' : ''}${ascii}`}`;
  }
  const problem = hostNameProblem(host);
  return problem === undefined ? null : problem;
}

function checkMethod(method: string): string | null {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/.test(method)) return 'must be the name of an HTTP method, such as GET';
  if (method === 'CONNECT' || method === 'TRACE') return `${method} is never forwarded`;
  const upper = method.toUpperCase();
  return upper !== method && methodBit(upper) !== 0 ? `methods are case-sensitive: write ${upper}` : null;
}

function checkHeader(condition: HeaderCondition, at: string, note: (field: string, message: string | null) => void): void {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/.test(condition.name)) note(`${at}.name`, 'must be the name of an HTTP header');
  if (condition.is_regex) note(`${at}.value`, checkRegex(condition.value));
  // A field value arrives without surrounding blanks and never with control characters: such a condition could never hold.
  else if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(condition.value)) note(`${at}.value`, 'must not contain control characters');
  else if (condition.value.trim() !== condition.value) note(`${at}.value`, 'must not begin or end with a blank');
}

function methodBitsOf(methods: readonly string[]): number {
  if (methods.length === 0) return -1;
  let bits = 0;
  for (const method of methods) bits |= methodBit(method);
  // RFC 9110 section 9.3.2: HEAD is GET without the body.
  return (bits & methodBit('GET')) === 0 ? bits : bits | methodBit('HEAD');
}
