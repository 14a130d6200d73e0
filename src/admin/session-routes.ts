import { z } from 'zod';
import type { AccessContext } from '../control/access-context.ts';
import { endSession, getSession, listSessions, signIn, signOut, type Origin, type SignedIn } from '../control/sessions.ts';
import { signInSchema } from '../model/admin.ts';
import { timestampSchema } from '../model/field-schemas.ts';
import { sessionSchema } from '../model/session.ts';
import { tokenScopes } from '../model/api-token.ts';
import type { AdminContext } from './admin-env.ts';
import { AdminRouter } from './admin-router.ts';
import { callerOfRoute } from './authorise.ts';
import { goneAnswer, idParams, jsonAnswer, jsonBody, pageAnswer } from './describe-route.ts';
import { listQueryOf, readQuery, sessionsQuerySchema } from './list-query.ts';
import { readJson } from './read-json.ts';
import { gone } from './respond.ts';
import { clearedSessionCookie, sessionCookie } from './session-cookie.ts';

const tags = ['sessions'];
const params = idParams('Id of the session.');

const signedInSchema = z
  .strictObject({
    admin_id: z.string(),
    email: z.string(),
    expires_at: timestampSchema.meta({ description: 'When the session ends at the latest; without requests it ends after 30 minutes.' }),
  })
  .meta({ id: 'SignedIn', description: 'Who has signed in.' });

const meSchema = z
  .strictObject({
    kind: z.enum(['admin', 'token', 'cli', 'system']),
    id: z.string().meta({ description: 'Admin or token id; empty for the CLI.' }),
    label: z.string().meta({ description: 'E-mail address or token name.' }),
    scope: z.enum(tokenScopes),
    expires_at: timestampSchema.nullable().meta({ description: 'When the session ends at the latest; null without a session.' }),
  })
  .meta({ id: 'Me', description: 'Who asks.' });

/** `/admin/login`, `/admin/logout`, `/admin/me`, `/admin/sessions` */
export function sessionRoutes(context: AccessContext) {
  return new AdminRouter()
    .add(
      {
        method: 'post',
        path: '/admin/login',
        operationId: 'signIn',
        summary: 'Sign in',
        description:
          'Sets the cookie `session`. Failures slow down further attempts for the account and for the address: 429 with Retry-After.',
        tags,
        access: 'public',
        request: { body: jsonBody(signInSchema) },
        responses: { 200: jsonAnswer(signedInSchema, 'Signed in; the cookie is set.') },
      },
      async (c) => {
        const { token, signedIn } = await signIn(context, await readJson(c), originOf(c));
        c.header('Set-Cookie', sessionCookie(token, c.env.scheme));
        return c.json(signedInOf(signedIn), 200);
      },
    )
    .add(
      {
        method: 'post',
        path: '/admin/logout',
        operationId: 'signOut',
        summary: 'Sign out',
        description: 'Ends the session, in the gateway and in the browser.',
        tags,
        access: 'session',
        responses: { 204: goneAnswer },
      },
      async (c) => {
        const { actor, session } = callerOfRoute(c);
        if (session !== undefined) await signOut(context, actor, session);
        c.header('Set-Cookie', clearedSessionCookie(c.env.scheme));
        return gone(c);
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/me',
        operationId: 'getMe',
        summary: 'Who am I',
        tags,
        access: 'read',
        responses: { 200: jsonAnswer(meSchema, 'Who asks, and with what scope.') },
      },
      (c) => {
        const { actor, scope, session } = callerOfRoute(c);
        const expiresAt = session === undefined ? null : new Date(session.expiresAt).toISOString();
        return c.json({ kind: actor.kind, id: actor.id, label: actor.label, scope, expires_at: expiresAt }, 200);
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/sessions',
        operationId: 'listSessions',
        summary: 'List sessions',
        description: "The own sessions, or everybody's with `all=true`; tokens and the CLI have none of their own and see all.",
        tags,
        access: 'admin',
        request: { query: sessionsQuerySchema },
        responses: { 200: pageAnswer(sessionSchema) },
      },
      async (c) => {
        const { all, ...query } = readQuery(c, sessionsQuerySchema);
        const { session } = callerOfRoute(c);
        const scope = session === undefined || all === 'true' ? { current: session } : { adminId: session.adminId, current: session };
        return c.json(await listSessions(context, listQueryOf(query), scope), 200);
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/sessions/{id}',
        operationId: 'getSession',
        summary: 'Get a session',
        tags,
        access: 'admin',
        request: { params },
        responses: { 200: jsonAnswer(sessionSchema, 'The session.') },
      },
      async (c) => c.json(await getSession(context, c.req.param('id'), { current: callerOfRoute(c).session }), 200),
    )
    .add(
      {
        method: 'delete',
        path: '/admin/sessions/{id}',
        operationId: 'endSession',
        summary: 'End a session',
        description: 'Whoever used it has to sign in again.',
        tags,
        access: 'admin',
        request: { params },
        responses: { 204: goneAnswer },
      },
      async (c) => {
        await endSession(context, callerOfRoute(c).actor, c.req.param('id'));
        return gone(c);
      },
    );
}

/** Where a sign-in comes from, for throttle, audit and the list of sessions. */
export function originOf(c: AdminContext): Origin {
  return { remoteAddress: c.env.remoteAddress, userAgent: c.req.header('user-agent') ?? '', requestId: c.env.requestId };
}

function signedInOf(signedIn: SignedIn): z.output<typeof signedInSchema> {
  return { admin_id: signedIn.adminId, email: signedIn.email, expires_at: new Date(signedIn.expiresAt).toISOString() };
}
