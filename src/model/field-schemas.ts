import { z } from 'zod';
import { looksLikeId } from './ids.ts';

/** Kinds of fields that several resources share. The words complete "FIELD …". */

export const nameSchema = z
  .string()
  .min(1, 'must not be empty')
  .refine((name) => Array.from(name).length <= 100, 'must have at most 100 characters')
  .refine((name) => name.isWellFormed() && !/\p{Cc}/u.test(name), 'must not have control characters')
  .refine((name) => name.trim() === name, 'must not begin or end with a space')
  .refine((name) => !looksLikeId(name), 'must not look like an id')
  .meta({ description: 'Unique; 1 to 100 characters.', example: 'my-api' });

export const descriptionSchema = z
  .string()
  .max(2000, 'must have at most 2000 characters')
  .refine((text) => text.isWellFormed() && !/[^\P{Cc}\n\t]/u.test(text), 'must not have control characters but line ends and tabs')
  .nullish();

/** Only real numbers: a text such as "30s" or "30" is refused. */
export function integerSchema(min: number, max: number): z.ZodInt {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
}

/** RFC 9110 section 5.6.2. */
export const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export const timestampSchema = z.string().meta({ format: 'date-time', example: '2027-01-31T00:00:00.000Z' });
