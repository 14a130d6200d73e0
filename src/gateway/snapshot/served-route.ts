import type { RouteConfig } from '../../model/gateway-config.ts';
import { compileCors, type CorsPolicy } from '../cors-policy.ts';
import { routePartOf } from '../record/exchange-line.ts';
import { compileTransform, type RouteTransform, type TransformSettings } from '../transform/compile-transform.ts';

/**
 * A route with everything that can be prepared before a request comes. Policies that it does not have are null here, so that they
 * cost a request one comparison.
 */
export interface ServedRoute extends RouteConfig {
  readonly corsPolicy: CorsPolicy | null;
  readonly transform: RouteTransform | null;
  /** For the access log. */
  readonly logPart: Uint8Array;
}

/** Compiles what a route does with its requests; what it matches is compiled by the route table. */
export function serveRoute(config: RouteConfig, transformSettings: TransformSettings): ServedRoute {
  return {
    // What each request looks at comes first, so that it lies together: of thousands of routes none stays in the processor's caches.
    corsPolicy: config.cors === null ? null : compileCors(config.cors, config.methods),
    upstream_id: sharedText(config.upstream_id),
    auth_required: config.auth_required,
    transform: transformOf(config, transformSettings),
    protocol: sharedText(config.protocol),
    logPart: routePartOf(config.id),
    api_key_query: config.api_key_query,
    id: config.id,
    name: config.name,
    description: config.description,
    host_pattern: config.host_pattern,
    host_match_type: config.host_match_type,
    path_pattern: config.path_pattern,
    match_type: config.match_type,
    methods: config.methods,
    headers: config.headers,
    cors: config.cors,
    path_rewrite: config.path_rewrite,
    method_override: config.method_override,
    request_transform: config.request_transform,
    response_transform: config.response_transform,
    priority: config.priority,
    enabled: config.enabled,
    managed: config.managed,
  };
}

const sharedTexts = new Map<string, string>();
const mostTexts = 10_000;

// From another thread each route comes with copies of its own of the same few words.
function sharedText<Text extends string>(text: Text): Text {
  const found = sharedTexts.get(text);
  if (found !== undefined) return found as Text;
  if (sharedTexts.size >= mostTexts) sharedTexts.clear();
  sharedTexts.set(text, text);
  return text;
}

// Many routes do the same to their messages: one compiled form for all of them stays in the processor's caches, where one for
// each would be fetched from memory again at every request (bench: everything).
const compiledBefore = new WeakMap<TransformSettings, Map<string, RouteTransform>>();
const mostCompiled = 1_000;
/** Characters of a transformation that may be remembered: it is the key that costs memory. */
const longestKey = 4_096;

function transformOf(config: RouteConfig, settings: TransformSettings): RouteTransform | null {
  const { path_rewrite, method_override, request_transform, response_transform, api_key_query } = config;
  if (path_rewrite === null && method_override === null && request_transform === null && response_transform === null) return null;
  let known = compiledBefore.get(settings);
  if (known === undefined) compiledBefore.set(settings, (known = new Map()));
  const key = JSON.stringify([path_rewrite, method_override, request_transform, response_transform, api_key_query]);
  const found = known.get(key);
  if (found !== undefined) return found;
  const compiled = compileTransform(config, settings);
  if (compiled === null || compiled.usesCaptures || key.length > longestKey) return compiled;
  if (known.size >= mostCompiled) known.clear();
  known.set(key, compiled);
  return compiled;
}
