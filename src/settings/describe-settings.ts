import type { AddressRange } from './parse-value.ts';
import { environmentName, settingKeys, settingRow, type SettingKey } from './settings-table.ts';
import { originText, type Settings } from './settings.ts';

/** One setting as `apigate settings show` prints it. */
export interface DescribedSetting {
  readonly key: SettingKey;
  readonly flag: string | null;
  readonly environment: string;
  /** As it could be written in a settings file; a secret is a fixed mask, null means unset. */
  readonly value: string | number | boolean | readonly string[] | null;
  /** `default`, `flag --port`, `environment APIGATE_SERVER_PORT`, `/etc/apigate.yaml line 3`. */
  readonly origin: string;
}

const mask = '********';

/** Every value with its origin, in the table's order; secrets masked. */
export function describeSettings(settings: Settings): readonly DescribedSetting[] {
  const values: Readonly<Record<SettingKey, DescribedSetting['value']>> = {
    server_host: settings.server.host,
    server_port: settings.server.port,
    admin_listen: settings.admin.listen === null ? null : hostPortText(settings.admin.listen.host, settings.admin.listen.port),
    database_dsn: settings.database.path,
    upstream_url: settings.defaultUpstream?.url ?? null,
    upstream_public: settings.defaultUpstream?.public ?? false,
    workers: settings.server.workers,
    log_level: settings.log.level,
    log_format: settings.log.format,
    secret_key: settings.secrets.secretKey,
    admin_email: settings.admin.firstEmail,
    admin_password: settings.secrets.firstAdminPassword,
    trusted_proxies: settings.server.trustedProxies.map(rangeText),
    drain_timeout: durationText(settings.shutdown.drainTimeoutMs),
    shutdown_delay: durationText(settings.shutdown.delayMs),
    admin_allow: settings.admin.allow.map(rangeText),
    admin_hosts: settings.admin.hosts,
    tls_cert: settings.tls?.cert ?? null,
    tls_key: settings.tls?.key ?? null,
    tls_port: settings.tls?.port ?? null,
    max_connections: settings.limits.maxConnections,
    max_body: settings.limits.maxBody,
    max_head: settings.limits.maxHead,
    max_headers: settings.limits.maxHeaders,
    max_target: settings.limits.maxTarget,
    websocket_idle: durationText(settings.limits.websocketIdleMs),
    transform_body_limit: settings.transform.bodyLimit,
    transform_env: settings.transform.env,
    dns_servers: settings.dnsServers,
  };
  return settingKeys.map((key) => {
    const row = settingRow(key);
    return {
      key,
      flag: row.flag === undefined ? null : `--${row.flag}`,
      environment: environmentName(key),
      value: row.secret && values[key] !== null ? mask : values[key],
      origin: originText(settings.origins[key]),
    };
  });
}

/** `host:port`, with brackets around IPv6. */
export function hostPortText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function rangeText(range: AddressRange): string {
  return `${range.address}/${range.prefix}`;
}

function durationText(milliseconds: number): string {
  if (milliseconds % 3_600_000 === 0 && milliseconds > 0) return `${milliseconds / 3_600_000}h`;
  if (milliseconds % 60_000 === 0 && milliseconds > 0) return `${milliseconds / 60_000}m`;
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}
