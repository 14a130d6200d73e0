import { z } from 'zod';
import { descriptionSchema, integerSchema, nameSchema, timestampSchema, tokenPattern } from './field-schemas.ts';
import { corsSchema, corsShape } from './cors-schema.ts';
import {
  type HeaderCondition,
  hostMatchTypes,
  pathMatchTypes,
  type Route,
  routeDefaults,
  routePriorityLimit,
  routeProtocols,
} from './route.ts';
import { pathRewriteSchema, requestTransformSchema, responseTransformSchema } from './transformation-schema.ts';

const conditionSchema = z.strictObject({
  name: z.string(),
  value: z.string(),
  is_regex: z.boolean(),
  required: z.boolean(),
});

/** A route as the admin API answers it. */
export const routeSchema = z
  .strictObject({
    id: z.templateLiteral(['rt_', z.string()]),
    name: z.string(),
    description: z.string(),
    host_pattern: z.string(),
    host_match_type: z.enum(hostMatchTypes),
    path_pattern: z.string(),
    match_type: z.enum(pathMatchTypes),
    methods: z.array(z.string()),
    headers: z.array(conditionSchema),
    upstream_id: z.templateLiteral(['up_', z.string()]),
    protocol: z.enum(routeProtocols),
    cors: corsShape.nullable(),
    api_key_query: z.boolean(),
    path_rewrite: z.string().nullable(),
    method_override: z.string().nullable(),
    request_transform: requestTransformSchema.nullable(),
    response_transform: responseTransformSchema.nullable(),
    auth_required: z.boolean(),
    priority: z.int(),
    enabled: z.boolean(),
    managed: z.boolean().meta({ description: 'Made from the --upstream setting: read-only.' }),
    created_at: timestampSchema,
    updated_at: timestampSchema,
  })
  .meta({ id: 'Route', description: 'What to match and where to send it.' }) satisfies z.ZodType<Route>;

/** Not uppercased for the caller: methods are case-sensitive (RFC 9110 section 9.1), so `get` is another method. */
const methodSchema = z
  .string()
  .max(32, 'must have at most 32 characters')
  .superRefine((method, context) => {
    const problem = methodProblem(method);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

const overrideSchema = methodSchema.refine((method) => method !== 'HEAD', 'cannot be HEAD: clients would wait for a body that never comes');

const headerNameSchema = z.string().max(256, 'must have at most 256 characters').regex(tokenPattern, 'is not a header name');

const headerValueSchema = z
  .string()
  .max(4096, 'must have at most 4096 characters')
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  .refine((value) => !/[^\t\u0020-\u007e\u0080-\u00ff]/.test(value), 'must not contain control characters or characters outside Latin-1');

const maxConditions = 64;

/** `{"X-API-Version": "2"}`. Not z.record, which passes over a header named `__proto__` and then stops at the first bad name. */
const headersObjectSchema = z
  .unknown()
  .transform((headers, context): HeaderCondition[] => {
    if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
      context.addIssue({ code: 'invalid_type', expected: 'object', input: headers });
      return z.NEVER;
    }
    const entries = Object.entries(headers);
    if (entries.length > maxConditions) context.addIssue(`must have at most ${maxConditions} conditions`);
    return entries.map(([name, value]) => {
      const read = z.strictObject({ name: headerNameSchema, value: headerValueSchema }).safeParse({ name, value }, { error: wrongType });
      for (const { message } of read.error?.issues ?? []) context.addIssue({ code: 'custom', path: [name], message });
      return { name, value: String(value), is_regex: false, required: true };
    });
  })
  .meta({ type: 'object', additionalProperties: { type: 'string' } });

/** Conditions in either form. */
const headersSchema = z
  .union([
    headersObjectSchema,
    z
      .array(
        z.strictObject({
          name: headerNameSchema,
          value: headerValueSchema,
          is_regex: z
            .boolean()
            .nullish()
            .transform((value) => value ?? false),
          required: z
            .boolean()
            .nullish()
            .transform((value) => value ?? true),
        }),
      )
      .max(maxConditions, `must have at most ${maxConditions} conditions`),
  ])
  .nullish()
  .meta({ description: 'Conditions on request headers; all must hold.', example: { 'X-API-Version': '2' } });

/** Fields that a new route takes. `null` means the default. */
export const createRouteSchema = z
  .strictObject({
    name: nameSchema,
    path_pattern: z.string().meta({ description: '/users, /users/{id}, /api/*', example: '/api' }),
    upstream_id: z.string().meta({ description: "The upstream's id or name.", example: 'my-api' }),
    description: descriptionSchema,
    host_pattern: z.string().nullish().meta({ description: 'api.example.com or *.example.com; empty means any.' }),
    host_match_type: z.enum(hostMatchTypes).nullish().meta({ description: 'Default: wildcard for *., else exact.' }),
    match_type: z
      .enum(pathMatchTypes)
      .nullish()
      .meta({ description: `How path_pattern is meant (${routeDefaults.match_type}).` }),
    methods: z
      .array(methodSchema)
      .max(32, 'must have at most 32 methods')
      .refine((methods) => new Set(methods).size === methods.length, 'must not name a method twice')
      .nullish()
      .meta({ description: 'Empty means all.', example: ['GET', 'POST'] }),
    headers: headersSchema,
    protocol: z
      .enum(routeProtocols)
      .nullish()
      .meta({ description: `What the route carries; only websocket takes upgrades (${routeDefaults.protocol}).` }),
    cors: corsSchema.nullish().meta({ description: 'Answers to pages of other origins; null means none.' }),
    api_key_query: z
      .boolean()
      .nullish()
      .meta({ description: 'Whether an API key may come as ?api_key= too, for browsers that cannot set headers (false).' }),
    path_rewrite: pathRewriteSchema.nullish(),
    method_override: overrideSchema.nullish().meta({ description: 'The method that the upstream gets.', example: 'POST' }),
    request_transform: requestTransformSchema.nullish(),
    response_transform: responseTransformSchema.nullish(),
    auth_required: z.boolean().nullish().meta({ description: 'Whether requests need an API key (true).' }),
    priority: integerSchema(-routePriorityLimit, routePriorityLimit).nullish().meta({ description: 'Higher wins (0).' }),
    enabled: z.boolean().nullish(),
  })
  .meta({ id: 'RouteCreate' });

export type CreateRoute = z.output<typeof createRouteSchema>;

/** Only the fields given change. `null` means the default. */
export const updateRouteSchema = createRouteSchema.partial().meta({ id: 'RouteUpdate' });

export type UpdateRoute = z.output<typeof updateRouteSchema>;

function wrongType(issue: z.core.$ZodRawIssue): string | undefined {
  return issue.code === 'invalid_type' ? `must be a ${issue.expected}` : undefined;
}

const usualMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function methodProblem(method: string): string | undefined {
  if (!tokenPattern.test(method)) return 'is not an HTTP method';
  if (method === 'CONNECT' || method === 'TRACE') return `cannot be ${method}: the gateway never forwards it`;
  if (!usualMethods.has(method) && usualMethods.has(method.toUpperCase())) {
    return `is ${method}; methods are case-sensitive, so write ${method.toUpperCase()}`;
  }
  return undefined;
}
