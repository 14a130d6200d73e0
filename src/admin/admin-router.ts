import { OpenAPIHono, type RouteConfig, type RouteConfigToTypedResponse } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { BlankSchema, Schema, ToSchema } from 'hono/types';
import { problemMediaType } from '../errors/problem.ts';
import { z } from 'zod';
import { validateInput } from '../control/validate-input.ts';
import type { Access, AdminContext, AdminEnv } from './admin-env.ts';
import { authorise } from './authorise.ts';
import { noQuerySchema, readQuery } from './list-query.ts';
import { problemSchema } from './problem-schema.ts';
import { bodyLimitAt, readJson } from './read-json.ts';

/** A route as OpenAPI describes it, with what it asks of its caller. `path` has parameters as `{id}`. */
export type AdminRoute = Omit<RouteConfig, 'security' | 'middleware' | 'hide'> & {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: string[];
  readonly access: Access;
};

/** A route's place in the access table. */
export interface AccessEntry {
  readonly method: string;
  /** With parameters as `:id`. */
  readonly path: string;
  readonly access: Access;
}

type RoutingPath<Path extends string> = Path extends `${infer Start}{${infer Name}}${infer Rest}`
  ? `${Start}:${Name}${RoutingPath<Rest>}`
  : Path;

type Part<Route, Name extends string, Target extends string> = Route extends { request: Record<Name, infer Schema extends z.ZodType> }
  ? { in: Record<Target, z.input<Schema>>; out: Record<Target, z.output<Schema>> }
  : unknown;

type Body<Route> = Route extends { request: { body: { content: { 'application/json': { schema: infer Schema extends z.ZodType } } } } }
  ? { in: { json: z.input<Schema> }; out: { json: z.output<Schema> } }
  : unknown;

type InputOf<Route> = object & Part<Route, 'params', 'param'> & Part<Route, 'query', 'query'> & Body<Route>;

type SchemaOf<Route extends AdminRoute> = ToSchema<
  Route['method'],
  RoutingPath<Route['path']>,
  InputOf<Route>,
  RouteConfigToTypedResponse<Route>
>;

/**
 * Collects admin routes: how to answer, what to ask of the caller, and how to describe it. A route cannot be added
 * without saying what it asks. Bodies are validated by the use cases and by nothing else, so the description's
 * schemas are the ones that the use cases validate with.
 */
export class AdminRouter<Routes extends Schema = BlankSchema> extends OpenAPIHono<AdminEnv, Routes> {
  readonly access: AccessEntry[] = [];

  add<const Route extends AdminRoute>(
    route: Route,
    handler: (c: AdminContext<RoutingPath<Route['path']>>) => Response | Promise<Response>,
  ): AdminRouter<Routes & SchemaOf<Route>> {
    const { access, ...described } = route;
    const path = routingPath(route.path);
    const method = route.method.toUpperCase();
    const description = {
      ...described,
      security: access === 'public' ? [] : access === 'session' ? [{ session: [] }] : [{ session: [] }, { token: [] }],
      responses: { ...described.responses, ...errorResponses(route) },
      description: [described.description, accessNote(access)].filter((text) => text !== undefined).join(' '),
    } as RouteConfig;
    this.openAPIRegistry.registerPath(description);
    this.access.push({ method, path, access });
    const refusals = [
      ...(route.request?.query === undefined ? [refuseQuery] : []),
      ...(method === 'POST' && route.request?.body === undefined ? [refuseBody] : []),
    ];
    this.on(method, path, authorise(access), ...refusals, handler);
    // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- tsc needs it: it is the same object with more types
    return this as unknown as AdminRouter<Routes & SchemaOf<Route>>;
  }

  /** Takes over another router's routes, with their place in the access table. */
  include<More extends Schema>(router: AdminRouter<More>): AdminRouter<Routes & More> {
    this.route('/', router);
    this.access.push(...router.access);
    // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- as above
    return this as unknown as AdminRouter<Routes & More>;
  }
}

/** A query parameter that nobody reads is a mistake of the caller's. */
const refuseQuery: MiddlewareHandler<AdminEnv> = async (c, next) => {
  readQuery(c, noQuerySchema);
  await next();
};

/** A `{"dry_run": true}` that nobody reads would be the very thing it asks not to do. Empty, it says nothing. */
const refuseBody: MiddlewareHandler<AdminEnv> = async (c, next) => {
  const hasBody = (c.req.header('content-length') ?? '0') !== '0' || c.req.header('transfer-encoding') !== undefined;
  if (hasBody) validateInput(noBodySchema, await readJson(c));
  await next();
};

const noBodySchema = z.strictObject({});

function routingPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

function accessNote(access: Access): string | undefined {
  if (access === 'public') return undefined;
  if (access === 'session') return 'Needs a session.';
  if (access === 'scrape') return 'Needs a session or an API token, but nothing from a program on the same machine.';
  return `Needs a session or an API token of scope ${access}${access === 'admin' ? '' : ' or more'}.`;
}

const errorTexts = {
  400: 'The request or its JSON is malformed.',
  401: 'Not signed in, or the token is unknown, expired or revoked.',
  403: 'Not allowed with this session or token, from this address, under this host name or from another site.',
  404: 'There is no such resource.',
  409: 'The change conflicts with what is stored.',
  412: 'The resource has changed since the If-Match ETag was read.',
  413: 'The body is too large.',
  415: 'The body is not application/json.',
  422: 'Fields or query parameters are not valid; all of them are named.',
  429: 'Too many failed attempts, or too many at once; see Retry-After.',
  500: 'An unexpected error; its cause is in the log.',
  503: 'The database cannot be used just now; nothing was changed.',
} as const;

function errorResponses(route: AdminRoute): Record<number, object> {
  const statuses = new Set<keyof typeof errorTexts>([403, 422, 500, 503]);
  if (route.access !== 'public') statuses.add(401);
  if (route.request?.params !== undefined) statuses.add(404);
  if (route.method !== 'get') for (const status of [400, 409, 413, 415] as const) statuses.add(status);
  if (route.method === 'put' || route.method === 'patch' || route.method === 'delete') statuses.add(412);
  if (route.method === 'post' && route.access === 'public') statuses.add(401).add(429);
  const texts = { ...errorTexts, 413: `The body is larger than ${bodyLimitAt(route.path) / 1024 / 1024} MiB.` };
  const content = { [problemMediaType]: { schema: problemSchema } };
  return Object.fromEntries([...statuses].toSorted((a, b) => a - b).map((status) => [status, { description: texts[status], content }]));
}
