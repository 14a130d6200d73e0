import { z } from 'zod';
import type { AccessContext } from '../control/access-context.ts';
import type { ControlContext } from '../control/control-context.ts';
import type { LiveTraffic } from '../control/live-traffic.ts';
import { resolveRequestFilter, type RequestFilterInput } from '../control/resolve-request-filter.ts';
import { ResourceNames } from '../control/resource-names.ts';
import { errorCatalogue } from '../errors/catalogue.ts';
import { finishedRequestSchema, requestOutcomes } from '../model/finished-request.ts';
import { AdminRouter } from './admin-router.ts';
import { isStillAuthorised } from './authorise.ts';
import { idParams, jsonAnswer, pageAnswer } from './describe-route.ts';
import { listQuerySchema, readQuery } from './list-query.ts';
import { requestStream } from './request-stream.ts';

const tags = ['traffic'];
const flag = z.enum(['true', 'false'], 'must be true or false').meta({ type: 'boolean' });
const text = (description: string) =>
  z.string().min(1, 'must not be empty').max(2_048, 'must have at most 2048 characters').optional().meta({ description });

const filterShape = {
  status: z
    .string()
    .regex(/^(?:[1-5]xx|[1-5]\d\d|none)$/, 'must be a status such as 404, a class such as 5xx, or none')
    .optional()
    .meta({ description: 'A status, a class of them as in `5xx`, or `none`: ended without a response.' }),
  outcome: z
    .enum(requestOutcomes, `must be one of ${requestOutcomes.join(', ')}`)
    .optional()
    .meta({ description: 'How it ended.' }),
  code: z
    .string()
    .refine((code) => Object.hasOwn(errorCatalogue, code), 'is not a code of an error')
    .optional()
    .meta({ description: "Code of the gateway's own error." }),
  failed: flag.optional().meta({ description: 'Only those that somebody other than the client has to act on, or only the others.' }),
  method: z
    .string()
    .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/, 'must be a method')
    .optional()
    .meta({ description: 'The method.' }),
  host: text('The host, without a port.'),
  path: z
    .string()
    .regex(/^\//, 'must begin with /')
    .max(2_048, 'must have at most 2048 characters')
    .optional()
    .meta({ description: 'What the path begins with.' }),
  route: text('Id or name of the route.'),
  upstream: text('Id or name of the upstream.'),
  key: text('Id or name of the API key; `anonymous` for none.'),
  since: z.iso
    .datetime({ offset: true, error: 'must be a time such as 2027-01-31T00:00:00Z' })
    .optional()
    .meta({ description: 'Only those that began at this time or later.' }),
  own: flag.optional().meta({ description: "Also requests to the gateway's own paths, such as `/admin` and probes." }),
};

const streamQuerySchema = z.strictObject(filterShape);
const requestsQuerySchema = listQuerySchema.omit({ q: true }).extend(filterShape);

/** `/admin/requests`: the requests that ended last, and those that end now. */
export function requestRoutes(control: ControlContext, access: AccessContext, traffic: LiveTraffic) {
  const { requests } = traffic;
  const names = new ResourceNames(control);
  return new AdminRouter()
    .add(
      {
        method: 'get',
        path: '/admin/requests',
        operationId: 'listRequests',
        summary: 'List the requests that ended last',
        description:
          'Newest first, from memory: the last 5,000, and besides them the last 500 that failed and the last 500 that were refused by the fault of their clients.',
        tags,
        access: 'read',
        request: { query: requestsQuerySchema },
        responses: { 200: pageAnswer(finishedRequestSchema) },
      },
      async (c) => {
        const { limit, cursor, ...words } = readQuery(c, requestsQuerySchema);
        const filter = await resolveRequestFilter(control, filterOf(words));
        const page = requests.list(filter, {
          ...(limit === undefined ? {} : { limit: Number(limit) }),
          ...(cursor === undefined ? {} : { cursor }),
        });
        return c.json({ ...page, data: await names.addTo(page.data) }, 200);
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/requests/stream',
        operationId: 'streamRequests',
        summary: 'Follow requests as they end',
        description:
          'Server-Sent Events: `request` (its data is a FinishedRequest), `dropped` (`count`, `where`) and `end` (`reason`). `Last-Event-ID` brings what was missed. At most 20 clients at once; else 429.',
        tags,
        access: 'read',
        request: { query: streamQuerySchema },
        responses: {
          200: { description: 'Events, until one side ends.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
        },
      },
      async (c) => {
        const filter = await resolveRequestFilter(control, filterOf(readQuery(c, streamQuerySchema)));
        const stream = requestStream({
          requests,
          filter,
          lastEventId: c.req.header('last-event-id'),
          textsOf: (lines) => names.textsOf(lines),
          isAllowed: () => isStillAuthorised(access, c),
          recordsDropped: traffic.recordsDropped,
        });
        return c.body(stream, 200, { 'Content-Type': 'text/event-stream' });
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/requests/{id}',
        operationId: 'getRequest',
        summary: 'Get a request that ended lately',
        tags,
        access: 'read',
        request: { params: idParams('The request id, as in `X-Request-Id`.') },
        responses: { 200: jsonAnswer(finishedRequestSchema, 'What happened to it.') },
      },
      async (c) => {
        const [request] = await names.addTo([requests.find(c.req.param('id'))]);
        return c.json(request!, 200);
      },
    );
}

function filterOf(words: z.output<typeof streamQuerySchema>): RequestFilterInput {
  const { failed, own, since, ...rest } = words;
  return {
    ...(Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as RequestFilterInput),
    ...(failed === undefined ? {} : { failed: failed === 'true' }),
    ...(own === undefined ? {} : { own: own === 'true' }),
    ...(since === undefined ? {} : { since: Date.parse(since) }),
  };
}
