import type { z } from 'zod';
import { GatewayError } from '../errors/gateway-error.ts';
import { readInput } from './validate-input.ts';

/**
 * Reads the changes to a resource that is shown as `current`, whose other fields may be sent back as they were.
 * @throws GatewayError `validation_failed` with every field at fault
 */
export function readChanges<Schema extends z.ZodObject>(schema: Schema, changes: unknown, current: object): z.output<Schema> {
  const { values, errors } = readInput(schema, changes, current);
  if (errors.length > 0) throw new GatewayError('validation_failed', { errors });
  return values as z.output<Schema>;
}
