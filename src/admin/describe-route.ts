import { z } from 'zod';
import { problemMediaType } from '../errors/problem.ts';
import { problemSchema } from './problem-schema.ts';

/** Parts of route descriptions that repeat. */

/** `{id}` of a path. */
export function idParams(what: string): z.ZodObject<{ id: z.ZodString }> {
  return z.object({ id: z.string().meta({ description: what }) });
}

/** A required JSON body. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { 'application/json': { schema } } } as const;
}

/** A JSON body that may be left out. */
export function optionalJsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: false, content: { 'application/json': { schema } } } as const;
}

/** A problem that not every route can answer with. */
export function problemAnswer(description: string) {
  return { description, content: { [problemMediaType]: { schema: problemSchema } } } as const;
}

/** An answer with a JSON body. */
export function jsonAnswer<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { 'application/json': { schema } } } as const;
}

/** 200 with one resource. */
export function oneAnswer<Schema extends z.ZodType>(schema: Schema, description = 'The resource.') {
  return { ...jsonAnswer(schema, description), headers: resourceHeaders } as const;
}

/** 200 with what a change of the whole gateway config, or its export, answers. */
export function configAnswer<Schema extends z.ZodType>(schema: Schema, description: string) {
  const { ETag: _, ...headers } = resourceHeaders;
  return { ...jsonAnswer(schema, description), headers } as const;
}

/** 412 where there is no ETag to be stale. */
export const otherRevisionAnswer = {
  description: 'The gateway config has another revision than the one expected.',
  content: { [problemMediaType]: { schema: problemSchema } },
} as const;

/** 201 with the new resource. */
export function createdAnswer<Schema extends z.ZodType>(schema: Schema, description = 'The new resource.') {
  return {
    ...jsonAnswer(schema, description),
    headers: { ...resourceHeaders, Location: { description: 'Path of the new resource.', schema: { type: 'string' as const } } },
  } as const;
}

/** 204. */
export const goneAnswer = { description: 'Done; there is nothing to show.' } as const;

/** 200 with a page of a list. */
export function pageAnswer<Schema extends z.ZodType>(schema: Schema) {
  const page = z.strictObject({
    data: z.array(schema),
    total: z.int().meta({ description: 'Items on all pages.' }),
    next_cursor: z.string().nullable().meta({ description: '`cursor` of the next page; null on the last one.' }),
  });
  return jsonAnswer(page, 'A page of the list.');
}

/** `If-Match` of a change. */
export const ifMatchHeaders = z.object({
  'if-match': z.string().optional().meta({ description: 'ETag of the state that the change was made for; another state answers 412.' }),
});

const resourceHeaders = {
  ETag: { description: 'Names this state of the resource, for If-Match.', schema: { type: 'string' as const } },
  'X-APIGate-Revision': { description: "The gateway config's revision after a change.", schema: { type: 'string' as const } },
  'X-APIGate-Warnings': { description: 'JSON array of warnings about a change, in ASCII.', schema: { type: 'string' as const } },
} as const;
