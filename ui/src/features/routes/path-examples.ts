import type { Route } from '../../api/admin-schema.ts';

export interface PathExamples {
  readonly takes: readonly string[];
  readonly leaves: readonly string[];
}

/**
 * Paths that a pattern takes and others, close by, that it does not: to see what exact, prefix and segments in braces mean. None
 * for expressions and for what is no pattern. test/browser/path-examples.test.ts holds them against the gateway's own matcher.
 */
export function pathExamplesOf(pattern: string, type: Route['match_type']): PathExamples {
  if (type === 'regex' || !/^\/[\w\-.~!$&'()+,;=:@%/{}]*\*?$/.test(pattern)) return { takes: [], leaves: [] };
  const whole = fill(pattern.replace(/\/\*$/, '') || '/');
  if (type === 'exact') {
    if (pattern.includes('*')) return { takes: [], leaves: [] };
    return whole === '/' ? { takes: ['/'], leaves: ['/x'] } : { takes: [whole], leaves: [other(whole), `${whole}/more`] };
  }
  if (whole === '/') return { takes: ['/', '/any/path'], leaves: [] };
  const prefix = whole.endsWith('/') ? whole.slice(0, -1) : whole;
  // A segment in braces takes any text, so that only a literal one at the end can be missed by a letter.
  const near = /\}\/?$|\}\/\*$/.test(pattern) ? [] : [`${prefix}-more`];
  const above = prefix.slice(0, prefix.lastIndexOf('/'));
  return {
    takes: [prefix, `${prefix}/more`],
    leaves: [...near, above === '' ? '/other' : above].filter((path) => !isTaken(path, pattern)),
  };
}

function fill(pattern: string): string {
  return pattern.replaceAll(/\{\w+\}/g, '42');
}

/** With its trailing slash where there is none, and without it where there is one. */
function other(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : `${path}/`;
}

/** `/{any}` takes whatever has one segment. */
function isTaken(path: string, pattern: string): boolean {
  return path.split('/').length >= pattern.split('/').length && pattern.startsWith('/{');
}
