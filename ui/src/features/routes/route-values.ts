import type { Route } from '../../api/admin-schema.ts';
import { usualHostMatch } from './copy-route.ts';
import { draftOfTransform, transformOfDraft, type TransformDraft } from './transform-draft.ts';

export interface HeaderConditionValues {
  /** For React: names change while they are typed. */
  readonly key: string;
  readonly name: string;
  readonly value: string;
  readonly is_regex: boolean;
  readonly required: boolean;
}

export interface CorsValues {
  readonly allow_origins: string[];
  readonly allow_methods: string[];
  readonly allow_headers: string[];
  readonly expose_headers: string[];
  readonly allow_credentials: boolean;
  readonly max_age: number | string;
}

/** A route as its form holds it. */
export interface RouteValues extends Record<string, unknown> {
  readonly name: string;
  readonly description: string;
  readonly path_pattern: string;
  readonly match_type: Route['match_type'];
  readonly host_pattern: string;
  /** 'auto': as the pattern looks, a wildcard for `*.…`, else exact. */
  readonly host_match_type: Route['host_match_type'] | 'auto';
  readonly methods: string[];
  readonly headers: HeaderConditionValues[];
  readonly upstream_id: string | null;
  readonly protocol: Route['protocol'];
  readonly priority: number | string;
  readonly auth_required: boolean;
  readonly api_key_query: boolean;
  readonly cors: CorsValues | null;
  readonly enabled: boolean;
  readonly path_rewrite: string;
  readonly method_override: string;
  readonly request_transform: TransformDraft;
  readonly response_transform: TransformDraft;
}

/** What `cors` has when nobody says otherwise: corsDefaults of src/model/route.ts. */
export const newCors: CorsValues = {
  allow_origins: [],
  allow_methods: [],
  allow_headers: ['Authorization', 'Content-Type', 'X-API-Key'],
  expose_headers: [],
  allow_credentials: false,
  max_age: 600,
};

export function newRouteValues(): RouteValues {
  return {
    name: '',
    description: '',
    path_pattern: '',
    match_type: 'prefix',
    host_pattern: '',
    host_match_type: 'auto',
    methods: [],
    headers: [],
    upstream_id: null,
    protocol: 'http',
    priority: 0,
    auth_required: true,
    api_key_query: false,
    cors: null,
    enabled: true,
    path_rewrite: '',
    method_override: '',
    request_transform: draftOfTransform(null),
    response_transform: draftOfTransform(null),
  };
}

export function valuesOfRoute(route: Route): RouteValues {
  const { cors } = route;
  return {
    name: route.name,
    description: route.description,
    path_pattern: route.path_pattern,
    match_type: route.match_type,
    host_pattern: route.host_pattern,
    host_match_type: route.host_match_type === usualHostMatch(route.host_pattern) ? 'auto' : route.host_match_type,
    methods: [...route.methods],
    headers: route.headers.map((condition) => ({ ...condition, key: crypto.randomUUID() })),
    upstream_id: route.upstream_id,
    protocol: route.protocol,
    priority: route.priority,
    auth_required: route.auth_required,
    api_key_query: route.api_key_query,
    cors:
      cors === null
        ? null
        : {
            allow_origins: [...cors.allow_origins],
            allow_methods: [...cors.allow_methods],
            allow_headers: [...cors.allow_headers],
            expose_headers: [...cors.expose_headers],
            allow_credentials: cors.allow_credentials,
            max_age: cors.max_age,
          },
    enabled: route.enabled,
    path_rewrite: route.path_rewrite ?? '',
    method_override: route.method_override ?? '',
    request_transform: draftOfTransform(route.request_transform),
    response_transform: draftOfTransform(route.response_transform),
  };
}

/** The fields of the API; null means the default. */
export function fieldsOfRoute(values: RouteValues) {
  const { host_match_type: hostType, priority, cors } = values;
  return {
    name: values.name.trim(),
    description: values.description.trim(),
    path_pattern: values.path_pattern.trim(),
    match_type: values.match_type,
    host_pattern: values.host_pattern.trim(),
    host_match_type: hostType === 'auto' ? usualHostMatch(values.host_pattern.trim()) : hostType,
    methods: values.methods,
    headers: values.headers
      .filter(({ name, value }) => name !== '' || value !== '')
      .map(({ name, value, is_regex, required }) => ({ name, value, is_regex, required })),
    upstream_id: values.upstream_id ?? '',
    protocol: values.protocol,
    priority: priority === '' ? null : Number(priority),
    auth_required: values.auth_required,
    api_key_query: values.api_key_query,
    cors: cors === null ? null : { ...cors, max_age: cors.max_age === '' ? null : Number(cors.max_age) },
    enabled: values.enabled,
    path_rewrite: emptyIsNull(values.path_rewrite),
    method_override: emptyIsNull(values.method_override),
    request_transform: transformOfDraft(values.request_transform, 'request'),
    response_transform: transformOfDraft(values.response_transform, 'response'),
  };
}

function emptyIsNull(text: string): string | null {
  return text.trim() === '' ? null : text.trim();
}
