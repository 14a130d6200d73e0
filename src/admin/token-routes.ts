import { z } from 'zod';
import type { AccessContext } from '../control/access-context.ts';
import { etagOf } from '../control/etag.ts';
import { createToken, deleteToken, getToken, listTokens, revokeToken, updateToken } from '../control/tokens.ts';
import { apiTokenSchema, createApiTokenSchema, updateApiTokenSchema } from '../model/api-token.ts';
import type { AdminContext } from './admin-env.ts';
import { AdminRouter } from './admin-router.ts';
import { callerOfRoute } from './authorise.ts';
import { changeOptions } from './change-options.ts';
import { createdAnswer, goneAnswer, idParams, ifMatchHeaders, jsonBody, oneAnswer, pageAnswer } from './describe-route.ts';
import { listQuerySchema, readListQuery } from './list-query.ts';
import { readJson } from './read-json.ts';
import { created, gone, one } from './respond.ts';

const tags = ['tokens'];
const params = idParams('Id or name of the API token.');

/** The new token, with the secret that is shown this once. */
const createdApiTokenSchema = apiTokenSchema
  .extend({ token: z.string().meta({ description: 'The token itself: shown now and never again.' }) })
  .meta({ id: 'ApiTokenCreated', description: 'A new API token with its secret.' });

/** `/admin/tokens` */
export function tokenRoutes(context: AccessContext) {
  const update = async (c: AdminContext<'/admin/tokens/:id'>): Promise<Response> => {
    const token = await updateToken(context, callerOfRoute(c).actor, c.req.param('id'), await readJson(c), changeOptions(c));
    return one(c, token, etagOf(token));
  };
  const updateDescription = {
    path: '/admin/tokens/{id}',
    tags,
    access: 'admin',
    description: 'Changes just the fields given; null means the default. A field left out keeps its value.',
    request: { params, headers: ifMatchHeaders, body: jsonBody(updateApiTokenSchema) },
    responses: { 200: oneAnswer(apiTokenSchema) },
  } as const;

  return new AdminRouter()
    .add(
      {
        method: 'get',
        path: '/admin/tokens',
        operationId: 'listApiTokens',
        summary: 'List API tokens',
        tags,
        access: 'admin',
        request: { query: listQuerySchema },
        responses: { 200: pageAnswer(apiTokenSchema) },
      },
      async (c) => c.json(await listTokens(context, readListQuery(c, listQuerySchema)), 200),
    )
    .add(
      {
        method: 'post',
        path: '/admin/tokens',
        operationId: 'createApiToken',
        summary: 'Create an API token',
        description: 'The answer has the token itself in `token`; it cannot be shown again.',
        tags,
        access: 'admin',
        request: { body: jsonBody(createApiTokenSchema) },
        responses: { 201: createdAnswer(createdApiTokenSchema) },
      },
      async (c) => {
        const { value, secret } = await createToken(context, callerOfRoute(c).actor, await readJson(c));
        return created(c, `/admin/tokens/${value.id}`, { ...value, token: secret }, etagOf(value));
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/tokens/{id}',
        operationId: 'getApiToken',
        summary: 'Get an API token',
        tags,
        access: 'admin',
        request: { params },
        responses: { 200: oneAnswer(apiTokenSchema) },
      },
      async (c) => {
        const token = await getToken(context, c.req.param('id'));
        return one(c, token, etagOf(token));
      },
    )
    .add({ ...updateDescription, method: 'put', operationId: 'putApiToken', summary: 'Change an API token' }, update)
    .add({ ...updateDescription, method: 'patch', operationId: 'patchApiToken', summary: 'Change an API token' }, update)
    .add(
      {
        method: 'post',
        path: '/admin/tokens/{id}/revoke',
        operationId: 'revokeApiToken',
        summary: 'Revoke an API token',
        description: 'The token stops working at once, for good; its row stays.',
        tags,
        access: 'admin',
        request: { params, headers: ifMatchHeaders },
        responses: { 200: oneAnswer(apiTokenSchema) },
      },
      async (c) => {
        const token = await revokeToken(context, callerOfRoute(c).actor, c.req.param('id'), changeOptions(c));
        return one(c, token, etagOf(token));
      },
    )
    .add(
      {
        method: 'delete',
        path: '/admin/tokens/{id}',
        operationId: 'deleteApiToken',
        summary: 'Delete an API token',
        description: 'The token stops working at once and its row is removed.',
        tags,
        access: 'admin',
        request: { params, headers: ifMatchHeaders },
        responses: { 204: goneAnswer },
      },
      async (c) => {
        await deleteToken(context, callerOfRoute(c).actor, c.req.param('id'), changeOptions(c));
        return gone(c);
      },
    );
}
