import { z } from 'zod';
import { tokenPattern } from './field-schemas.ts';
import type { RoutePreview } from './route-preview.ts';
import { createRouteSchema } from './route-schema.ts';

const headerValue = z
  .string()
  .max(8192, 'must have at most 8192 characters')
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  .refine((value) => !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value), 'must not contain control characters');

const sampleHeaders = z
  .record(z.string().regex(tokenPattern, 'is not a header name'), z.union([headerValue, z.array(headerValue)]))
  .meta({ description: 'Header names with their value, or list of values.', example: { 'X-API-Version': '2' } });

const sampleBody = z.string().meta({ description: 'As text.' });

/** What `POST /admin/routes/preview` takes. */
export const previewRouteSchema = z
  .strictObject({
    route_id: z.string().nullish().meta({ description: 'Id or name of a stored route. With route: what it would be after that change.' }),
    route: createRouteSchema
      .partial()
      .loose()
      .nullish()
      .meta({ description: 'A draft of a route, or of changes to the one of route_id. It is not stored.' }),
    request: z.strictObject({
      method: z.string().max(32, 'must have at most 32 characters').regex(tokenPattern, 'is not an HTTP method').nullish(),
      url: z
        .string()
        .min(1, 'must not be empty')
        .max(65_536, 'must have at most 65536 characters')
        .regex(/^[\u0021-\u007e]*$/, 'must not contain spaces, control characters or characters outside ASCII; write them percent-encoded')
        .meta({ description: 'Path with query, or a whole URL.', example: '/api/users?page=2' }),
      headers: sampleHeaders.nullish(),
      body: sampleBody.nullish(),
    }),
    response: z
      .strictObject({
        status: z.int().min(200, 'must be at least 200').max(599, 'must be at most 599').nullish(),
        headers: sampleHeaders.nullish(),
        body: sampleBody.nullish(),
      })
      .nullish()
      .meta({ description: 'What the upstream would answer.' }),
  })
  .meta({ id: 'RoutePreviewRequest' });

const headers = z.array(z.strictObject({ name: z.string(), value: z.string() }));

export const previewStepSchema = z
  .strictObject({
    message: z.enum(['request', 'response']),
    source: z.string().meta({ description: 'The field that the step comes from.' }),
    part: z.enum(['headers', 'query', 'body', 'path', 'method']),
    detail: z.string(),
    before: z.string().nullable().meta({ description: 'The fields, the query, the target or the method as they were; null for bodies.' }),
    after: z.string().nullable(),
  })
  .meta({ id: 'PreviewStep' });

/** What it answers. */
export const routePreviewSchema = z
  .strictObject({
    matches: z.boolean().meta({ description: 'Whether the route takes such a request at all.' }),
    winner: z.strictObject({ id: z.templateLiteral(['rt_', z.string()]), name: z.string() }).nullable(),
    error: z.strictObject({ code: z.string(), status: z.int(), reason: z.string() }).nullable(),
    steps: z.array(previewStepSchema),
    request: z.strictObject({ method: z.string(), target: z.string(), headers, body: z.string().nullable() }).nullable(),
    response: z.strictObject({ status: z.int(), headers, body: z.string().nullable() }).nullable(),
  })
  .meta({ id: 'RoutePreview', description: 'What a route makes of a sample.' }) satisfies z.ZodType<Omit<RoutePreview, 'error'>>;
