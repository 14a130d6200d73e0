import { ApiFailure, CliError, exitCodes } from '../cli-error.ts';
import { type DeclaredInput, problemText } from './declared-input.ts';

/** What is wrong with declarative files, line by line. */
export class PlacedErrors extends CliError {
  readonly lines: readonly string[];

  /** `consequence` follows the count: `, nothing was changed`. */
  constructor(lines: readonly string[], consequence = '') {
    const count = lines.length === 1 ? 'a problem' : `${lines.length} problems`;
    super(exitCodes.usage, [`${count}${consequence}:`, ...lines.map((line) => `  ${line}`)].join('\n'));
    this.lines = lines;
  }
}

/** What the API found wrong with the files, where it stands in them; undefined where the error is about anything else. */
export function placedErrors(error: unknown, input: DeclaredInput, consequence = '', prefix = ''): PlacedErrors | undefined {
  if (!(error instanceof ApiFailure) || error.problem.status !== 422) return undefined;
  const errors = (error.problem.errors ?? []).map(({ field, message }) => ({
    place: field.startsWith(prefix) ? input.placeOf(field.slice(prefix.length)) : { label: '', line: 0, path: field },
    message,
  }));
  // What is not about the body: a query parameter.
  if (!errors.some(({ place }) => place.label !== '')) return undefined;
  return new PlacedErrors(
    errors.map(({ place, message }) => problemText({ ...place, message })),
    consequence,
  );
}
