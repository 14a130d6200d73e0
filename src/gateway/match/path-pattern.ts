import type { PathMatchType } from '../../model/route.ts';
import { normalisePath } from '../normalise-path.ts';

/** An exact or prefix pattern in the form requests are matched in. */
export interface PathPattern {
  readonly type: 'exact' | 'prefix';
  /** Normalised; a prefix has no slash at its end, so the prefix of everything is ''. */
  readonly path: string;
  /** What follows each slash of `path`; null where the pattern has a parameter. */
  readonly segments: readonly (string | null)[];
  readonly parameters: readonly string[];
}

/** Reads the pattern of an exact or prefix route; a string says what is wrong with it. */
export function parsePathPattern(pattern: string, matchType: Exclude<PathMatchType, 'regex'>): PathPattern | string {
  if (!pattern.startsWith('/')) return 'must start with /';
  if (/[?#]/.test(pattern)) return 'must not hold a query or fragment: only the path is matched';
  if (/[\u0000-\u0020\u007f]/.test(pattern)) return 'must not contain spaces or control characters; write a space as %20';
  let path = normalisePath(pattern.replaceAll(/[^\u0000-\u007f]+/gu, encodeURIComponentLoosely));
  if (path === null)
    return 'must not hold dot-segments (/../), backslashes, encoded control characters or a % without two hexadecimal digits';

  if (path.endsWith('/*')) {
    if (matchType === 'exact') return 'an exact path cannot end in /*; use the match type prefix';
    path = path.slice(0, -2);
  } else if (matchType === 'prefix' && path.endsWith('/')) {
    path = path.slice(0, -1);
  }
  if (path.includes('*')) return 'a * can only be the whole last segment of a prefix, as in /files/*';

  const parameters: string[] = [];
  const segments: (string | null)[] = [];
  for (const segment of path === '' ? [] : path.slice(1).split('/')) {
    if (!/[{}]/.test(segment)) {
      segments.push(segment);
      continue;
    }
    const name = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(segment)?.[1];
    if (name === undefined) return `a parameter must be a whole segment such as {id}, named with letters, digits and _; not "${segment}"`;
    if (parameters.includes(name)) return `the parameter {${name}} occurs twice`;
    parameters.push(name);
    segments.push(null);
  }
  return { type: matchType, path, segments, parameters };
}

/** UTF-8 percent-encoding; a lone surrogate becomes the replacement character instead of an exception. */
function encodeURIComponentLoosely(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
