import { z } from 'zod';
import type { ControlContext } from '../control/control-context.ts';
import { listEvents } from '../control/list-events.ts';
import type { LiveTraffic } from '../control/live-traffic.ts';
import { getUpstream } from '../control/upstreams.ts';
import { upstreamHealth } from '../control/upstream-health.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { eventKinds, timelineEventSchema } from '../model/timeline.ts';
import { upstreamHealthSchema } from '../model/upstream-health.ts';
import { AdminRouter } from './admin-router.ts';
import { idParams, jsonAnswer, pageAnswer } from './describe-route.ts';
import { listQueryOf, listQuerySchema, readQuery } from './list-query.ts';

const tags = ['traffic'];
const allHealthSchema = z
  .strictObject({
    data: z.array(upstreamHealthSchema),
    total: z.int(),
  })
  .meta({ id: 'UpstreamsHealth' });
const eventsQuerySchema = listQuerySchema.omit({ q: true }).extend({
  upstream: z.string().max(2_048).optional().meta({ description: 'Id or name of an upstream: only what happened to it.' }),
  kind: z
    .enum(eventKinds, `must be one of ${eventKinds.join(', ')}`)
    .optional()
    .meta({ description: 'Only changes of health, or only those of the gateway config.' }),
});

/** `/admin/health`, `/admin/upstreams/{id}/health` and `/admin/events` */
export function healthRoutes(control: ControlContext, traffic: LiveTraffic) {
  const { health } = traffic;
  return new AdminRouter()
    .add(
      {
        method: 'get',
        path: '/admin/health',
        operationId: 'listUpstreamHealth',
        summary: 'How all upstreams do',
        description: 'As their own traffic tells, since the gateway started; in order of name.',
        tags,
        access: 'read',
        responses: { 200: jsonAnswer(allHealthSchema, 'The health of each upstream.') },
      },
      (c) => {
        const data = health.traffic().map(upstreamHealth);
        return c.json({ data: data.toSorted((a, b) => (a.upstream < b.upstream ? -1 : 1)), total: data.length }, 200);
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/upstreams/{id}/health',
        operationId: 'getUpstreamHealth',
        summary: 'How an upstream does',
        tags,
        access: 'read',
        request: { params: idParams('Id or name of the upstream.') },
        responses: { 200: jsonAnswer(upstreamHealthSchema, 'Its health.') },
      },
      async (c) => {
        const { id } = await getUpstream(control, c.req.param('id'));
        const found = health.traffic().find((each) => each.id === id);
        if (found === undefined)
          throw new GatewayError('publish_failed', { detail: 'The workers do not know this upstream yet; try again.' });
        return c.json(upstreamHealth(found), 200);
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/events',
        operationId: 'listEvents',
        summary: 'List what happened',
        description:
          "Changes of upstreams' health (the last 500 since the gateway started) and of the gateway config (the revisions that are kept), newest first.",
        tags,
        access: 'read',
        request: { query: eventsQuerySchema },
        responses: { 200: pageAnswer(timelineEventSchema) },
      },
      async (c) => {
        const { upstream, kind, ...page } = readQuery(c, eventsQuerySchema);
        const of = upstream === undefined ? {} : { upstreamId: (await getUpstream(control, upstream)).id };
        return c.json(await listEvents(control, health, { ...listQueryOf(page), ...(kind === undefined ? {} : { kind }), ...of }), 200);
      },
    );
}
