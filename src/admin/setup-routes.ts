import { z } from 'zod';
import type { AccessContext } from '../control/access-context.ts';
import { adminEtag } from '../control/admins.ts';
import { setUp, setupRequired } from '../control/setup.ts';
import { adminSchema, setUpSchema } from '../model/admin.ts';
import { AdminRouter } from './admin-router.ts';
import { createdAnswer, jsonAnswer, jsonBody } from './describe-route.ts';
import { readJson } from './read-json.ts';
import { created } from './respond.ts';
import { sessionCookie } from './session-cookie.ts';
import { originOf } from './session-routes.ts';

const tags = ['set-up'];

const setUpStateSchema = z
  .strictObject({ required: z.boolean().meta({ description: 'True until there is a first admin.' }) })
  .meta({ id: 'SetUpState' });

/** `/admin/setup` */
export function setupRoutes(context: AccessContext) {
  return new AdminRouter()
    .add(
      {
        method: 'get',
        path: '/admin/setup',
        operationId: 'getSetUpState',
        summary: 'Is there an admin yet',
        tags,
        access: 'public',
        responses: { 200: jsonAnswer(setUpStateSchema, 'Whether set-up is still to be done.') },
      },
      async (c) => c.json({ required: await setupRequired(context) }, 200),
    )
    .add(
      {
        method: 'post',
        path: '/admin/setup',
        operationId: 'setUp',
        summary: 'Make the first admin',
        description:
          'With the one-time code that the gateway printed at start. It works once and signs the new admin in; later it answers 409.',
        tags,
        access: 'public',
        request: { body: jsonBody(setUpSchema) },
        responses: { 201: createdAnswer(adminSchema) },
      },
      async (c) => {
        const { admin, session } = await setUp(context, await readJson(c), originOf(c));
        c.header('Set-Cookie', sessionCookie(session.token, c.env.scheme));
        return created(c, `/admin/admins/${admin.id}`, admin, adminEtag(admin));
      },
    );
}
