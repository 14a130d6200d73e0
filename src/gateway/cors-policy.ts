import type { RouteCors } from '../model/route.ts';

/** A route's `cors`, ready to be sent: every field that a response may need, made when the route is published. */
export interface CorsPolicy {
  /** Fields for the origins that are allowed, each with its line end. Empty where all are. */
  readonly byOrigin: ReadonlyMap<string, string>;
  /** Fields for any other origin, and for requests that name none. */
  readonly otherwise: string;
  readonly allowsAnyOrigin: boolean;
  /** What a preflight from an allowed origin is told besides; but for a method that the route takes without naming it. */
  readonly preflight: string;
  /** null: the route takes every method, those below are only the usual ones. */
  readonly methods: readonly string[] | null;
}

const usualMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Compiles `cors`; `routeMethods` are those of the route, empty for all. */
export function compileCors(cors: RouteCors, routeMethods: readonly string[]): CorsPolicy {
  const allowsAnyOrigin = cors.allow_origins.includes('*');
  const credentials = cors.allow_credentials ? 'Access-Control-Allow-Credentials: true\r\n' : '';
  const expose = listField('Access-Control-Expose-Headers', cors.expose_headers);
  // The answer differs by origin, for those too that are not allowed: caches must know (Fetch standard, CORS and caching).
  const vary = allowsAnyOrigin ? '' : 'Vary: Origin\r\n';
  const methods = cors.allow_methods.length > 0 ? cors.allow_methods : routeMethods.length > 0 ? withHead(routeMethods) : null;
  // Alone, * does not stand for Authorization (Fetch standard, CORS-preflight fetch).
  const headers = cors.allow_headers.includes('*') ? ['*', 'Authorization'] : cors.allow_headers;
  return {
    byOrigin: new Map(
      allowsAnyOrigin
        ? []
        : cors.allow_origins.map((origin) => [origin, `Access-Control-Allow-Origin: ${origin}\r\n${credentials}${expose}${vary}`]),
    ),
    otherwise: allowsAnyOrigin ? `Access-Control-Allow-Origin: *\r\n${expose}` : vary,
    allowsAnyOrigin,
    preflight: `${listField('Access-Control-Allow-Headers', headers)}Access-Control-Max-Age: ${cors.max_age}\r\n`,
    methods,
  };
}

/** What every response on the route carries, to a request with this Origin. */
export function corsFields(policy: CorsPolicy, origin: string | undefined): string {
  return (origin === undefined ? undefined : policy.byOrigin.get(origin)) ?? policy.otherwise;
}

/** What the answer to a preflight carries; to an origin that is not allowed, nothing that lets it pass. */
export function preflightFields(policy: CorsPolicy, origin: string, method: string): string {
  const fields = corsFields(policy, origin);
  if (!isAllowedOrigin(policy, origin)) return fields;
  const methods = policy.methods ?? (usualMethods.includes(method) ? usualMethods : [...usualMethods, method]);
  return `${fields}${listField('Access-Control-Allow-Methods', methods)}${policy.preflight}`;
}

export function isAllowedOrigin(policy: CorsPolicy, origin: string): boolean {
  return policy.allowsAnyOrigin || policy.byOrigin.has(origin);
}

function listField(name: string, members: readonly string[]): string {
  return members.length === 0 ? '' : `${name}: ${members.join(', ')}\r\n`;
}

// HEAD follows GET where routes are matched.
function withHead(methods: readonly string[]): readonly string[] {
  return methods.includes('GET') && !methods.includes('HEAD') ? [...methods, 'HEAD'] : methods;
}
