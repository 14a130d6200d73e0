import type { AdminRow, ApiKeyRow, RouteRow, SessionRow, TokenRow, UpstreamRow } from './store.ts';

/** Rows for tests: each valid by itself, with the fields that a test cares about put in. */

export function upstreamRow(number: number, fields: Partial<UpstreamRow> = {}): UpstreamRow {
  return {
    id: `up_${hex(number)}`,
    revision: 0,
    name: `upstream-${number}`,
    description: '',
    base_url: 'http://127.0.0.1:9000',
    timeout_ms: 30_000,
    max_idle_conns: 100,
    idle_conn_timeout_ms: 90_000,
    max_conns: 0,
    auth_type: 'none',
    auth_header: null,
    auth_value_sealed: null,
    auth_value_reference: null,
    auth_value_updated_at: null,
    preserve_host: false,
    tls_ca: null,
    tls_server_name: null,
    health_check_path: null,
    health_check_interval_ms: 10_000,
    health_check_timeout_ms: 5_000,
    health_check_status: '200-399',
    enabled: true,
    managed: false,
    created_at: 1_800_000_000_000,
    updated_at: 1_800_000_000_001,
    ...fields,
  };
}

export function routeRow(number: number, fields: Partial<RouteRow> = {}): RouteRow {
  return {
    id: `rt_${hex(number)}`,
    revision: 0,
    name: `route-${number}`,
    description: '',
    host_pattern: '',
    host_match_type: 'exact',
    path_pattern: `/r${number}`,
    match_type: 'prefix',
    methods: ['GET', 'POST'],
    headers: [{ name: 'X-A', value: '1', is_regex: false, required: true }],
    upstream_id: `up_${hex(number)}`,
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
    managed: false,
    created_at: 1_800_000_000_000,
    updated_at: 1_800_000_000_001,
    ...fields,
  };
}

export function apiKeyRow(number: number, fields: Partial<ApiKeyRow> = {}): ApiKeyRow {
  return {
    id: `key_${hex(number)}`,
    revision: 0,
    name: `key-${number}`,
    prefix: 'ak_012345678',
    hash: hex(number).repeat(4),
    routes: [],
    rate_limit_per_minute: null,
    expires_at: null,
    last_used_at: null,
    revoked_at: null,
    created_at: 1_800_000_000_000,
    ...fields,
  };
}

export function adminRow(number: number, fields: Partial<AdminRow> = {}): AdminRow {
  return {
    id: `adm_${hex(number)}`,
    email: `admin-${number}@example.com`,
    password_hash: 'scrypt$…',
    created_at: 1_800_000_000_000,
    updated_at: 1_800_000_000_000,
    last_sign_in_at: null,
    ...fields,
  };
}

export function sessionRow(number: number, fields: Partial<SessionRow> = {}): SessionRow {
  return {
    id_hash: hex(number).repeat(4),
    admin_id: `adm_${hex(1)}`,
    created_at: 1000 + number,
    last_seen_at: 1000 + number,
    expires_at: 5000 + number,
    remote_address: '127.0.0.1',
    user_agent: 'test',
    ...fields,
  };
}

export function tokenRow(number: number, fields: Partial<TokenRow> = {}): TokenRow {
  return {
    id: `tok_${hex(number)}`,
    name: `token-${number}`,
    hash: hex(number).repeat(4),
    prefix: 'agt_01234567',
    scope: 'read',
    expires_at: null,
    last_used_at: null,
    revoked_at: null,
    created_at: 1_800_000_000_000,
    created_by: 'ann@example.com',
    ...fields,
  };
}

function hex(number: number): string {
  return number.toString(16).padStart(16, '0');
}
