import type { AddressRange, HostPort } from './parse-value.ts';
import type { SettingKey } from './settings-table.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export const logFormats = ['json', 'text'] as const;
export type LogFormat = (typeof logFormats)[number];

/** What starts the process: read once from flags, environment and file, never changed after. Paths are absolute. */
export interface Settings {
  readonly server: {
    /** Name or address to listen on; IPv6 without brackets. */
    readonly host: string;
    /** 0: no plain HTTP listener (only allowed with `tls`). */
    readonly port: number;
    /** Data-plane workers, 1 to 256. */
    readonly workers: number;
    /** Peers whose X-Forwarded-* and Forwarded we believe. */
    readonly trustedProxies: readonly AddressRange[];
  };
  /** HTTPS listener; null when there is none. The files are not read here. */
  readonly tls: { readonly cert: string; readonly key: string; readonly port: number } | null;
  readonly admin: {
    /** null: the admin plane shares the traffic port under its reserved paths. Port 0 means any free one. */
    readonly listen: HostPort | null;
    /** Peers whose requests reach the admin plane on the shared port; keywords are expanded. */
    readonly allow: readonly AddressRange[];
    /** Extra Host names, in lower case and without port. */
    readonly hosts: readonly string[];
    /** E-mail address of the admin to make at first start; its password is in `secrets`. */
    readonly firstEmail: string | null;
  };
  readonly database: { readonly kind: 'sqlite'; readonly path: string };
  /** The upstream and route named `default`; null when unset. */
  readonly defaultUpstream: { readonly url: string; readonly public: boolean } | null;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  readonly limits: {
    /** Client connections. */
    readonly maxConnections: number;
    /** Bytes; 0 means no limit. */
    readonly maxBody: number;
    /** Bytes of a whole request head. */
    readonly maxHead: number;
    /** Fields in a request head. */
    readonly maxHeaders: number;
    /** Bytes of a request target. */
    readonly maxTarget: number;
    /** Longest silence on a WebSocket in milliseconds; 0 means no limit. */
    readonly websocketIdleMs: number;
  };
  readonly transform: {
    /** Bytes of a body that a transformation takes. */
    readonly bodyLimit: number;
    /** Names of environment variables that transformations may read. */
    readonly env: readonly string[];
  };
  readonly shutdown: { readonly drainTimeoutMs: number; readonly delayMs: number };
  /** Each `ip` or `ip:port` or `[ipv6]:port`, as `dns.Resolver.setServers` takes them; null means the system's. */
  readonly dnsServers: readonly string[] | null;
  /** Apart from the rest, so that the rest may be logged. */
  readonly secrets: {
    /** null: a key file beside the database. */
    readonly secretKey: string | null;
    readonly firstAdminPassword: string | null;
  };
  readonly origins: Readonly<Record<SettingKey, SettingOrigin>>;
  /** What is allowed but deserves a word to the operator, such as a readable file that holds secrets. */
  readonly warnings: readonly string[];
}

/** Where a value came from. */
export type SettingOrigin =
  | { readonly kind: 'default' }
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'environment'; readonly name: string; readonly file?: string }
  | { readonly kind: 'file'; readonly path: string; readonly line: number };

/** The origin in words: `default`, `flag --port`, `environment APIGATE_SERVER_PORT`, `/etc/apigate.yaml line 3`. */
export function originText(origin: SettingOrigin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'flag':
      return `flag --${origin.flag}`;
    case 'environment':
      return origin.file === undefined ? `environment ${origin.name}` : `environment ${origin.name} (${origin.file})`;
    case 'file':
      return `${origin.path} line ${origin.line}`;
  }
}
