import type { Context } from 'hono';
import type { Actor } from '../control/control-context.ts';
import type { SignedIn } from '../control/sessions.ts';
import type { TokenScope } from '../model/api-token.ts';

/** What the app must be told of a request beyond the request itself; nothing of it comes from the request's headers. */
export interface AdminBindings {
  /** The client's address, without a port. */
  readonly remoteAddress: string;
  /** How the client reached us. */
  readonly scheme: 'http' | 'https';
  readonly requestId: string;
  /**
   * The request came from this very machine, over the loopback interface, and nothing in it says that somebody forwarded it.
   * Enough to read metrics.
   */
  readonly isDirectLoopback?: boolean;
  /**
   * Set by callers inside the process only (the CLI on a local database, where the file's permissions are the
   * authority): sign-in, cross-site and host checks do not apply then.
   */
  readonly localActor?: Actor;
  /** In a process without workers: why no running gateway could be asked what only it can know. A sentence for people. */
  readonly noGateway?: string;
}

/** Who calls, and how much the caller may do. */
export interface Caller {
  readonly actor: Actor;
  readonly scope: TokenScope;
  /** Of a signed-in admin; undefined for tokens and the CLI. */
  readonly session?: SignedIn;
}

export interface AdminEnv {
  Bindings: AdminBindings;
  Variables: { caller: Caller | undefined };
}

export type AdminContext<Path extends string = string> = Context<AdminEnv, Path>;

/**
 * What a route asks of its caller. `public`: nothing. `scrape`: as `read`, but nothing of a program on this very machine. `read`, `write`, `admin`: a token of at least that scope, a session
 * or the local CLI. `session`: a signed-in admin. Scopes include the smaller ones.
 */
export type Access = 'public' | 'scrape' | TokenScope | 'session';
