/** Header names with their values; values are templates. */
export type TemplatesByName = Readonly<Record<string, string>>;

/** `remove` comes first, then `set` (which replaces), then `add` (which appends). */
export interface NamedSteps {
  readonly add?: TemplatesByName | undefined;
  readonly set?: TemplatesByName | undefined;
  readonly remove?: readonly string[] | undefined;
}

/** Steps on a JSON body. Paths are dotted, `a.b`, and go into every element of a list on their way. */
export interface JsonSteps {
  /** Merged into the body's object, deeply; strings in it are templates. */
  readonly inject?: Readonly<Record<string, unknown>> | undefined;
  readonly remove?: readonly string[] | undefined;
  /** Path of a field, and its new name within the same object. */
  readonly rename?: Readonly<Record<string, string>> | undefined;
  readonly mask?: readonly string[] | undefined;
}

export interface BodySteps {
  readonly json?: JsonSteps | undefined;
}

/** All that are given must hold, of the message as it came in. Method and path are the request's, for a response too. */
export interface TransformCondition {
  readonly method?: string | readonly string[] | undefined;
  /** Regular expression, found anywhere in the path unless anchored. */
  readonly path_matches?: string | undefined;
  /** Name or names; all must be there. */
  readonly header_exists?: string | readonly string[] | undefined;
  readonly header_equals?: Readonly<Record<string, string>> | undefined;
  /** Of a response: 404, "5xx", or several of them. */
  readonly status?: StatusPattern | readonly StatusPattern[] | undefined;
}

export type StatusPattern = number | string;

export interface ConditionalRequestSteps extends RequestSteps {
  readonly when: TransformCondition;
}

interface RequestSteps {
  readonly headers?: NamedSteps | undefined;
  readonly query?: NamedSteps | undefined;
  readonly body?: BodySteps | undefined;
  /** Instead of the route's path_rewrite. */
  readonly path_rewrite?: string | undefined;
}

/** What is changed in a request on its way to the upstream. */
export interface RequestTransform extends RequestSteps {
  readonly conditions?: readonly ConditionalRequestSteps[] | undefined;
}

export interface ConditionalResponseSteps extends ResponseSteps {
  readonly when: TransformCondition;
}

interface ResponseSteps {
  readonly headers?: NamedSteps | undefined;
  readonly body?: BodySteps | undefined;
}

/** What is changed in a response on its way to the client. */
export interface ResponseTransform extends ResponseSteps {
  readonly conditions?: readonly ConditionalResponseSteps[] | undefined;
}

/** The fields of a route that change its messages. */
export interface RouteTransformFields {
  readonly path_rewrite: string | null;
  readonly method_override: string | null;
  readonly request_transform: RequestTransform | null;
  readonly response_transform: ResponseTransform | null;
}

/** Whether any step, conditional or not, needs a whole body. */
export function transformsBody(transform: RequestTransform | ResponseTransform | null): boolean {
  if (transform === null) return false;
  return [transform, ...(transform.conditions ?? [])].some((steps) => hasJsonSteps(steps.body?.json));
}

function hasJsonSteps(json: JsonSteps | undefined): boolean {
  if (json === undefined) return false;
  return [json.inject, json.remove, json.rename, json.mask].some((steps) => steps !== undefined && Object.keys(steps).length > 0);
}
