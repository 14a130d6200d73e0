import { isIPv4, isIPv6 } from 'node:net';
import { hostNameProblem } from './base-url.ts';
import type { HostMatchType, PathMatchType } from './route.ts';

const maxLength = 2048;

/** How a host pattern is meant when nobody says: `*.` in front means wildcard. */
export function defaultHostMatchType(pattern: string): HostMatchType {
  return pattern.startsWith('*.') ? 'wildcard' : 'exact';
}

/**
 * Why a host pattern could never match as meant, or undefined. Hosts are matched without port and trailing
 * dot, in lower case. Whether a regex compiles is for the gateway's own compiler to say.
 */
export function hostPatternProblem(pattern: string, type: HostMatchType): string | undefined {
  if (pattern.length > maxLength) return `must have at most ${maxLength} characters`;
  if (type === 'regex') return pattern === '' ? 'must not be empty with host_match_type regex' : controlProblem(pattern);
  if (type === 'wildcard') {
    if (!pattern.startsWith('*.')) return 'must start with *. with host_match_type wildcard';
    return hostProblem(pattern.slice(2), 'after *.');
  }
  if (pattern === '') return undefined;
  if (pattern.includes('*')) return 'may have a * only in front, as *.example.com, with host_match_type wildcard';
  return hostProblem(pattern, '');
}

/**
 * Why a path pattern could never match as meant, or undefined. Paths are matched with percent-encoded
 * unreserved characters decoded and repeated slashes merged (RFC 3986 section 6.2.2), and without the query.
 */
export function pathPatternProblem(pattern: string, type: PathMatchType): string | undefined {
  if (pattern === '') return 'must not be empty; /* matches every path';
  if (pattern.length > maxLength) return `must have at most ${maxLength} characters`;
  if (type === 'regex') return controlProblem(pattern);
  if (!pattern.startsWith('/')) return 'must start with /';
  if (/[\u0000-\u0020\u007f]/.test(pattern)) return 'must not contain spaces or control characters';
  if (/[^\u0021-\u007e]/.test(pattern))
    return 'must not contain characters outside ASCII; write them percent-encoded, as clients send them';
  if (/[?#]/.test(pattern)) return 'must be a path alone: a query or fragment is never part of it';
  if (pattern.includes('\\')) return 'must not contain a backslash';
  if (pattern.includes('//')) return 'must not have two slashes in a row: they are merged before matching';
  const encoded = /%(?:(?![0-9A-Fa-f]{2})|([0-9A-Fa-f]{2}))/g;
  for (const [, digits] of pattern.matchAll(encoded)) {
    if (digits === undefined) return 'has a % that is not followed by two hexadecimal digits';
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    if (/[A-Za-z0-9\-._~]/.test(character)) return `must have ${character} instead of %${digits}: it is decoded before matching`;
    if (/[\u0000-\u001f\u007f\\]/.test(character)) return `must not contain %${digits}: requests with it are refused`;
  }
  if (pattern.split('/').some((segment) => segment === '.' || segment === '..'))
    return 'must not have . or .. segments: requests with them are refused';
  return wildcardProblem(pattern, type) ?? parameterProblem(pattern);
}

function wildcardProblem(pattern: string, type: PathMatchType): string | undefined {
  const star = pattern.indexOf('*');
  if (star === -1) return undefined;
  if (type === 'prefix' && star === pattern.length - 1 && pattern.endsWith('/*')) return undefined;
  return type === 'exact' ? 'must not have a * with match_type exact' : 'may have a * only as its last segment, as /x/*';
}

function parameterProblem(pattern: string): string | undefined {
  const seen = new Set<string>();
  for (const segment of pattern.split('/')) {
    if (!/[{}]/.test(segment)) continue;
    const name = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(segment)?.[1];
    if (name === undefined) return `has ${segment}: a parameter is a whole segment in braces, as /users/{id}`;
    if (seen.has(name)) return `names the parameter ${name} twice`;
    seen.add(name);
  }
  return undefined;
}

function hostProblem(host: string, where: string): string | undefined {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (isIPv4(bare) || isIPv6(bare)) return where === '' ? undefined : `must have a host name ${where}, not an address`;
  if (/:\d*$/.test(host)) return 'must be a host without a port';
  if (host.includes('/')) return 'must be a host alone, without scheme or path';
  if (host.endsWith('.')) return 'must be a host without a dot at the end';
  const problem = hostNameProblem(host);
  return problem === undefined ? undefined : `must be a host name${where === '' ? '' : ` ${where}`}: ${problem}`;
}

function controlProblem(pattern: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  return /[\u0000-\u001f\u007f]/.test(pattern) || !pattern.isWellFormed() ? 'must not contain control characters' : undefined;
}
