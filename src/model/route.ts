import type { RouteId, UpstreamId } from './ids.ts';
import type { RouteTransformFields } from './transformation.ts';

export const pathMatchTypes = ['exact', 'prefix', 'regex'] as const;
export type PathMatchType = (typeof pathMatchTypes)[number];

export const hostMatchTypes = ['exact', 'wildcard', 'regex'] as const;
export type HostMatchType = (typeof hostMatchTypes)[number];

export const routeProtocols = ['http', 'http_stream', 'sse', 'websocket'] as const;
export type RouteProtocol = (typeof routeProtocols)[number];

/** Which pages of other origins may read a route's responses (the CORS protocol of the Fetch standard). */
export interface RouteCors {
  /** As browsers send them, `https://app.example`, or `*` alone. */
  readonly allow_origins: readonly string[];
  /** Empty means the route's own methods. */
  readonly allow_methods: readonly string[];
  readonly allow_headers: readonly string[];
  readonly expose_headers: readonly string[];
  /** Whether cookies and the like may go along; not with `*` anywhere. */
  readonly allow_credentials: boolean;
  /** Seconds that a browser may remember the answer to a preflight. */
  readonly max_age: number;
}

/** All conditions of a route must hold. `value` is compared exactly unless `is_regex`. */
export interface HeaderCondition {
  readonly name: string;
  readonly value: string;
  readonly is_regex: boolean;
  /** When false, a request without the header passes; one that has it must match. */
  readonly required: boolean;
}

/** A route as the admin API shows it. Times are ISO 8601 in UTC. */
export interface Route extends RouteTransformFields {
  readonly id: RouteId;
  readonly name: string;
  readonly description: string;
  /** Empty matches any host. */
  readonly host_pattern: string;
  readonly host_match_type: HostMatchType;
  readonly path_pattern: string;
  readonly match_type: PathMatchType;
  /** Empty matches all methods. */
  readonly methods: readonly string[];
  readonly headers: readonly HeaderCondition[];
  readonly upstream_id: UpstreamId;
  readonly protocol: RouteProtocol;
  /** null: the gateway adds no CORS headers and answers no preflights. */
  readonly cors: RouteCors | null;
  /** Whether a key may come as `?api_key=` too. */
  readonly api_key_query: boolean;
  readonly auth_required: boolean;
  /** Higher wins. */
  readonly priority: number;
  readonly enabled: boolean;
  /** Made from --upstream: read-only, always the last choice. */
  readonly managed: boolean;
  readonly created_at: string;
  readonly updated_at: string;
}

export const routeDefaults = {
  description: '',
  host_pattern: '',
  host_match_type: 'exact',
  match_type: 'prefix',
  methods: [],
  headers: [],
  protocol: 'http',
  cors: null,
  api_key_query: false,
  path_rewrite: null,
  method_override: null,
  request_transform: null,
  response_transform: null,
  auth_required: true,
  priority: 0,
  enabled: true,
} as const satisfies Partial<Route>;

/** What a `cors` that leaves fields out means. */
export const corsDefaults = {
  allow_methods: [],
  allow_headers: ['Authorization', 'Content-Type', 'X-API-Key'],
  expose_headers: [],
  allow_credentials: false,
  max_age: 600,
} as const satisfies Partial<RouteCors>;

/** First path segments that belong to the gateway itself; matched on segment boundaries. */
export const reservedPaths = ['/admin', '/ui', '/metrics', '/version', '/healthz', '/readyz'] as const;

/** Priorities lie between minus this and this. */
export const routePriorityLimit = 1_000_000;

/** Below every priority that a route can be given: the route made from --upstream is the last choice. */
export const managedRoutePriority = -routePriorityLimit - 1;
