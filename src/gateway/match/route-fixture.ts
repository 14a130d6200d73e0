import type { RouteConfig } from '../../model/gateway-config.ts';
import { routeDefaults } from '../../model/route.ts';
import type { MatchRequest } from './route-search.ts';

let count = 0;
/** A route for tests: a prefix for any host, `/` where nothing is said, with an id of its own. */
export function route(fields: Partial<RouteConfig> = {}): RouteConfig {
  const id = `rt_${(count++).toString(16).padStart(16, '0')}` as const;
  return {
    ...routeDefaults,
    id,
    name: `${fields.path_pattern ?? '/'}#${id}`,
    description: '',
    host_pattern: '',
    host_match_type: 'exact',
    path_pattern: '/',
    match_type: 'prefix',
    methods: [],
    headers: [],
    upstream_id: 'up_0000000000000000',
    protocol: 'http',
    cors: null,
    api_key_query: false,
    auth_required: true,
    priority: 0,
    enabled: true,
    managed: false,
    ...fields,
  };
}

/** A request as the matcher sees it. */
export function request(method: string, path: string, host = 'example.com', headers: Record<string, string> = {}): MatchRequest {
  return { method, host, path, header: (name) => headers[name] };
}
