import type { ApiKeyId, RouteId, UpstreamId } from './ids.ts';
import type { Route } from './route.ts';
import type { AuthType } from './upstream.ts';

/** An upstream's secret, opened in memory; never stored or logged in this form. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** What a worker needs of an upstream. */
export interface UpstreamConfig {
  readonly id: UpstreamId;
  readonly name: string;
  readonly base_url: string;
  readonly timeout_ms: number;
  readonly max_idle_conns: number;
  readonly idle_conn_timeout_ms: number;
  readonly max_conns: number;
  readonly auth_type: AuthType;
  readonly auth_header: string | null;
  readonly credential: Credential;
  readonly preserve_host: boolean;
  readonly tls_ca: string | null;
  readonly tls_server_name: string | null;
  readonly health_check_path: string | null;
  readonly health_check_interval_ms: number;
  readonly health_check_timeout_ms: number;
  readonly health_check_status: string;
  readonly enabled: boolean;
}

/** What a worker needs of a route. */
export type RouteConfig = Omit<Route, 'created_at' | 'updated_at'>;

/** What a worker needs of an API key. Times are milliseconds since the epoch. */
export interface ApiKeyConfig {
  readonly id: ApiKeyId;
  readonly name: string;
  readonly prefix: string;
  /** SHA-256 of the key in hexadecimal. */
  readonly hash: string;
  readonly routes: readonly RouteId[];
  readonly rate_limit_per_minute: number | null;
  readonly expires_at: number | null;
  readonly revoked: boolean;
}

/**
 * The step from an earlier gateway config to that of `revision`: rows put (new or replaced whole) and ids removed. The gateway
 * config itself is never an object of its own: the store holds it as rows, main as a mirror of rows, a worker compiled.
 */
export interface GatewayConfigChange {
  /** Grows by one with every committed change. */
  readonly revision: number;
  /** True at a worker's start: what is not in it does not exist. */
  readonly full: boolean;
  readonly upstreams: readonly UpstreamConfig[];
  readonly routes: readonly RouteConfig[];
  readonly keys: readonly ApiKeyConfig[];
  readonly removed: readonly (UpstreamId | RouteId | ApiKeyId)[];
}
