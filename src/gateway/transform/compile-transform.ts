import type { FieldError } from '../../errors/gateway-error.ts';
import type { RouteConfig } from '../../model/gateway-config.ts';
import {
  transformsBody,
  type ConditionalRequestSteps,
  type NamedSteps,
  type RequestTransform,
  type ResponseTransform,
  type TransformCondition,
} from '../../model/transformation.ts';
import type { PreviewStep } from '../../model/route-preview.ts';
import { captureCostProblem, checkRegex } from '../linear-regex.ts';
import { PathCaptures } from '../path-captures.ts';
import { type CompiledCondition, compileCondition } from './condition.ts';
import { compileHeaders, type HeaderStep, replacedNames } from './header-steps.ts';
import { compileJson, type CompiledJson } from './json-steps.ts';
import type { QueryStep } from './query-steps.ts';
import { compileRewrite, type PathRewrite } from './rewrite-path.ts';
import { compileTemplate, type TemplateScope, type TransformEnvironment } from './template.ts';
import type { KeptOfRequest } from './transform-facts.ts';

/** What holds for all transformations of a process. */
export interface TransformSettings {
  /** Bytes of a body, as it comes and decoded. */
  readonly bodyLimit: number;
  /** Variables of the environment that templates may read; '' for one that is not set. */
  readonly environment: TransformEnvironment;
  /** Hears of each step on a request; left out where requests are served. */
  readonly trace?: TransformTrace;
}

/** Steps that are done together. */
export interface CompiledSteps {
  /** The field that they come from, for people. */
  readonly source: string;
  /** null: always. */
  readonly condition: CompiledCondition | null;
  readonly headers: readonly HeaderStep[];
  readonly query: readonly QueryStep[];
  readonly json: CompiledJson | null;
  readonly rewrite: PathRewrite | null;
}

/** What a route does to its messages, ready to be done. */
export interface RouteTransform {
  readonly captures: PathCaptures;
  /** Whether something is made of what the route's pattern captures; if not, routes with the same steps can share it. */
  readonly usesCaptures: boolean;
  /** '' for the client's own. */
  readonly method: string;
  readonly request: readonly CompiledSteps[];
  /** Empty: responses pass as they are. */
  readonly response: readonly CompiledSteps[];
  /** Whether some steps have a condition. Where none has, the three below say what they come to for every message. */
  readonly isConditional: boolean;
  /** See replacedNames. */
  readonly replaced: readonly string[];
  readonly replacedBack: readonly string[];
  readonly responseJson: readonly CompiledJson[];
  /** Whether some response may have to be held back and changed: then it must come whole and in a coding we can undo. */
  readonly changesResponseBodies: boolean;
  /** What is read of the request when its head is gone; null when nothing. */
  readonly keeps: KeptOfRequest | null;
  readonly bodyLimit: number;
  /** API keys may come in the query, and end here. */
  readonly takesKeysFromQuery: boolean;
  /** Hears of each step on a request, for people who want to see what happens; null where requests are served. */
  readonly trace: TransformTrace | null;
}

/** Hears of a step that is done. */
export type TransformTrace = (step: PreviewStep) => void;

/**
 * Compiles what a route does to its messages; null when that is nothing. The check has passed it; a variable of the environment that
 * the settings have not allowed any more since is empty.
 */
export function compileTransform(route: RouteConfig, settings: TransformSettings): RouteTransform | null {
  const { environment } = settings;
  const lenient: TransformEnvironment = { get: (name) => environment.get(name) ?? '', keys: () => environment.keys() };
  return compile(route, { ...settings, environment: lenient }, null, () => {});
}

/** Everything that keeps a route's transformations from being compiled, by field. Part of the trial compile. */
export function checkTransform(route: RouteConfig, settings: TransformSettings, credentialName: string | null): FieldError[] {
  const errors: FieldError[] = [];
  const problem = bodyStepsProblem(route);
  for (const field of ['request_transform', 'response_transform'] as const)
    if (problem !== null && transformsBody(route[field])) errors.push({ field: `${field}.body`, message: problem });
  try {
    compile(route, settings, credentialName, (field, message) => errors.push({ field, message }));
  } catch (error) {
    // The path pattern is wrong itself, which is told by whoever checks that.
    if (errors.length === 0 && checkRegexOf(route) === null) throw error;
  }
  return errors;
}

function checkRegexOf(route: RouteConfig): string | null {
  return route.match_type === 'regex' ? checkRegex(route.path_pattern) : 'not an expression';
}

/** Why a route cannot have body steps, or null. */
function bodyStepsProblem({ protocol }: RouteConfig): string | null {
  if (protocol === 'http') return null;
  return `cannot be given with protocol ${protocol}, whose bodies stream`;
}

type Note = (field: string, message: string) => void;

function compile(route: RouteConfig, settings: TransformSettings, credentialName: string | null, note: Note): RouteTransform | null {
  const { path_rewrite, method_override, request_transform, response_transform } = route;
  if (path_rewrite === null && method_override === null && request_transform === null && response_transform === null) return null;
  const captures = PathCaptures.of(route);
  const { environment, bodyLimit } = settings;
  const scopeOf = (): TemplateScope => ({ captures, environment, headers: new Set(), query: false, capturesUsed: false });
  // What is read later than the request's head is there has to be kept: for its body, and for the response.
  const [requestScope, laterScope] = [scopeOf(), scopeOf()];
  const changesResponseBodies = transformsBody(response_transform);

  const requestCompiler = new StepsCompiler(requestScope, laterScope, note, {
    message: 'request',
    credentialName,
    responseBody: changesResponseBodies,
  });
  const request: CompiledSteps[] = [];
  const rewrite = path_rewrite === null ? null : requestCompiler.rewrite(path_rewrite, 'path_rewrite');
  if (rewrite !== null) request.push({ source: 'path_rewrite', condition: null, headers: [], query: [], json: null, rewrite });
  if (request_transform !== null) request.push(...requestCompiler.all(request_transform, 'request_transform'));

  const responseCompiler = new StepsCompiler(laterScope, laterScope, note, {
    message: 'response',
    credentialName,
    responseBody: changesResponseBodies,
  });
  const response = response_transform === null ? [] : responseCompiler.all(response_transform, 'response_transform');
  const usesCaptures = requestScope.capturesUsed || laterScope.capturesUsed;
  if (route.match_type === 'regex' && usesCaptures) {
    const problem = captureCostProblem(route.path_pattern);
    if (problem !== null) note('path_pattern', problem);
  }
  const all = [...request, ...response];
  const keepsSomething = laterScope.headers.size > 0 || laterScope.query;
  return {
    captures,
    usesCaptures,
    method: method_override ?? '',
    request,
    response,
    isConditional: all.some(({ condition }) => condition !== null),
    replaced: request.flatMap(({ headers }) => replacedNames(headers)),
    replacedBack: response.flatMap(({ headers }) => replacedNames(headers)),
    responseJson: response.flatMap(({ json }) => json ?? []),
    changesResponseBodies,
    keeps: keepsSomething ? { headers: [...laterScope.headers], query: laterScope.query } : null,
    bodyLimit,
    takesKeysFromQuery: route.api_key_query,
    trace: settings.trace ?? null,
  };
}

/** Compiles the steps of one direction. */
class StepsCompiler {
  readonly #scope: TemplateScope;
  readonly #bodyScope: TemplateScope;
  readonly #note: Note;
  readonly #protection: Parameters<typeof compileHeaders>[2];

  constructor(scope: TemplateScope, bodyScope: TemplateScope, note: Note, protection: Parameters<typeof compileHeaders>[2]) {
    this.#scope = scope;
    this.#bodyScope = bodyScope;
    this.#note = note;
    this.#protection = protection;
  }

  /** The unconditional steps and each condition's; those without any are left out. */
  all(transform: RequestTransform | ResponseTransform, at: string): CompiledSteps[] {
    const always = this.#steps(transform, null, at);
    const conditional = (transform.conditions ?? []).map((steps, index) => {
      const where = `${at}.conditions.${index}`;
      return this.#steps(steps, this.#condition(steps.when, `${where}.when`), where);
    });
    return [always, ...conditional].filter(
      ({ headers, query, json, rewrite }) => headers.length + query.length > 0 || json !== null || rewrite !== null,
    );
  }

  rewrite(text: string, at: string): PathRewrite | null {
    const rewrite = compileRewrite(text, this.#scope);
    if (typeof rewrite !== 'string') return rewrite;
    this.#note(at, rewrite);
    return null;
  }

  #steps(steps: Partial<ConditionalRequestSteps>, condition: CompiledCondition | null, at: string): CompiledSteps {
    return {
      source: at,
      condition,
      headers: compileHeaders(steps.headers, this.#scope, this.#protection, `${at}.headers`, this.#note),
      query: this.#query(steps.query, `${at}.query`),
      json: compileJson(steps.body?.json, this.#bodyScope, `${at}.body.json`, this.#note),
      rewrite: steps.path_rewrite === undefined ? null : this.rewrite(steps.path_rewrite, `${at}.path_rewrite`),
    };
  }

  #query(steps: NamedSteps | undefined, at: string): readonly QueryStep[] {
    const compiled: QueryStep[] = (steps?.remove ?? []).map((name) => ({ act: 'remove', name }));
    for (const act of ['set', 'add'] as const) {
      for (const [name, text] of Object.entries(steps?.[act] ?? {})) {
        const value = compileTemplate(text, this.#scope);
        if (typeof value === 'string') this.#note(`${at}.${act}.${name}`, value);
        else compiled.push({ act, name, value });
      }
    }
    return compiled;
  }

  #condition(when: TransformCondition, at: string): CompiledCondition | null {
    if (Object.keys(when).length === 0) this.#note(at, 'must name at least one condition');
    const problem = when.path_matches === undefined ? null : checkRegex(when.path_matches);
    if (problem === null) return compileCondition(when);
    this.#note(`${at}.path_matches`, problem);
    return null;
  }
}
