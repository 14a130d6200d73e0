import type { ControlContext } from '../control/control-context.ts';
import { etagOf } from '../control/etag.ts';
import { listRouteOrder, type RouteOrderQuery } from '../control/list-route-order.ts';
import { previewRoute } from '../control/preview-route.ts';
import { createRoute, deleteRoute, getRoute, listRoutes, updateRoute } from '../control/routes.ts';
import { createRouteSchema, updateRouteSchema, routeSchema } from '../model/route-schema.ts';
import { placedRouteSchema } from '../model/route-order.ts';
import { previewRouteSchema, routePreviewSchema } from '../model/route-preview-schema.ts';
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
  pageAnswer,
  problemAnswer,
} from './describe-route.ts';
import { changeOptions } from './change-options.ts';
import { listQueryOf, readListQuery, readQuery, routeOrderQuerySchema, switchableListQuerySchema } from './list-query.ts';
import { readJson } from './read-json.ts';
import { created, gone, one } from './respond.ts';

const tags = ['routes'];
const params = idParams('Id or name of the route.');

/** `/admin/routes` */
export function routeRoutes(control: ControlContext) {
  const update = async (c: AdminContext<'/admin/routes/:id'>): Promise<Response> => {
    const { value, ...notes } = await updateRoute(control, callerOfRoute(c).actor, c.req.param('id'), await readJson(c), changeOptions(c));
    return one(c, value, etagOf(value), notes);
  };
  const updateDescription = {
    path: '/admin/routes/{id}',
    tags,
    access: 'write',
    description: 'Changes just the fields given; null means the default. A field left out keeps its value.',
    request: { params, headers: ifMatchHeaders, body: jsonBody(updateRouteSchema) },
    responses: { 200: oneAnswer(routeSchema) },
  } as const;

  return new AdminRouter()
    .add(
      {
        method: 'get',
        path: '/admin/routes',
        operationId: 'listRoutes',
        summary: 'List routes',
        tags,
        access: 'read',
        request: { query: switchableListQuerySchema },
        responses: { 200: pageAnswer(routeSchema) },
      },
      async (c) => c.json(await listRoutes(control, readListQuery(c, switchableListQuerySchema)), 200),
    )
    .add(
      {
        method: 'get',
        path: '/admin/route-order',
        operationId: 'listRouteOrder',
        summary: 'List routes in the order of matching',
        description:
          'Of several routes that fit a request the first in this list takes it. Also tells which routes never get one, and because of which.',
        tags,
        access: 'read',
        request: { query: routeOrderQuerySchema },
        responses: { 200: pageAnswer(placedRouteSchema) },
      },
      async (c) => {
        const { auth_required: auth, protocol, upstream, warned, ...rest } = readQuery(c, routeOrderQuerySchema);
        const query: RouteOrderQuery = {
          ...listQueryOf(rest),
          ...(auth === undefined ? {} : { auth_required: auth === 'true' }),
          ...(protocol === undefined ? {} : { protocol }),
          ...(upstream === undefined ? {} : { upstream }),
          ...(warned === undefined ? {} : { warned: warned === 'true' }),
        };
        return c.json(await listRouteOrder(control, query), 200);
      },
    )
    .add(
      {
        method: 'post',
        path: '/admin/routes',
        operationId: 'createRoute',
        summary: 'Create a route',
        tags,
        access: 'write',
        request: { body: jsonBody(createRouteSchema) },
        responses: { 201: createdAnswer(routeSchema) },
      },
      async (c) => {
        const { value, ...notes } = await createRoute(control, callerOfRoute(c).actor, await readJson(c));
        return created(c, `/admin/routes/${value.id}`, value, etagOf(value), notes);
      },
    )
    .add(
      {
        method: 'post',
        path: '/admin/routes/preview',
        operationId: 'previewRoute',
        summary: 'Try a route with a sample',
        description:
          'What a stored route, or a draft, makes of a sample request and response: which route wins, every step, and the exact messages. Nothing is stored or sent.',
        tags,
        access: 'read',
        request: { body: jsonBody(previewRouteSchema) },
        responses: {
          200: jsonAnswer(routePreviewSchema, 'What would happen.'),
          429: problemAnswer('Too many drafts wait to be looked at; see Retry-After.'),
        },
      },
      async (c) => c.json(await previewRoute(control, await readJson(c)), 200),
    )
    .add(
      {
        method: 'get',
        path: '/admin/routes/{id}',
        operationId: 'getRoute',
        summary: 'Get a route',
        tags,
        access: 'read',
        request: { params },
        responses: { 200: oneAnswer(routeSchema) },
      },
      async (c) => {
        const route = await getRoute(control, c.req.param('id'));
        return one(c, route, etagOf(route));
      },
    )
    .add({ ...updateDescription, method: 'put', operationId: 'putRoute', summary: 'Change a route' }, update)
    .add({ ...updateDescription, method: 'patch', operationId: 'patchRoute', summary: 'Change a route' }, update)
    .add(
      {
        method: 'delete',
        path: '/admin/routes/{id}',
        operationId: 'deleteRoute',
        summary: 'Delete a route',
        tags,
        access: 'write',
        request: { params, headers: ifMatchHeaders },
        responses: { 204: goneAnswer },
      },
      async (c) => {
        const { value: _, ...notes } = await deleteRoute(control, callerOfRoute(c).actor, c.req.param('id'), changeOptions(c));
        return gone(c, notes);
      },
    );
}
