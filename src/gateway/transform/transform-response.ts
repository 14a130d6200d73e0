import { kind } from '../../http/known-fields.ts';
import type { ResponseHead } from '../../http/response-head.ts';
import { BufferedBody } from './buffered-body.ts';
import type { RouteTransform, TransformTrace } from './compile-transform.ts';
import { type AddedField, applyHeaders, dropNamed, isNamed, replacedNames } from './header-steps.ts';
import { isJson } from './is-json.ts';
import type { TransformFacts } from './transform-facts.ts';
import { TransformFailure } from './transform-failure.ts';
import { applicable, describeHeaders, dropBodyFields, namedFields, traceBody } from './transform-request.ts';

/** What a response becomes on its way; what is not said here goes on as it came. Fields that go are marked in the head. */
export interface TransformedResponse {
  /** Fields to append, each with its line end. */
  readonly fields: string;
  /** Names that trailers must not bring back: see dropNamed. */
  readonly replaced: readonly string[];
  /** The body is held back and goes on transformed, with a length of its own; null when it streams. */
  readonly body: BufferedBody | null;
}

/**
 * Transforms a response's head and says what becomes of its body. To HEAD, and with 204 and 304, there is none.
 * @throws TransformFailure
 */
export function transformResponse(
  head: ResponseHead,
  toHead: boolean,
  transform: RouteTransform,
  facts: TransformFacts,
  trace: TransformTrace | null = null,
): TransformedResponse {
  const { fields, status } = head;
  const hasBody = !toHead && status !== 204 && status !== 304;
  if (transform.changesResponseBodies && status === 206)
    throw new TransformFailure(502, 'the upstream sent a part of a body, which cannot be transformed');
  const steps = transform.isConditional
    ? applicable(transform.response, facts.subject, status, (name) => fields.valueOf(name))
    : transform.response;
  const isWhole = steps === transform.response;
  const json = isWhole ? transform.responseJson : steps.flatMap((each) => each.json ?? []);
  const changesBody = json.length > 0 && isJson(fields);
  const encoding = changesBody ? fields.valueOfKind(kind.contentEncoding) : undefined;
  // 304 speaks of a body that was transformed when it was sent, and has no Content-Type to tell.
  const weakened = changesBody || (transform.changesResponseBodies && status === 304) ? weakTag(head) : '';

  const added: AddedField[] = [];
  if (weakened !== '') added.push({ folded: 'etag', line: weakened });
  for (const each of steps) {
    if (each.headers.length === 0) continue;
    const before = trace === null ? null : namedFields(fields, each.headers, added);
    applyHeaders(fields, each.headers, facts, added);
    trace?.({
      message: 'response',
      source: each.source,
      part: 'headers',
      detail: describeHeaders(each.headers, added),
      before,
      after: namedFields(fields, each.headers, added),
    });
  }
  if (trace !== null) traceBody(trace, 'response', steps, changesBody && hasBody);
  if (changesBody) {
    dropBodyFields(fields);
    dropNamed(fields, ['accept-ranges']);
  }
  return {
    fields: added.length === 1 ? added[0]!.line : added.map(({ line }) => line).join(''),
    replaced: isWhole ? transform.replacedBack : steps.flatMap((each) => replacedNames(each.headers)),
    body:
      changesBody && hasBody ? new BufferedBody({ message: 'response', steps: json, facts, encoding, limit: transform.bodyLimit }) : null,
  };
}

// RFC 9110 section 8.8.1: what we send is no longer byte for byte what the tag stands for.
function weakTag({ fields }: ResponseHead): string {
  let line = '';
  for (let index = 0; index < fields.count; index++) {
    if (!isNamed(fields, index, 'etag') || fields.dropped[index] === 1) continue;
    const value = fields.value(index);
    if (!value.startsWith('"')) continue;
    fields.dropped[index] = 1;
    line = `ETag: W/${value}\r\n`;
  }
  return line;
}
