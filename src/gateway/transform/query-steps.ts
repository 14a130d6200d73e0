import { bytesOfText, percentEncoded, queryDecoded } from './byte-text.ts';
import { parameterText, type Template } from './template.ts';
import type { TransformFacts } from './transform-facts.ts';

/** One change to a query; steps are done in their order. */
export type QueryStep =
  | { readonly act: 'remove'; readonly name: string }
  | { readonly act: 'set' | 'add'; readonly name: string; readonly value: Template };

/**
 * Changes a query (without its question mark) and leaves the bytes, order and repetition of everything else as they are. `set`
 * puts its value in the place of the first parameter of that name and removes the others. @throws TransformFailure
 */
export function changeQuery(query: string, steps: readonly QueryStep[], facts: TransformFacts): string {
  let parts = query === '' ? [] : query.split('&');
  for (const step of steps) {
    const name = bytesOfText(step.name);
    const is = (part: string): boolean => nameOf(part) === name;
    if (step.act === 'remove') {
      parts = parts.filter((part) => !is(part));
      continue;
    }
    const written = `${percentEncoded(name)}=${percentEncoded(parameterText(step.value, facts))}`;
    const first = step.act === 'set' ? parts.findIndex(is) : -1;
    if (first < 0) parts.push(written);
    else parts = parts.flatMap((part, index) => (index === first ? [written] : is(part) ? [] : [part]));
  }
  return parts.join('&');
}

function nameOf(part: string): string {
  const equals = part.indexOf('=');
  return queryDecoded(equals < 0 ? part : part.slice(0, equals));
}
