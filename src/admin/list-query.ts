import { z } from 'zod';
import type { ListQuery } from '../control/control-context.ts';
import { GatewayError, type FieldError } from '../errors/gateway-error.ts';
import { routeProtocols } from '../model/route.ts';
import type { AdminContext } from './admin-env.ts';

const flag = z.enum(['true', 'false'], 'must be true or false').meta({ type: 'boolean' });

const limit = z.string().regex(/^(?:[1-9]\d?|[1-4]\d\d|500)$/, 'must be a whole number from 1 to 500');

/** Query parameters of a list that can be filtered by `enabled`. */
export const switchableListQuerySchema = z.strictObject({
  limit: limit.optional().meta({ description: 'Page size, 1 to 500; 100 when not given.', type: 'integer', minimum: 1, maximum: 500 }),
  cursor: z.string().max(1_000).optional().meta({ description: 'The next_cursor of the page before.' }),
  q: z.string().max(256, 'must have at most 256 characters').optional().meta({ description: 'Part of the name, in any case.' }),
  enabled: flag.optional().meta({ description: 'Only enabled, or only disabled ones.' }),
});

/** Query parameters of the routes in their order. */
export const routeOrderQuerySchema = switchableListQuerySchema.extend({
  q: z
    .string()
    .max(256, 'must have at most 256 characters')
    .optional()
    .meta({ description: 'Part of the name, the path or the host, in any case.' }),
  auth_required: flag.optional().meta({ description: 'Only routes that need an API key, or only others.' }),
  protocol: z.enum(routeProtocols).optional().meta({ description: 'Only routes of this protocol.' }),
  upstream: z.string().max(256, 'must have at most 256 characters').optional().meta({ description: 'Id or name of the upstream.' }),
  warned: flag.optional().meta({ description: 'Only routes with warnings, or only those without.' }),
});

/** Query parameters of a list without `enabled`. */
export const listQuerySchema = switchableListQuerySchema.omit({ enabled: true });

export const noQuerySchema = z.strictObject({});

export const deleteQuerySchema = z.strictObject({
  cascade: flag.optional().meta({ description: 'Also delete the routes that use it.' }),
});

export const applyQuerySchema = z.strictObject({
  dry_run: flag.optional().meta({ description: 'Only say what would change.' }),
  prune: flag.optional().meta({ description: 'Also remove what the lists given do not name.' }),
  expect_revision: z
    .string()
    .regex(/^\d{1,15}$/, 'must be a revision, as a dry run answers it')
    .optional()
    .meta({ description: 'Apply only if the gateway config is still of this revision; else 412.', type: 'integer', minimum: 0 }),
});

const part = z.string().max(256, 'must have at most 256 characters');

export const historyQuerySchema = listQuerySchema.omit({ q: true }).extend({
  actor: part.optional().meta({ description: 'Id or label of who acted (e-mail address, token name), or the kind: `cli`.' }),
  resource: part.optional().meta({ description: 'Id or name of what was changed, or its type: `upstream`.' }),
});

export const diffQuerySchema = z.strictObject({
  from: part.meta({ description: 'A revision.', type: 'integer', minimum: 0 }),
  to: part.optional().meta({ description: 'Another revision; the present one when not given.', type: 'integer', minimum: 0 }),
});

export const rollbackQuerySchema = applyQuerySchema.omit({ prune: true }).extend({
  keep_keys: flag.optional().meta({ description: 'Leave all API keys as they are now, those made since too.' }),
});

export const sessionsQuerySchema = listQuerySchema.extend({
  all: flag.optional().meta({ description: "Everybody's sessions rather than the own ones." }),
});

const filter = z.string().max(256, 'must have at most 256 characters');

export const auditQuerySchema = listQuerySchema.omit({ q: true }).extend({
  action: filter.optional().meta({ description: '`upstream.create`, or `upstream` for all that happens to upstreams.' }),
  actor: filter.optional().meta({ description: 'Id or label of who acted (e-mail address, token name), or the kind: `cli`.' }),
  resource: filter.optional().meta({ description: 'Id or name of what was changed, or its type: `upstream`.' }),
  since: filter.optional().meta({ description: 'Only entries from this time on: `2027-01-31T00:00:00Z`, or a date.' }),
  until: filter.optional().meta({ description: 'Only entries before this time.' }),
});

/**
 * Reads query parameters; unknown, repeated and invalid ones are refused, all at once.
 * @throws GatewayError `validation_failed`
 */
export function readQuery<Schema extends z.ZodObject>(c: AdminContext, schema: Schema): z.output<Schema> {
  const given = c.req.queries();
  const result = schema.safeParse(Object.fromEntries(Object.entries(given).map(([name, values]) => [name, values[0]])));
  const errors: FieldError[] = Object.entries(given)
    .filter(([, values]) => values.length > 1)
    .map(([field]) => ({ field, message: 'is given more than once' }));
  for (const issue of result.error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys') {
      const known = Object.keys(schema.shape).join(', ') || 'none';
      errors.push(...issue.keys.map((field) => ({ field, message: `is not a query parameter here; these are: ${known}` })));
    } else {
      errors.push({ field: issue.path.join('.'), message: issue.message });
    }
  }
  if (errors.length > 0 || !result.success) throw new GatewayError('validation_failed', { errors });
  return result.data;
}

/** Reads the query parameters of a list. */
export function readListQuery(c: AdminContext, schema: typeof switchableListQuerySchema | typeof listQuerySchema): ListQuery {
  return listQueryOf(readQuery(c, schema));
}

export function listQueryOf(query: z.output<typeof listQuerySchema> & { enabled?: 'true' | 'false' | undefined }): ListQuery {
  return {
    ...(query.limit === undefined ? {} : { limit: Number(query.limit) }),
    ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
    ...(query.q === undefined ? {} : { q: query.q }),
    ...(query.enabled === undefined ? {} : { enabled: query.enabled === 'true' }),
  };
}
