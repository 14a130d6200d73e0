import type { FieldError } from '../../api/api-problem.ts';
import { sentenceOf } from '../../components/sentence-of.ts';

/** What the gateway has against a draft, to be shown beside each field. */
export class ErrorsByField {
  readonly #errors: readonly FieldError[];

  constructor(errors: readonly FieldError[]) {
    this.#errors = errors;
  }

  /** About this very field. */
  at(field: string): string | undefined {
    const found = this.#errors.filter((error) => error.field === field);
    return found.length === 0 ? undefined : found.map(({ message }) => sentenceOf(message)).join('. ');
  }

  /** About anything in it. */
  within(field: string): readonly FieldError[] {
    return this.#errors.filter((error) => error.field === field || error.field.startsWith(`${field}.`));
  }
}
