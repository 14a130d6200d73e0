import type { FieldError } from '../errors/gateway-error.ts';
import type { GatewayConfigChange, RouteConfig, UpstreamConfig } from '../model/gateway-config.ts';

/** Who makes a change; goes into the audit row. */
export interface Actor {
  readonly kind: 'admin' | 'token' | 'cli' | 'system';
  /** Admin or token id; empty for the CLI and the system. */
  readonly id: string;
  /** E-mail, token name, or the system user's name: for people to read. */
  readonly label: string;
  readonly remoteAddress?: string;
  readonly requestId?: string;
}

/**
 * Port to the data plane, filled by main. Resolves when every worker serves the change.
 * In the CLI without a gateway in the same process there is none, and the running gateway follows the store.
 */
export interface Publisher {
  publish(change: GatewayConfigChange): Promise<void>;
}

/** Port to the data plane's own compiler, filled by main: what it cannot compile is never stored. */
export interface TrialCompiler {
  upstream(upstream: UpstreamConfig): readonly FieldError[];
  /** Also warns of what works but surprises: reserved paths, a route that another always beats. */
  route(route: RouteConfig, others: Iterable<RouteConfig>): { readonly errors: readonly FieldError[]; readonly warnings: readonly string[] };
}

/** What every committed change answers with. */
export interface Committed<T> {
  readonly value: T;
  readonly revision: number;
  readonly warnings: readonly string[];
}

export interface ListQuery {
  /** 1 to 500; 100 when not given. */
  readonly limit?: number;
  readonly cursor?: string;
  /** Case-insensitive part of the name (or of the e-mail address, for admins). */
  readonly q?: string;
  readonly enabled?: boolean;
}

export interface Page<T> {
  readonly data: readonly T[];
  readonly total: number;
  readonly next_cursor: string | null;
}
