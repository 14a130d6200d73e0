import type { UpstreamId } from './ids.ts';

export const authTypes = ['none', 'bearer', 'header', 'basic'] as const;
export type AuthType = (typeof authTypes)[number];

/** An upstream as the admin API shows it: everything but the secret. Times are ISO 8601 in UTC. */
export interface Upstream {
  readonly id: UpstreamId;
  readonly name: string;
  readonly description: string;
  readonly base_url: string;
  /** Longest wait for the upstream's next progress, in milliseconds. */
  readonly timeout_ms: number;
  /** Cap on idle connections kept for reuse, over all workers together. */
  readonly max_idle_conns: number;
  readonly idle_conn_timeout_ms: number;
  /** Cap on concurrent connections over all workers together; 0 means none. */
  readonly max_conns: number;
  readonly auth_type: AuthType;
  readonly auth_header: string | null;
  readonly auth_value_set: boolean;
  readonly auth_value_updated_at: string | null;
  readonly preserve_host: boolean;
  /** PEM; replaces the default trust for this upstream. */
  readonly tls_ca: string | null;
  readonly tls_server_name: string | null;
  /** What is asked for, behind base_url's path, to see whether it is well; null: nothing is. */
  readonly health_check_path: string | null;
  readonly health_check_interval_ms: number;
  readonly health_check_timeout_ms: number;
  /** Statuses that are a good answer: `200-399`, `200,204`. */
  readonly health_check_status: string;
  readonly enabled: boolean;
  /** Made from --upstream: read-only, re-synced at every start. */
  readonly managed: boolean;
  readonly created_at: string;
  readonly updated_at: string;
}

export const upstreamDefaults = {
  description: '',
  timeout_ms: 30_000,
  max_idle_conns: 100,
  idle_conn_timeout_ms: 90_000,
  max_conns: 0,
  auth_type: 'none',
  auth_header: null,
  preserve_host: false,
  tls_ca: null,
  tls_server_name: null,
  health_check_path: null,
  health_check_interval_ms: 10_000,
  health_check_timeout_ms: 5_000,
  health_check_status: '200-399',
  enabled: true,
} as const satisfies Partial<Upstream>;
