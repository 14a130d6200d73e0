import { z } from 'zod';
import { tokenPattern } from './field-schemas.ts';
import type { RequestTransform, ResponseTransform } from './transformation.ts';

const maxSteps = 100;
const maxText = 4096;
const maxInjectSize = 65_536;
const maxInjectDepth = 32;

const headerName = z.string().max(256, 'must have at most 256 characters').regex(tokenPattern, 'is not a header name');
const queryName = z
  .string()
  .min(1, 'must not be empty')
  .max(256, 'must have at most 256 characters')
  .refine(isPlainText, 'must not contain control characters');
const template = z
  .string()
  .max(maxText, `must have at most ${maxText} characters`)
  .refine(isPlainText, 'must not contain control characters');
const dottedPath = z
  .string()
  .min(1, 'must not be empty')
  .max(512, 'must have at most 512 characters')
  .refine(isPlainText, 'must not contain control characters');

/** A path_rewrite, of a route or of a transformation. */
export const pathRewriteSchema = template.min(1, 'must not be empty').meta({
  description: 'What the path becomes: /v2/$1, /users/${pathParams.id}, /v${header.X-API-Version}${path}.',
  example: '/v2/$1',
});

const headerSteps = z.strictObject({
  add: namedValues(headerName, template, 'Fields to append.').optional(),
  set: namedValues(headerName, template, 'Fields to replace.').optional(),
  remove: z.array(headerName).max(maxSteps, `must have at most ${maxSteps} names`).optional(),
});

const querySteps = z.strictObject({
  add: namedValues(queryName, template, 'Parameters to append.').optional(),
  set: namedValues(queryName, template, 'Parameters to replace.').optional(),
  remove: z.array(queryName).max(maxSteps, `must have at most ${maxSteps} names`).optional(),
});

const bodySteps = z.strictObject({
  json: z
    .strictObject({
      inject: injectedObject().optional(),
      remove: z.array(dottedPath).max(maxSteps, `must have at most ${maxSteps} paths`).optional(),
      rename: namedValues(dottedPath, dottedPath, 'Path of a field: its new name.').optional(),
      mask: z.array(dottedPath).max(maxSteps, `must have at most ${maxSteps} paths`).optional(),
    })
    .optional(),
});

const method = z.string().max(32, 'must have at most 32 characters').regex(tokenPattern, 'is not an HTTP method');
const status = z.union([
  z.number().int('must be a whole number').min(200, 'must be at least 200').max(599, 'must be at most 599'),
  z.string().regex(/^[2-5]xx$/, 'must be a status such as 404, or a class such as 5xx'),
]);

const requestCondition = z.strictObject({
  method: z.union([method, z.array(method).min(1, 'must not be empty').max(maxSteps)]).optional(),
  path_matches: template.min(1, 'must not be empty').optional(),
  header_exists: z.union([headerName, z.array(headerName).min(1, 'must not be empty').max(maxSteps)]).optional(),
  header_equals: namedValues(headerName, template, 'Header names and their values.').optional(),
});
const responseCondition = requestCondition.extend({
  status: z.union([status, z.array(status).min(1, 'must not be empty').max(maxSteps)]).optional(),
});

const requestSteps = {
  headers: headerSteps.optional(),
  query: querySteps.optional(),
  body: bodySteps.optional(),
  path_rewrite: pathRewriteSchema.optional(),
};
const responseSteps = { headers: headerSteps.optional(), body: bodySteps.optional() };

/** `request_transform`. Templates, protected names and expressions are checked by the gateway's own compiler. */
export const requestTransformSchema = z
  .strictObject({
    ...requestSteps,
    conditions: z
      .array(z.strictObject({ when: requestCondition, ...requestSteps }))
      .max(maxSteps, `must have at most ${maxSteps} conditions`)
      .optional(),
  })
  .meta({ id: 'RequestTransform', description: 'What is changed in a request on its way.' }) satisfies z.ZodType<RequestTransform>;

/** `response_transform` */
export const responseTransformSchema = z
  .strictObject({
    ...responseSteps,
    conditions: z
      .array(z.strictObject({ when: responseCondition, ...responseSteps }))
      .max(maxSteps, `must have at most ${maxSteps} conditions`)
      .optional(),
  })
  .meta({ id: 'ResponseTransform', description: 'What is changed in a response on its way.' }) satisfies z.ZodType<ResponseTransform>;

/** `{"X-Name": "value"}`. Not z.record, which passes over a name `__proto__` and stops at the first bad one. */
function namedValues(names: z.ZodType<string>, values: z.ZodType<string>, description: string) {
  return z
    .unknown()
    .transform((given, context): Readonly<Record<string, string>> => {
      if (!isObject(given)) {
        context.addIssue({ code: 'invalid_type', expected: 'object', input: given });
        return z.NEVER;
      }
      const entries = Object.entries(given);
      if (entries.length > maxSteps) context.addIssue(`must have at most ${maxSteps} names`);
      for (const [name, value] of entries) {
        const problem = name === '__proto__' ? 'cannot be a name here' : (firstProblem(names, name) ?? firstProblem(values, value));
        if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem });
      }
      return given as Readonly<Record<string, string>>;
    })
    .meta({ type: 'object', additionalProperties: { type: 'string' }, description });
}

/** Any JSON object within bounds. */
function injectedObject() {
  return z
    .unknown()
    .transform((given, context): Readonly<Record<string, unknown>> => {
      if (!isObject(given)) {
        context.addIssue({ code: 'invalid_type', expected: 'object', input: given });
        return z.NEVER;
      }
      for (const { path, message } of injectProblems(given, [])) context.addIssue({ code: 'custom', path, message });
      if (JSON.stringify(given).length > maxInjectSize) context.addIssue(`must have at most ${maxInjectSize} characters as JSON`);
      return given as Readonly<Record<string, unknown>>;
    })
    .meta({ type: 'object', additionalProperties: true, description: 'Merged into the body; strings are templates.' });
}

function injectProblems(value: unknown, path: readonly string[]): { path: string[]; message: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  if (path.length > maxInjectDepth) return [{ path: [...path], message: `must be nested at most ${maxInjectDepth} deep` }];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === '__proto__' ? [{ path: [...path, name], message: 'cannot be a name here' }] : injectProblems(inner, [...path, name]),
  );
}

function firstProblem(schema: z.ZodType, value: unknown): string | undefined {
  const read = schema.safeParse(value, { error: (issue) => (issue.code === 'invalid_type' ? `must be a ${issue.expected}` : undefined) });
  return read.error?.issues[0]?.message;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlainText(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  return text.isWellFormed() && !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text);
}
