import type { Route } from '../../api/admin-schema.ts';
import { shellQuote } from '../../components/shell-quote.ts';
import { yamlOf } from '../../components/yaml-of.ts';

/** The command that makes such a route. */
export function cliOfRoute(route: Route, upstream: string): string {
  const words: string[] = ['apigate routes create'];
  // A value that begins with a dash would be taken for a flag.
  const add = (flag: string, value: string | number): void => {
    const word = shellQuote(String(value));
    words.push(String(value).startsWith('-') ? `${flag}=${word}` : `${flag} ${word}`);
  };
  const list = (flag: string, values: readonly string[]): void => {
    if (values.length > 0) add(flag, values.join(','));
  };
  add('--name', route.name);
  add('--path', route.path_pattern);
  if (route.match_type !== 'prefix') add('--match', route.match_type);
  if (route.host_pattern !== '') {
    add('--host', route.host_pattern);
    if (route.host_match_type !== usualHostMatch(route.host_pattern)) add('--host-match', route.host_match_type);
  }
  list('--methods', route.methods);
  for (const { name, value, is_regex, required } of route.headers) {
    add(is_regex ? '--header-regex' : '--header', `${name}${required ? '' : '?'}: ${value}`);
  }
  add('--upstream', upstream);
  if (route.protocol !== 'http') add('--protocol', route.protocol);
  if (!route.auth_required) words.push('--no-auth');
  if (route.api_key_query) words.push('--api-key-query');
  if (route.cors !== null) {
    const { allow_origins, allow_methods, allow_headers, expose_headers, allow_credentials, max_age } = route.cors;
    list('--cors-origins', allow_origins);
    list('--cors-methods', allow_methods);
    add('--cors-headers', allow_headers.join(','));
    list('--cors-expose', expose_headers);
    if (allow_credentials) words.push('--cors-credentials');
    add('--cors-max-age', max_age);
  }
  if (route.path_rewrite !== null) add('--rewrite', route.path_rewrite);
  if (route.method_override !== null) add('--method-override', route.method_override);
  if (route.request_transform !== null) add('--request-transform', JSON.stringify(route.request_transform));
  if (route.response_transform !== null) add('--response-transform', JSON.stringify(route.response_transform));
  if (route.priority !== 0) add('--priority', route.priority);
  if (route.description !== '') add('--description', route.description);
  if (!route.enabled) words.push('--disabled');
  return words.join(' ');
}

/** The route as a declarative file holds it, without what is the default: for `apigate apply -f`. */
export function yamlOfRoute(route: Route, upstream: string): string {
  const {
    id: _id,
    managed: _managed,
    created_at: _created,
    updated_at: _updated,
    upstream_id: _upstream,
    name,
    path_pattern,
    ...rest
  } = route;
  const fields: Record<string, unknown> = { name, path_pattern, upstream };
  for (const [field, value] of Object.entries(rest)) {
    if (value === null || JSON.stringify(value) === JSON.stringify(usual[field])) continue;
    if (field === 'host_match_type' && value === usualHostMatch(route.host_pattern)) continue;
    fields[field] = value;
  }
  return yamlOf({ routes: [fields] });
}

/** What a route has when nobody says otherwise: routeDefaults of src/model/route.ts. */
const usual: Readonly<Record<string, unknown>> = {
  description: '',
  host_pattern: '',
  match_type: 'prefix',
  methods: [],
  headers: [],
  protocol: 'http',
  api_key_query: false,
  auth_required: true,
  priority: 0,
  enabled: true,
};

export function usualHostMatch(pattern: string): Route['host_match_type'] {
  return pattern.startsWith('*.') ? 'wildcard' : 'exact';
}
