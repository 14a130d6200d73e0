import type { Traffic } from '../api/admin-schema.ts';
import { inFieldWords } from './field-words.ts';
import { sentenceOf } from './sentence-of.ts';

/** Why an upstream is in its state, as a sentence: of a failure what is wrong; how often and what to do stand elsewhere. */
export function causeText({ problem, cause }: Pick<Traffic['upstreams'][number], 'problem' | 'cause'>): string {
  return inFieldWords(problem?.cause ?? sentenceOf(cause));
}
