import { z } from 'zod';
import type { AccessContext } from '../control/access-context.ts';
import type { ControlContext } from '../control/control-context.ts';
import type { LiveTraffic } from '../control/live-traffic.ts';
import { getUpstream } from '../control/upstreams.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { trafficSchema, trafficWindows, upstreamTrafficSchema } from '../model/traffic.ts';
import { AdminRouter } from './admin-router.ts';
import { isStillAuthorised } from './authorise.ts';
import { idParams, jsonAnswer } from './describe-route.ts';
import { readQuery } from './list-query.ts';
import { liveStream } from './live-stream.ts';

const tags = ['traffic'];
const windowQuerySchema = z.strictObject({
  window: z
    .enum(trafficWindows, `must be one of ${trafficWindows.join(', ')}`)
    .optional()
    .meta({ description: 'How far back (5m).' }),
});

/** `/admin/traffic`, `/admin/upstreams/{id}/traffic` and `/admin/live` */
export function trafficRoutes(control: ControlContext, access: AccessContext, traffic: LiveTraffic) {
  const { health, history, feed } = traffic;
  return new AdminRouter()
    .add(
      {
        method: 'get',
        path: '/admin/traffic',
        operationId: 'getTraffic',
        summary: 'All traffic of late',
        description: 'In all and for each upstream, in 30 cells; kept in memory for six hours.',
        tags,
        access: 'read',
        request: { query: windowQuerySchema },
        responses: { 200: jsonAnswer(trafficSchema, 'Requests, errors, latencies and gauges.') },
      },
      (c) => c.json(history.traffic(readQuery(c, windowQuerySchema).window ?? '5m'), 200),
    )
    .add(
      {
        method: 'get',
        path: '/admin/upstreams/{id}/traffic',
        operationId: 'getUpstreamTraffic',
        summary: 'The traffic of an upstream of late',
        description: 'In cells of 10 s for `5m` and `15m`, of 1 min for `1h`, of 6 min for `6h`.',
        tags,
        access: 'read',
        request: { params: idParams('Id or name of the upstream.'), query: windowQuerySchema },
        responses: { 200: jsonAnswer(upstreamTrafficSchema, 'Requests, errors by code, latencies and gauges.') },
      },
      async (c) => {
        const { window = '5m' } = readQuery(c, windowQuerySchema);
        const { id } = await getUpstream(control, c.req.param('id'));
        const found = health.traffic().find((each) => each.id === id);
        if (found === undefined)
          throw new GatewayError('publish_failed', { detail: 'The workers do not know this upstream yet; try again.' });
        return c.json(history.upstream(found, window), 200);
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/live',
        operationId: 'streamLive',
        summary: 'Follow what goes on',
        description:
          'Server-Sent Events: `revision` (`{"revision": 7}`: every worker serves it; the present one comes first), `health` (its data is a HealthEvent), `traffic` (every two seconds, a LiveTraffic) and `end` (`reason`). Whoever reads too slowly is cut off. At most 20 clients at once; else 429.',
        tags,
        access: 'read',
        responses: {
          200: { description: 'Events, until one side ends.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
        },
      },
      (c) => c.body(liveStream({ feed, isAllowed: () => isStillAuthorised(access, c) }), 200, { 'Content-Type': 'text/event-stream' }),
    );
}
