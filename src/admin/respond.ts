import { Pace } from '../control/pace.ts';
import type { AdminContext } from './admin-env.ts';
import { jsonParts } from './json-parts.ts';

/** What a use case says of a change beyond the resource itself. */
export interface ChangeNotes {
  readonly revision?: number;
  readonly warnings?: readonly string[];
}

/** 200 with one resource and its ETag. */
export function one(c: AdminContext, value: object, etag: string, notes: ChangeNotes = {}): Response {
  note(c, notes);
  c.header('ETag', etag);
  return c.json(value, 200);
}

/** 200 with what is no resource and may hold thousands of objects: others run while it is written out. */
export async function longAnswer(c: AdminContext, value: object, notes: ChangeNotes = {}): Promise<Response> {
  return await answerOfParts(c, jsonParts(value), 'application/json', notes);
}

/** 200 with a text that is made part by part. */
export async function answerOfParts(c: AdminContext, parts: Iterable<string>, type: string, notes: ChangeNotes = {}): Promise<Response> {
  const pace = new Pace();
  const made: string[] = [];
  for (const part of parts) {
    made.push(part);
    await pace.rest();
  }
  note(c, notes);
  return c.body(made.join(''), 200, { 'Content-Type': type });
}

/** 201 with the new resource, its ETag and where it is. */
export function created(c: AdminContext, location: string, value: object, etag: string, notes: ChangeNotes = {}): Response {
  note(c, notes);
  c.header('ETag', etag);
  c.header('Location', location);
  return c.json(value, 201);
}

/** 204. */
export function gone(c: AdminContext, notes: ChangeNotes = {}): Response {
  note(c, notes);
  return c.body(null, 204);
}

/**
 * The revision that a change made goes into `X-APIGate-Revision`, and what deserves a warning, as a JSON array in ASCII,
 * into `X-APIGate-Warnings`: bodies are the flat resource and nothing else.
 */
function note(c: AdminContext, { revision, warnings = [] }: ChangeNotes): void {
  if (revision !== undefined) c.header('X-APIGate-Revision', String(revision));
  if (warnings.length > 0) c.header('X-APIGate-Warnings', asciiJson(warnings));
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
