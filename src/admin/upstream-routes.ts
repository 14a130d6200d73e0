import type { ControlContext } from '../control/control-context.ts';
import { etagOf } from '../control/etag.ts';
import { testDraftSchema, testSavedSchema, testSavedUpstream, testUpstreamDraft } from '../control/test-upstream.ts';
import { createUpstream, deleteUpstream, getUpstream, listUpstreams, updateUpstream } from '../control/upstreams.ts';
import { createUpstreamSchema, updateUpstreamSchema, upstreamSchema } from '../model/upstream-schema.ts';
import { upstreamTestSchema } from '../model/upstream-test.ts';
import type { AdminContext } from './admin-env.ts';
import { AdminRouter } from './admin-router.ts';
import { callerOfRoute } from './authorise.ts';
import {
  createdAnswer,
  goneAnswer,
  idParams,
  ifMatchHeaders,
  jsonAnswer,
  jsonBody,
  oneAnswer,
  optionalJsonBody,
  pageAnswer,
  problemAnswer,
} from './describe-route.ts';
import { changeOptions } from './change-options.ts';
import { deleteQuerySchema, readListQuery, readQuery, switchableListQuerySchema } from './list-query.ts';
import { readJson, readOptionalJson } from './read-json.ts';
import { created, gone, one } from './respond.ts';

const tags = ['upstreams'];
const params = idParams('Id or name of the upstream.');

/** `/admin/upstreams` */
export function upstreamRoutes(control: ControlContext) {
  const update = async (c: AdminContext<'/admin/upstreams/:id'>): Promise<Response> => {
    const { value, ...notes } = await updateUpstream(
      control,
      callerOfRoute(c).actor,
      c.req.param('id'),
      await readJson(c),
      changeOptions(c),
    );
    return one(c, value, etagOf(value), notes);
  };
  const updateDescription = {
    path: '/admin/upstreams/{id}',
    tags,
    access: 'write',
    description: 'Changes just the fields given; null means the default. A field left out keeps its value, `auth_value` too.',
    request: { params, headers: ifMatchHeaders, body: jsonBody(updateUpstreamSchema) },
    responses: { 200: oneAnswer(upstreamSchema) },
  } as const;

  const testAnswers = {
    200: jsonAnswer(upstreamTestSchema, 'What was found, also where nothing answers.'),
    429: problemAnswer('Too many tests are running; see Retry-After.'),
  } as const;

  return new AdminRouter()
    .add(
      {
        method: 'post',
        path: '/admin/upstreams/test',
        operationId: 'testUpstreamDraft',
        summary: 'Test an upstream that is not saved',
        description: 'Sends one request to it as the gateway would, and tells step by step how that went. Nothing is stored.',
        tags,
        access: 'write',
        request: { body: jsonBody(testDraftSchema) },
        responses: testAnswers,
      },
      async (c) => c.json(await testUpstreamDraft(control, await readJson(c)), 200),
    )
    .add(
      {
        method: 'post',
        path: '/admin/upstreams/{id}/test',
        operationId: 'testUpstream',
        summary: 'Test an upstream',
        description:
          'As it is saved, or with the changes in `upstream`, which are not stored. The stored credential is used with them only where saving them would keep it.',
        tags,
        access: 'write',
        request: { params, body: optionalJsonBody(testSavedSchema) },
        responses: testAnswers,
      },
      async (c) => c.json(await testSavedUpstream(control, c.req.param('id'), await readOptionalJson(c)), 200),
    )
    .add(
      {
        method: 'get',
        path: '/admin/upstreams',
        operationId: 'listUpstreams',
        summary: 'List upstreams',
        tags,
        access: 'read',
        request: { query: switchableListQuerySchema },
        responses: { 200: pageAnswer(upstreamSchema) },
      },
      async (c) => c.json(await listUpstreams(control, readListQuery(c, switchableListQuerySchema)), 200),
    )
    .add(
      {
        method: 'post',
        path: '/admin/upstreams',
        operationId: 'createUpstream',
        summary: 'Create an upstream',
        tags,
        access: 'write',
        request: { body: jsonBody(createUpstreamSchema) },
        responses: { 201: createdAnswer(upstreamSchema) },
      },
      async (c) => {
        const { value, ...notes } = await createUpstream(control, callerOfRoute(c).actor, await readJson(c));
        return created(c, `/admin/upstreams/${value.id}`, value, etagOf(value), notes);
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/upstreams/{id}',
        operationId: 'getUpstream',
        summary: 'Get an upstream',
        tags,
        access: 'read',
        request: { params },
        responses: { 200: oneAnswer(upstreamSchema) },
      },
      async (c) => {
        const upstream = await getUpstream(control, c.req.param('id'));
        return one(c, upstream, etagOf(upstream));
      },
    )
    .add({ ...updateDescription, method: 'put', operationId: 'putUpstream', summary: 'Change an upstream' }, update)
    .add({ ...updateDescription, method: 'patch', operationId: 'patchUpstream', summary: 'Change an upstream' }, update)
    .add(
      {
        method: 'delete',
        path: '/admin/upstreams/{id}',
        operationId: 'deleteUpstream',
        summary: 'Delete an upstream',
        description: 'Refused with 409 while routes use it, unless `cascade` is true.',
        tags,
        access: 'write',
        request: { params, headers: ifMatchHeaders, query: deleteQuerySchema },
        responses: { 204: goneAnswer },
      },
      async (c) => {
        const { cascade } = readQuery(c, deleteQuerySchema);
        const options = { ...changeOptions(c), cascade: cascade === 'true' };
        const { value: _, ...notes } = await deleteUpstream(control, callerOfRoute(c).actor, c.req.param('id'), options);
        return gone(c, notes);
      },
    );
}
