import type { HeaderFields } from '../../http/header-fields.ts';
import { kind } from '../../http/known-fields.ts';
import type { RequestHead } from '../../http/request-head.ts';
import { asksForWebSocket } from '../asks-for-websocket.ts';
import { BufferedBody } from './buffered-body.ts';
import type { CompiledSteps, RouteTransform } from './compile-transform.ts';
import { holds } from './condition.ts';
import { decodableOf } from './content-coding.ts';
import { type AddedField, applyHeaders, dropNamed } from './header-steps.ts';
import type { CompiledJson } from './json-steps.ts';
import { isJson } from './is-json.ts';
import { foldedName } from './protected-fields.ts';
import { changeQuery } from './query-steps.ts';
import { type PathRewrite, rewrittenTarget } from './rewrite-path.ts';
import { queryOf, TransformFacts, type TransformSubject } from './transform-facts.ts';

/** What a request becomes on its way; what is not said here goes on as it came. Fields that go are marked in the head. */
export interface TransformedRequest {
  /** '' for the client's own. */
  readonly method: string;
  /** Path and query behind base_url's path; '' for the client's own bytes. */
  readonly target: string;
  /** Fields to append, each with its line end. */
  readonly fields: string;
  /** The body is held back and goes on transformed, with a length of its own; null when it streams. */
  readonly body: BufferedBody | null;
  /** For the response's templates. */
  readonly facts: TransformFacts;
}

/** Hears of each step that is done, for people who want to see what happens. */
export interface TransformTrace {
  /** `null` are the route's own fields; 0 the transformation's unconditional steps; others its conditions, from 1. */
  steps(message: 'request' | 'response', steps: readonly CompiledSteps[]): void;
}

/**
 * Transforms a request's head and says what becomes of its body: conditions are evaluated on the message as it came; then headers,
 * query, body, path and method. `credentialName` is the name that the upstream's credential goes under, or '': no transformation
 * writes that. @throws TransformFailure
 */
export function transformRequest(
  subject: TransformSubject,
  head: RequestHead,
  transform: RouteTransform,
  credentialName: string,
  trace: TransformTrace | null = null,
): TransformedRequest {
  const facts = new TransformFacts(subject, head, transform.captures);
  const { fields } = head;
  const steps = applicable(transform.request, subject, 0, (name) => fields.valueOf(name));
  trace?.steps('request', steps);

  const json: CompiledJson[] = [];
  let rewrite: PathRewrite | null = null;
  let query = queryOf(head);
  let queryChanged = false;
  for (const each of steps) {
    if (each.query.length > 0) {
      query = changeQuery(query, each.query, facts);
      queryChanged = true;
    }
    if (each.json !== null) json.push(each.json);
    if (each.rewrite !== null) rewrite = each.rewrite;
  }
  const target = rewrite !== null ? rewrittenTarget(rewrite, query, facts) : queryChanged ? withQuery(head, query) : '';

  const encoding = fields.valueOfKind(kind.contentEncoding);
  const acceptEncoding = transform.changesResponseBodies ? decodableOf(fields.valueOf('accept-encoding')) : '';
  const changesBody = json.length > 0 && head.hasBody && isJson(fields);

  const added: AddedField[] = [];
  for (const each of steps) if (each.headers.length > 0) applyHeaders(fields, each.headers, facts, added);
  let lines = '';
  const credential = foldedName(credentialName);
  for (const { folded, line } of added) if (folded !== credential) lines += line;
  if (acceptEncoding !== '') {
    // A part of a body cannot be transformed, nor one in a coding that we cannot undo.
    dropNamed(fields, ['accept-encoding', 'range', 'if-range']);
    lines += `Accept-Encoding: ${acceptEncoding}\r\n`;
  }
  if (changesBody) dropBodyFields(fields);
  return {
    // A handshake is GET, whatever else the route's requests become.
    method: asksForWebSocket(head) ? '' : transform.method,
    target,
    fields: lines,
    body: changesBody ? new BufferedBody({ message: 'request', steps: json, facts, encoding, limit: transform.bodyLimit }) : null,
    facts,
  };
}

/** The steps whose conditions hold, of the message as it came. */
export function applicable(
  all: readonly CompiledSteps[],
  subject: TransformSubject,
  status: number,
  field: (lowerCaseName: string) => string | undefined,
): readonly CompiledSteps[] {
  if (all.every(({ condition }) => condition === null)) return all;
  const message = { method: subject.method, path: subject.path, status, field };
  return all.filter(({ condition }) => condition === null || holds(condition, message));
}

/** Marks as dropped what is true of the body only as it came. Its length and coding are among that. */
export function dropBodyFields(fields: HeaderFields): void {
  dropNamed(fields, ['content-length', 'content-encoding', 'expect', 'content-md5', 'digest', 'content-digest', 'repr-digest', 'trailer']);
}

function withQuery(head: RequestHead, query: string): string {
  const path = head.pathEnd === head.pathStart ? '/' : head.bytes.latin1Slice(head.pathStart, head.pathEnd);
  return query === '' ? path : `${path}?${query}`;
}
