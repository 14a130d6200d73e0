import { usageError } from './cli-error.ts';

/** A revision given as an argument. */
export function revisionArgument(text: string | undefined): string {
  if (text !== undefined && /^\d{1,15}$/.test(text)) return text;
  throw usageError(`"${text ?? ''}" is not a revision`, 'write its number, as "apigate history" lists it');
}
