import { z } from 'zod';
import { createApiKey, deleteApiKey, getApiKey, listApiKeys, revokeApiKey, updateApiKey } from '../control/api-keys.ts';
import type { ControlContext } from '../control/control-context.ts';
import { etagOf } from '../control/etag.ts';
import { apiKeySchema, createApiKeySchema, updateApiKeySchema } from '../model/api-key-schema.ts';
import type { AdminContext } from './admin-env.ts';
import { AdminRouter } from './admin-router.ts';
import { callerOfRoute } from './authorise.ts';
import { changeOptions } from './change-options.ts';
import { createdAnswer, goneAnswer, idParams, ifMatchHeaders, jsonBody, oneAnswer, pageAnswer } from './describe-route.ts';
import { listQuerySchema, readListQuery } from './list-query.ts';
import { readJson } from './read-json.ts';
import { created, gone, one } from './respond.ts';

const tags = ['keys'];
const params = idParams('Id or name of the API key.');

/** The new key, with the secret that is shown this once. */
const createdApiKeySchema = apiKeySchema
  .extend({ key: z.string().meta({ description: 'The key itself: shown now and never again.' }) })
  .meta({ id: 'ApiKeyCreated', description: 'A new API key with its secret.' });

/** `/admin/keys` */
export function apiKeyRoutes(control: ControlContext) {
  const update = async (c: AdminContext<'/admin/keys/:id'>): Promise<Response> => {
    const { value, ...notes } = await updateApiKey(control, callerOfRoute(c).actor, c.req.param('id'), await readJson(c), changeOptions(c));
    return one(c, value, etagOf(value), notes);
  };
  const updateDescription = {
    path: '/admin/keys/{id}',
    tags,
    access: 'write',
    description: 'Changes just the fields given; null means the default. A field left out keeps its value.',
    request: { params, headers: ifMatchHeaders, body: jsonBody(updateApiKeySchema) },
    responses: { 200: oneAnswer(apiKeySchema) },
  } as const;

  return new AdminRouter()
    .add(
      {
        method: 'get',
        path: '/admin/keys',
        operationId: 'listApiKeys',
        summary: 'List API keys',
        tags,
        access: 'read',
        request: { query: listQuerySchema },
        responses: { 200: pageAnswer(apiKeySchema) },
      },
      async (c) => c.json(await listApiKeys(control, readListQuery(c, listQuerySchema)), 200),
    )
    .add(
      {
        method: 'post',
        path: '/admin/keys',
        operationId: 'createApiKey',
        summary: 'Create an API key',
        description: 'The answer has the key itself in `key`; it cannot be shown again.',
        tags,
        access: 'write',
        request: { body: jsonBody(createApiKeySchema) },
        responses: { 201: createdAnswer(createdApiKeySchema) },
      },
      async (c) => {
        const { value, secret, ...notes } = await createApiKey(control, callerOfRoute(c).actor, await readJson(c));
        return created(c, `/admin/keys/${value.id}`, { ...value, key: secret }, etagOf(value), notes);
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/keys/{id}',
        operationId: 'getApiKey',
        summary: 'Get an API key',
        tags,
        access: 'read',
        request: { params },
        responses: { 200: oneAnswer(apiKeySchema) },
      },
      async (c) => {
        const key = await getApiKey(control, c.req.param('id'));
        return one(c, key, etagOf(key));
      },
    )
    .add({ ...updateDescription, method: 'put', operationId: 'putApiKey', summary: 'Change an API key' }, update)
    .add({ ...updateDescription, method: 'patch', operationId: 'patchApiKey', summary: 'Change an API key' }, update)
    .add(
      {
        method: 'post',
        path: '/admin/keys/{id}/revoke',
        operationId: 'revokeApiKey',
        summary: 'Revoke an API key',
        description: 'The key stops working at once, for good; its row stays.',
        tags,
        access: 'write',
        request: { params, headers: ifMatchHeaders },
        responses: { 200: oneAnswer(apiKeySchema) },
      },
      async (c) => {
        const { value, ...notes } = await revokeApiKey(control, callerOfRoute(c).actor, c.req.param('id'), changeOptions(c));
        return one(c, value, etagOf(value), notes);
      },
    )
    .add(
      {
        method: 'delete',
        path: '/admin/keys/{id}',
        operationId: 'deleteApiKey',
        summary: 'Delete an API key',
        description: 'The key stops working at once and its row is removed.',
        tags,
        access: 'write',
        request: { params, headers: ifMatchHeaders },
        responses: { 204: goneAnswer },
      },
      async (c) => {
        const { value: _, ...notes } = await deleteApiKey(control, callerOfRoute(c).actor, c.req.param('id'), changeOptions(c));
        return gone(c, notes);
      },
    );
}
