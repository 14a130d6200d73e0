import type { HeaderFields } from '../../http/header-fields.ts';
import { kind } from '../../http/known-fields.ts';
import type { RequestHead } from '../../http/request-head.ts';
import { isCredentialName, redacted } from '../redact.ts';
import { BufferedBody } from './buffered-body.ts';
import type { CompiledSteps, RouteTransform, TransformTrace } from './compile-transform.ts';
import { holds } from './condition.ts';
import { decodableOf } from './content-coding.ts';
import { type AddedField, applyHeaders, dropNamed, type HeaderStep, isNamed, replacedNames } from './header-steps.ts';
import type { CompiledJson } from './json-steps.ts';
import { isJson } from './is-json.ts';
import { foldedName } from './protected-fields.ts';
import { changeQuery } from './query-steps.ts';
import { type PathRewrite, rewrittenTarget } from './rewrite-path.ts';
import { TransformFacts, type TransformSubject } from './transform-facts.ts';

/** What a request becomes on its way; what is not said here goes on as it came. Fields that go are marked in the head. */
export interface TransformedRequest {
  /** '' for the client's own. */
  readonly method: string;
  /** Path and query behind base_url's path; '' for the client's own bytes. */
  readonly target: string;
  /** Fields to append, each with its line end. */
  readonly fields: string;
  /** Names that trailers must not bring back: see dropNamed. */
  readonly replaced: readonly string[];
  /** The body is held back and goes on transformed, with a length of its own; null when it streams. */
  readonly body: BufferedBody | null;
  /** For the response's templates. */
  readonly facts: TransformFacts;
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
  const facts = new TransformFacts(subject, head, transform.captures, transform.takesKeysFromQuery);
  const { fields } = head;
  const steps = transform.isConditional ? applicable(transform.request, subject, 0, (name) => fields.valueOf(name)) : transform.request;

  const added: AddedField[] = [];
  for (const each of steps) {
    if (each.headers.length === 0) continue;
    const before = trace === null ? null : namedFields(fields, each.headers, added);
    applyHeaders(fields, each.headers, facts, added);
    trace?.({
      message: 'request',
      source: each.source,
      part: 'headers',
      detail: describeHeaders(each.headers, added),
      before,
      after: namedFields(fields, each.headers, added),
    });
  }
  const json: CompiledJson[] = [];
  let rewrite: PathRewrite | null = null;
  let rewrittenBy = '';
  let { query } = facts;
  let queryChanged = false;
  for (const each of steps) {
    if (each.query.length > 0) {
      const before = query;
      query = changeQuery(query, each.query, facts);
      queryChanged = true;
      trace?.({ message: 'request', source: each.source, part: 'query', detail: query, before, after: query });
    }
    if (each.json !== null) json.push(each.json);
    if (each.rewrite !== null) {
      rewrite = each.rewrite;
      rewrittenBy = each.source;
    }
  }

  const changesBody = json.length > 0 && head.hasBody && isJson(fields);
  if (trace !== null) traceBody(trace, 'request', steps, changesBody);
  const target = rewrite !== null ? rewrittenTarget(rewrite, query, facts) : queryChanged ? withQuery(head, query) : '';
  // A handshake is GET, whatever else the route's requests become.
  const method = head.asksForWebSocket ? '' : transform.method;
  if (rewrite !== null)
    trace?.({ message: 'request', source: rewrittenBy, part: 'path', detail: target, before: withQuery(head, query), after: target });
  if (method !== '')
    trace?.({ message: 'request', source: 'method_override', part: 'method', detail: method, before: head.method, after: method });

  let lines = '';
  const credential = foldedName(credentialName);
  for (const { folded, line } of added) if (folded !== credential) lines += line;
  if (transform.changesResponseBodies) {
    // A part of a body cannot be transformed, nor one in a coding that we cannot undo.
    lines += `Accept-Encoding: ${decodableOf(fields.valueOf('accept-encoding'))}\r\n`;
    dropNamed(fields, ['accept-encoding', 'range', 'if-range']);
  }
  const encoding = changesBody ? fields.valueOfKind(kind.contentEncoding) : undefined;
  if (changesBody) dropBodyFields(fields);
  return {
    method,
    target,
    fields: lines,
    replaced: steps === transform.request ? transform.replaced : steps.flatMap((each) => replacedNames(each.headers)),
    body: changesBody ? new BufferedBody({ message: 'request', steps: json, facts, encoding, limit: transform.bodyLimit }) : null,
    facts,
  };
}

/** Tells of the steps on a body, or that they are passed over. */
export function traceBody(trace: TransformTrace, message: 'request' | 'response', steps: readonly CompiledSteps[], changes: boolean): void {
  for (const { json, source } of steps) {
    if (json === null) continue;
    const acts = [
      ...(json.inject === null ? [] : ['inject']),
      ...json.remove.map((path) => `remove ${path.join('.')}`),
      ...json.rename.map(({ path, name }) => `rename ${path.join('.')} to ${name}`),
      ...json.mask.map((path) => `mask ${path.join('.')}`),
    ];
    const detail = changes ? acts.join('; ') : 'passed over: there is no JSON body';
    trace({ message, source, part: 'body', detail, before: null, after: null });
  }
}

/** What was done to fields, in words, with the values that came out. */
export function describeHeaders(steps: readonly HeaderStep[], added: readonly AddedField[]): string {
  return steps
    .map(
      ({ act, name, folded }) =>
        `${act} ${act === 'remove' ? name : (added.findLast((field) => field.folded === folded)?.line.trimEnd() ?? name)}`,
    )
    .join('; ');
}

/** The fields of the names that steps are about, as they stand now, in one line, credentials masked; '' where there are none. */
export function namedFields(fields: HeaderFields, steps: readonly HeaderStep[], added: readonly AddedField[]): string {
  const lines: string[] = [];
  for (const name of new Set(steps.map(({ folded }) => folded))) {
    for (let index = 0; index < fields.count; index++)
      if (fields.dropped[index] === 0 && isNamed(fields, index, name))
        lines.push(`${fields.name(index)}: ${isCredentialName(name) ? redacted : fields.value(index)}`);
    for (const field of added) if (field.folded === name) lines.push(field.line.trimEnd());
  }
  return lines.join('; ');
}

/** The steps whose conditions hold, of the message as it came. */
export function applicable(
  all: readonly CompiledSteps[],
  subject: TransformSubject,
  status: number,
  field: (lowerCaseName: string) => string | undefined,
): readonly CompiledSteps[] {
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
