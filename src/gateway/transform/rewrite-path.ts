import { normalisePath } from '../normalise-path.ts';
import { compileTemplate, targetText, type Template, type TemplateScope } from './template.ts';
import { TransformFailure } from './transform-failure.ts';
import type { TransformFacts } from './transform-facts.ts';

/** A path_rewrite, ready to be filled in. */
export interface PathRewrite {
  readonly path: Template;
  /** null: the request's own query stays. */
  readonly query: Template | null;
}

/** Compiles a path_rewrite; a string says what is wrong with it. */
export function compileRewrite(text: string, scope: TemplateScope): PathRewrite | string {
  const question = text.indexOf('?');
  const [before, after] = question < 0 ? [text, null] : [text.slice(0, question), text.slice(question + 1)];
  if (!/^(?:\/|\$\{|\$[0-9])/.test(before)) return 'must begin with / or a variable';
  if (text.includes('#')) return 'must not hold a fragment';
  const path = compileTemplate(before, scope);
  if (typeof path === 'string') return path;
  const query = after === null ? null : compileTemplate(after, scope);
  if (typeof query === 'string') return query;
  // What the literal parts come to, with something harmless for each variable.
  const sample = sampleOf(path);
  if (/[{}]/.test(sample)) return 'must not hold braces: a parameter of the path is written ${pathParams.id}';
  if (!/^[A-Za-z0-9\-._~!$&'()*+,;=:@%/\\]*$/.test(sample)) return 'holds a character that must be percent-encoded in a path';
  if (normalisePath(sample.startsWith('/') ? sample : `/${sample}`) === null)
    return 'must not hold dot-segments (/../), backslashes, encoded control characters or a % without two hexadecimal digits';
  if (query !== null && !/^[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*$/.test(sampleOf(query)))
    return 'holds a character that must be percent-encoded in a query';
  return { path, query };
}

/**
 * The target that a request goes on with, without base_url's path: it starts with exactly one slash, and can neither climb out of
 * base_url's path nor be taken for another host's. @throws TransformFailure where the variables' values would make it so
 */
export function rewrittenTarget(rewrite: PathRewrite, query: string, facts: TransformFacts): string {
  const path = `/${targetText(rewrite.path, facts).replace(/^\/+/, '')}`;
  if (normalisePath(path) === null)
    throw new TransformFailure(500, 'the rewritten path would hold a dot-segment, a backslash or an encoded control byte');
  const newQuery = rewrite.query === null ? query : targetText(rewrite.query, facts);
  return newQuery === '' ? path : `${path}?${newQuery}`;
}

function sampleOf(template: Template): string {
  return template.parts.map((part) => (typeof part === 'string' ? part : 'x')).join('');
}
