import type { AccessContext } from '../control/access-context.ts';
import { adminEtag, createAdmin, deleteAdmin, getAdmin, listAdmins, updateAdmin } from '../control/admins.ts';
import { adminSchema, createAdminSchema, updateAdminSchema } from '../model/admin.ts';
import type { AdminContext } from './admin-env.ts';
import { AdminRouter } from './admin-router.ts';
import { callerOfRoute } from './authorise.ts';
import { changeOptions } from './change-options.ts';
import { createdAnswer, goneAnswer, idParams, ifMatchHeaders, jsonBody, oneAnswer, pageAnswer } from './describe-route.ts';
import { listQuerySchema, readListQuery } from './list-query.ts';
import { readJson } from './read-json.ts';
import { created, gone, one } from './respond.ts';

const tags = ['admins'];
const params = idParams('Id or e-mail address of the admin.');

/** `/admin/admins` */
export function adminRoutes(context: AccessContext) {
  const update = async (c: AdminContext<'/admin/admins/:id'>): Promise<Response> => {
    const { actor, session } = callerOfRoute(c);
    const options = { ...changeOptions(c), signedIn: session, remoteAddress: c.env.remoteAddress };
    const admin = await updateAdmin(context, actor, c.req.param('id'), await readJson(c), options);
    return one(c, admin, adminEtag(admin));
  };
  const updateDescription = {
    path: '/admin/admins/{id}',
    tags,
    access: 'admin',
    description:
      'Changes just the fields given. A new password ends the other sessions of that admin; for the own one give `current_password` too.',
    request: { params, headers: ifMatchHeaders, body: jsonBody(updateAdminSchema) },
    responses: { 200: oneAnswer(adminSchema) },
  } as const;

  return new AdminRouter()
    .add(
      {
        method: 'get',
        path: '/admin/admins',
        operationId: 'listAdmins',
        summary: 'List admins',
        tags,
        access: 'admin',
        request: { query: listQuerySchema },
        responses: { 200: pageAnswer(adminSchema) },
      },
      async (c) => c.json(await listAdmins(context, readListQuery(c, listQuerySchema)), 200),
    )
    .add(
      {
        method: 'post',
        path: '/admin/admins',
        operationId: 'createAdmin',
        summary: 'Create an admin',
        tags,
        access: 'admin',
        request: { body: jsonBody(createAdminSchema) },
        responses: { 201: createdAnswer(adminSchema) },
      },
      async (c) => {
        const admin = await createAdmin(context, callerOfRoute(c).actor, await readJson(c));
        return created(c, `/admin/admins/${admin.id}`, admin, adminEtag(admin));
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/admins/{id}',
        operationId: 'getAdmin',
        summary: 'Get an admin',
        tags,
        access: 'admin',
        request: { params },
        responses: { 200: oneAnswer(adminSchema) },
      },
      async (c) => {
        const admin = await getAdmin(context, c.req.param('id'));
        return one(c, admin, adminEtag(admin));
      },
    )
    .add({ ...updateDescription, method: 'put', operationId: 'putAdmin', summary: 'Change e-mail or password' }, update)
    .add({ ...updateDescription, method: 'patch', operationId: 'patchAdmin', summary: 'Change e-mail or password' }, update)
    .add(
      {
        method: 'delete',
        path: '/admin/admins/{id}',
        operationId: 'deleteAdmin',
        summary: 'Delete an admin',
        description: "The admin's sessions end. The last admin cannot be deleted: 409.",
        tags,
        access: 'admin',
        request: { params, headers: ifMatchHeaders },
        responses: { 204: goneAnswer },
      },
      async (c) => {
        await deleteAdmin(context, callerOfRoute(c).actor, c.req.param('id'), changeOptions(c));
        return gone(c);
      },
    );
}
