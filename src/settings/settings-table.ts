import { availableParallelism } from 'node:os';
import * as parse from './parse-value.ts';
import { logFormats, logLevels, type LogFormat, type LogLevel } from './settings.ts';

/** What a row may look at besides its value. */
export interface ParseContext {
  /** Where relative paths begin: the settings file's folder for its own values, else the working directory. */
  readonly base: string;
}

export interface FallbackContext {
  readonly cwd: string;
  /** Whether standard output is a terminal. */
  readonly terminal: boolean;
}

/** One setting. Its key in the settings file is the environment variable's name without `APIGATE_`, in lower case. */
export interface SettingRow<T> {
  readonly flag?: string;
  /** Stands for the value in help texts; none for a switch. */
  readonly placeholder?: string;
  readonly help: string;
  /** The default as help texts and the documentation show it. */
  readonly defaultText: string;
  readonly secret?: true;
  /** A list: a YAML sequence in the file, else separated by commas or spaces. */
  readonly list?: true;
  /** Throws InvalidValue. List items arrive joined by commas. */
  readonly parse: (text: string, context: ParseContext) => T;
  readonly fallback: (context: FallbackContext) => T;
}

const row = <T>(definition: SettingRow<T>): SettingRow<T> => definition;
const unset = (): null => null;

/** Every setting there is. The order is that of help texts and `apigate settings show`. */
export const settingsTable = {
  server_host: row({
    flag: 'host',
    placeholder: 'HOST',
    help: 'address to listen on',
    defaultText: '0.0.0.0',
    parse: parse.parseHost,
    fallback: () => '0.0.0.0',
  }),
  server_port: row({
    flag: 'port',
    placeholder: 'PORT',
    help: 'port for HTTP; 0 turns plain HTTP off (with TLS)',
    defaultText: '8080',
    parse: (text) => parse.parsePort(text, 0),
    fallback: () => 8080,
  }),
  admin_listen: row({
    flag: 'admin-listen',
    placeholder: 'HOST:PORT',
    help: 'give the admin API and UI a listener of their own',
    defaultText: 'unset: on the traffic port',
    parse: (text): parse.HostPort | null => parse.parseHostPort(text),
    fallback: unset,
  }),
  database_dsn: row({
    flag: 'database',
    placeholder: 'PATH',
    help: 'the SQLite database',
    defaultText: 'apigate.db',
    parse: (text, { base }) => parse.parseDatabase(text, base),
    fallback: ({ cwd }) => parse.parsePath('apigate.db', cwd),
  }),
  upstream_url: row({
    flag: 'upstream',
    placeholder: 'URL',
    help: 'send what no other route takes to this upstream',
    defaultText: 'unset',
    parse: (text): string | null => parse.parseUpstreamUrl(text),
    fallback: unset,
  }),
  upstream_public: row({
    flag: 'public',
    help: 'the default route needs no API key',
    defaultText: 'false',
    parse: parse.parseBoolean,
    fallback: () => false,
  }),
  workers: row({
    flag: 'workers',
    placeholder: 'N',
    help: 'data-plane workers, 1 to 256',
    defaultText: 'number of CPUs',
    parse: (text) => parse.parseInteger(text, 1, 256),
    fallback: () => Math.min(256, availableParallelism()),
  }),
  log_level: row({
    flag: 'log-level',
    placeholder: 'LEVEL',
    help: logLevels.join(', '),
    defaultText: 'info',
    parse: (text) =>
      parse.parseChoice<LogLevel>(text, logLevels, {
        warning: 'warn',
        err: 'error',
        fatal: 'error',
        verbose: 'debug',
        off: 'silent',
        none: 'silent',
      }),
    fallback: (): LogLevel => 'info',
  }),
  log_format: row({
    flag: 'log-format',
    placeholder: 'FORMAT',
    help: logFormats.join(', '),
    defaultText: 'json, or text on a terminal',
    parse: (text) => parse.parseChoice<LogFormat>(text, logFormats, { pretty: 'text', plain: 'text' }),
    fallback: ({ terminal }): LogFormat => (terminal ? 'text' : 'json'),
  }),
  secret_key: row({
    help: 'key that seals stored secrets; several, separated by commas, while it is being rotated',
    defaultText: 'unset: a key file beside the database',
    secret: true,
    parse: (text): string | null => text,
    fallback: unset,
  }),
  admin_email: row({
    help: 'e-mail address of the first admin, made at first start',
    defaultText: 'unset',
    parse: (text): string | null => parse.parseEmail(text),
    fallback: unset,
  }),
  admin_password: row({
    help: 'password of the first admin',
    defaultText: 'unset',
    secret: true,
    parse: (text): string | null => text,
    fallback: unset,
  }),
  trusted_proxies: row({
    help: 'networks whose X-Forwarded-* and Forwarded are believed',
    defaultText: 'none',
    list: true,
    parse: parse.parseRanges,
    fallback: () => [],
  }),
  drain_timeout: row({
    help: 'how long requests in flight may take at shutdown',
    defaultText: '30s',
    parse: parse.parseDuration,
    fallback: () => 30_000,
  }),
  shutdown_delay: row({
    help: 'how long to answer "not ready" before shutdown begins',
    defaultText: '0s',
    parse: parse.parseDuration,
    fallback: () => 0,
  }),
  admin_allow: row({
    help: 'who reaches the admin plane on the shared port: networks, loopback, private or any',
    defaultText: 'loopback,private',
    list: true,
    parse: parse.parseAdminAllow,
    fallback: () => parse.parseAdminAllow('loopback,private'),
  }),
  admin_hosts: row({
    help: 'extra Host names the admin plane answers to besides addresses and localhost',
    defaultText: 'none',
    list: true,
    parse: parse.parseHostNames,
    fallback: () => [],
  }),
  tls_cert: row({
    flag: 'tls-cert',
    placeholder: 'FILE',
    help: 'certificate chain (PEM) for HTTPS',
    defaultText: 'unset',
    parse: (text, { base }): string | null => parse.parsePath(text, base),
    fallback: unset,
  }),
  tls_key: row({
    flag: 'tls-key',
    placeholder: 'FILE',
    help: 'private key (PEM) for HTTPS',
    defaultText: 'unset',
    parse: (text, { base }): string | null => parse.parsePath(text, base),
    fallback: unset,
  }),
  tls_port: row({
    flag: 'tls-port',
    placeholder: 'PORT',
    help: 'port for HTTPS',
    defaultText: '8443 when tls_cert is set',
    parse: (text): number | null => parse.parsePort(text, 1),
    fallback: unset,
  }),
  max_connections: row({
    help: 'client connections; beyond it the oldest idle ones go first',
    defaultText: '20000',
    parse: (text) => parse.parseInteger(text, 1, 1_000_000),
    fallback: () => 20_000,
  }),
  max_body: row({
    help: 'bytes of a request body; 0 means no limit',
    defaultText: '0',
    parse: (text) => parse.parseInteger(text, 0, Number.MAX_SAFE_INTEGER),
    fallback: () => 0,
  }),
  max_head: row({
    help: 'bytes of a request head',
    defaultText: '16384',
    parse: (text) => parse.parseInteger(text, 1024, 1_048_576),
    fallback: () => 16_384,
  }),
  max_headers: row({
    help: 'header fields in a request',
    defaultText: '100',
    parse: (text) => parse.parseInteger(text, 10, 10_000),
    fallback: () => 100,
  }),
  max_target: row({
    help: 'bytes of a request target',
    defaultText: '8192',
    parse: (text) => parse.parseInteger(text, 256, 1_048_576),
    fallback: () => 8192,
  }),
  websocket_idle: row({
    help: 'how long a WebSocket may be silent both ways before it is closed; 0 means no limit',
    defaultText: '5m',
    parse: parse.parseDuration,
    fallback: () => 300_000,
  }),
  transform_body_limit: row({
    help: 'bytes of a body that a transformation takes',
    defaultText: '1048576',
    parse: (text) => parse.parseInteger(text, 1024, 67_108_864),
    fallback: () => 1_048_576,
  }),
  transform_env: row({
    help: 'names of environment variables that transformations may read',
    defaultText: 'none',
    list: true,
    parse: parse.parseEnvironmentNames,
    fallback: () => [],
  }),
  dns_servers: row({
    help: 'name servers for upstreams, IP or IP:PORT',
    defaultText: "the system's",
    list: true,
    parse: (text): readonly string[] | null => parse.parseDnsServers(text),
    fallback: unset,
  }),
} as const;

export type SettingKey = keyof typeof settingsTable;

/** Every setting's parsed value under its key. */
export type SettingValues = { readonly [K in SettingKey]: ReturnType<(typeof settingsTable)[K]['fallback']> };

export const settingKeys = Object.keys(settingsTable) as readonly SettingKey[];

/** The row of a key, its value's type forgotten. */
export function settingRow(key: SettingKey): SettingRow<unknown> {
  return settingsTable[key];
}

/** `server_port` is `APIGATE_SERVER_PORT`. */
export function environmentName(key: SettingKey): string {
  return `APIGATE_${key.toUpperCase()}`;
}
