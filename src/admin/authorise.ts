import type { MiddlewareHandler } from 'hono';
import type { AccessContext } from '../control/access-context.ts';
import { findSession, isSessionOpen } from '../control/sessions.ts';
import { findToken, isTokenGood } from '../control/tokens.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { tokenScopes } from '../model/api-token.ts';
import type { ApiTokenId } from '../model/ids.ts';
import type { Access, AdminContext, AdminEnv, Caller } from './admin-env.ts';
import { sessionTokenOf } from './session-cookie.ts';

/**
 * Lets a caller through to a route, or not.
 * @throws GatewayError `unauthenticated`, `forbidden`
 */
export function authorise(access: Access): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const problem = accessProblem(access, c);
    if (problem !== undefined) throw problem;
    await next();
  };
}

/** Finds out who calls. Finding nobody is no error yet: the route decides. */
export function identify(context: AccessContext): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    c.set('caller', await callerOf(context, c));
    await next();
  };
}

/** The token of `Authorization: Bearer`, which a browser never sends by itself; undefined without such a header. */
export function bearerTokenOf(headers: Headers): string | undefined {
  const match = /^Bearer(?: +(.*))?$/i.exec(headers.get('authorization') ?? '');
  return match === null ? undefined : (match[1] ?? '').trim();
}

/** The caller of a route that asks for one. */
export function callerOfRoute(c: AdminContext): Caller {
  const caller = c.get('caller');
  if (caller === undefined) throw new GatewayError('unauthenticated');
  return caller;
}

async function callerOf(context: AccessContext, c: AdminContext): Promise<Caller | undefined> {
  const { localActor, remoteAddress, requestId } = c.env;
  if (localActor !== undefined) return { actor: { requestId, ...localActor }, scope: 'admin' };
  const bearer = bearerTokenOf(c.req.raw.headers);
  if (bearer !== undefined) {
    // Whoever sends a token means it: a bad one never falls back to a cookie.
    const token = await findToken(context, bearer);
    return token && { actor: { kind: 'token', id: token.id, label: token.name, remoteAddress, requestId }, scope: token.scope };
  }
  const cookie = sessionTokenOf(c.req.header('cookie'));
  const session = cookie === undefined ? undefined : await findSession(context, cookie);
  return (
    session && { actor: { kind: 'admin', id: session.adminId, label: session.email, remoteAddress, requestId }, scope: 'admin', session }
  );
}

/**
 * Whether the caller of a request that goes on and on could still begin it: sessions end, tokens are revoked. Does not count
 * as a use of either.
 */
export async function isStillAuthorised(context: AccessContext, c: AdminContext): Promise<boolean> {
  const { actor, session } = callerOfRoute(c);
  if (session !== undefined) return isSessionOpen(context, session.idHash);
  return actor.kind !== 'token' || isTokenGood(context, actor.id as ApiTokenId);
}

function accessProblem(access: Access, c: AdminContext): GatewayError | undefined {
  const caller = c.get('caller');
  if (access === 'public') return undefined;
  if (access === 'scrape') {
    // Whoever sends a token means it.
    const isOpen = c.env.isDirectLoopback === true && caller === undefined && bearerTokenOf(c.req.raw.headers) === undefined;
    return isOpen ? undefined : accessProblem('read', c);
  }
  if (caller === undefined) return new GatewayError('unauthenticated');
  if (access === 'session') {
    return caller.session === undefined ? new GatewayError('forbidden', { detail: 'Only a signed-in admin can do this.' }) : undefined;
  }
  if (tokenScopes.indexOf(caller.scope) >= tokenScopes.indexOf(access)) return undefined;
  return new GatewayError('forbidden', { detail: `This needs a token of scope ${access}; this one has scope ${caller.scope}.` });
}
