import type { z } from 'zod';
import { GatewayError, type FieldError } from '../errors/gateway-error.ts';
import { closestName } from '../model/closest-name.ts';

/** What could be read of an input, and everything that is wrong with it. */
export interface InputReading<T> {
  /** The fields that are right by themselves; all there are when `errors` is empty. */
  readonly values: Partial<T>;
  readonly errors: FieldError[];
}

/**
 * Reads an input by its schema.
 * @throws GatewayError `validation_failed` with every field at fault
 */
export function validateInput<Schema extends z.ZodObject>(schema: Schema, input: unknown): z.output<Schema> {
  const { values, errors } = readInput(schema, input);
  if (errors.length > 0) throw new GatewayError('validation_failed', { errors });
  return values as z.output<Schema>;
}

/**
 * Reads an input by its schema without throwing, so that checks across fields can add their findings and the
 * caller hears of everything at once.
 *
 * @param current the resource as the API shows it. A field of it that cannot be changed may be sent back as it
 *   was read (so that what GET answered can be edited and PUT); with another value it is an error.
 */
export function readInput<Schema extends z.ZodObject>(
  schema: Schema,
  input: unknown,
  current: object = {},
): InputReading<z.output<Schema>> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { values: {}, errors: [{ field: '', message: `must be a JSON object, not ${kindOf(input)}` }] };
  }
  const errors: FieldError[] = [];
  const fields: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(input)) {
    if (Object.hasOwn(schema.shape, field)) fields[field] = value;
    else if (!Object.hasOwn(current, field)) errors.push({ field, message: unknownField(field, Object.keys(schema.shape)) });
    else if (!sameJson(value, (current as Record<string, unknown>)[field]))
      errors.push({ field, message: 'is set by the gateway and cannot be changed' });
  }

  const parsed = schema.safeParse(fields, { error: issueMessage, reportInput: true });
  if (parsed.success) return { values: parsed.data, errors };
  // 1e300 is too large twice over, beyond the limit and beyond what a whole number can be: that is said once.
  const told = new Set<string>();
  for (const error of parsed.error.issues.flatMap((issue) => fieldErrorsOf(issue, fields))) {
    const what = JSON.stringify(error);
    if (!told.has(what)) errors.push(error);
    told.add(what);
  }
  const wrong = new Set(parsed.error.issues.map((issue) => String(issue.path[0])));
  const values: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(fields)) {
    if (!wrong.has(field)) values[field] = (schema.shape[field] as z.ZodType).parse(value);
  }
  return { values: values as Partial<z.output<Schema>>, errors };
}

/** `known` are the names that would have been right. */
export function unknownField(field: string, known: readonly string[]): string {
  const closest = closestName(field, known);
  return closest === undefined ? 'is not a known field' : `is not a known field; did you mean ${closest}?`;
}

function fieldErrorsOf(issue: z.core.$ZodIssue, fields: Record<string, unknown>): FieldError[] {
  const path = issue.path.map(String);
  if (path.length === 1 && !Object.hasOwn(fields, path[0]!)) return [{ field: path[0]!, message: 'is required' }];
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) => ({ field: [...path, key].join('.'), message: messages[index] ?? 'is not a known field' }));
  }
  if (issue.code === 'invalid_union') {
    // Of the forms that a field may take, the one that was meant is the one whose outermost type is right.
    const meant = issue.errors.find((issues) => issues.every((inner) => inner.path.length > 0 || inner.code !== 'invalid_type'));
    if (meant === undefined) {
      const kinds = issue.errors.flatMap((issues) =>
        issues.flatMap((inner) => (inner.code === 'invalid_type' ? [typeNames[inner.expected] ?? inner.expected] : [])),
      );
      return [{ field: path.join('.'), message: `must be ${kinds.join(' or ')}, not ${kindOf(issue.input)}` }];
    }
    return meant.flatMap((inner) => fieldErrorsOf({ ...inner, path: [...issue.path, ...inner.path] }, fields));
  }
  return [{ field: path.join('.'), message: issue.message }];
}

/** Words for the checks that the schemas have no words of their own for. */
function issueMessage(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return `must be ${typeNames[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}`;
  if (issue.code === 'unrecognized_keys') {
    const shape = (issue.inst as z.ZodObject | undefined)?.shape ?? {};
    return issue.keys.map((key) => unknownField(key, Object.keys(shape))).join('\n');
  }
  if (issue.code === 'invalid_value') return `must be ${oneOf(issue.values.map(String))}`;
  return undefined;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? values[0]! : `one of ${values.join(', ')}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : `the number ${value}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function sameJson(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
