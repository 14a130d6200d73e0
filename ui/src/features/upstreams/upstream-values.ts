import { upstreamDefaults } from '../../../../src/model/upstream.ts';
import type { Upstream } from '../../api/admin-schema.ts';

/** As the form holds it: a number that is being typed is text, '' stands for the default, and for a credential that stays as it is. */
export interface UpstreamValues extends Record<string, unknown> {
  readonly name: string;
  readonly description: string;
  readonly base_url: string;
  readonly enabled: boolean;
  readonly auth_type: Upstream['auth_type'];
  readonly auth_header: string;
  readonly auth_value: string;
  readonly timeout_ms: number | string;
  readonly max_idle_conns: number | string;
  readonly idle_conn_timeout_ms: number | string;
  readonly max_conns: number | string;
  readonly preserve_host: boolean;
  readonly tls_ca: string;
  readonly tls_server_name: string;
  readonly health_check_path: string;
  readonly health_check_interval_ms: number | string;
  readonly health_check_timeout_ms: number | string;
  readonly health_check_status: string;
}

const { timeout_ms, max_idle_conns, idle_conn_timeout_ms, max_conns, auth_type, preserve_host, enabled } = upstreamDefaults;
const { health_check_interval_ms, health_check_timeout_ms, health_check_status } = upstreamDefaults;

export const newUpstreamValues: UpstreamValues = {
  name: '',
  description: '',
  base_url: '',
  enabled,
  auth_type,
  auth_header: '',
  auth_value: '',
  timeout_ms,
  max_idle_conns,
  idle_conn_timeout_ms,
  max_conns,
  preserve_host,
  tls_ca: '',
  tls_server_name: '',
  health_check_path: '',
  health_check_interval_ms,
  health_check_timeout_ms,
  health_check_status,
};

/** What the form shows of a stored upstream. Its credential is not among that. */
export function valuesOfUpstream(upstream: Upstream): UpstreamValues {
  return {
    name: upstream.name,
    description: upstream.description,
    base_url: upstream.base_url,
    enabled: upstream.enabled,
    auth_type: upstream.auth_type,
    auth_header: upstream.auth_header ?? '',
    auth_value: '',
    timeout_ms: upstream.timeout_ms,
    max_idle_conns: upstream.max_idle_conns,
    idle_conn_timeout_ms: upstream.idle_conn_timeout_ms,
    max_conns: upstream.max_conns,
    preserve_host: upstream.preserve_host,
    tls_ca: upstream.tls_ca ?? '',
    tls_server_name: upstream.tls_server_name ?? '',
    health_check_path: upstream.health_check_path ?? '',
    health_check_interval_ms: upstream.health_check_interval_ms,
    health_check_timeout_ms: upstream.health_check_timeout_ms,
    health_check_status: upstream.health_check_status,
  };
}

/** The fields of the API; null means the default. A credential that was not typed is left out, which keeps the stored one. */
export function fieldsOfUpstream(values: UpstreamValues) {
  const { auth_type: type } = values;
  const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());
  const numberOrNull = (value: number | string): number | null => (value === '' ? null : Number(value));
  return {
    name: values.name.trim(),
    description: values.description,
    base_url: values.base_url.trim(),
    enabled: values.enabled,
    auth_type: type,
    auth_header: type === 'header' ? orNull(values.auth_header) : null,
    // Not trimmed: a secret is what it is.
    auth_value: type === 'none' || values.auth_value === '' ? undefined : values.auth_value,
    timeout_ms: numberOrNull(values.timeout_ms),
    max_idle_conns: numberOrNull(values.max_idle_conns),
    idle_conn_timeout_ms: numberOrNull(values.idle_conn_timeout_ms),
    max_conns: numberOrNull(values.max_conns),
    preserve_host: values.preserve_host,
    tls_ca: orNull(values.tls_ca),
    tls_server_name: orNull(values.tls_server_name),
    health_check_path: orNull(values.health_check_path),
    health_check_interval_ms: numberOrNull(values.health_check_interval_ms),
    health_check_timeout_ms: numberOrNull(values.health_check_timeout_ms),
    health_check_status: orNull(values.health_check_status),
  };
}

export type UpstreamFields = ReturnType<typeof fieldsOfUpstream>;

/** What differs between two states of the form, for people to read. */
export function upstreamChanges(before: UpstreamFields, after: UpstreamFields) {
  return (Object.keys(after) as (keyof UpstreamFields)[])
    .filter((field) => after[field] !== before[field])
    .map((field) => ({
      field,
      from: field === 'auth_value' ? '********' : before[field],
      to: field === 'auth_value' ? 'a new value' : after[field],
    }));
}
