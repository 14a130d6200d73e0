import { metricsMediaType } from '../telemetry/metrics-text.ts';
import { AdminRouter } from './admin-router.ts';

/** `/metrics` in the Prometheus text format. `metrics` makes the text at each request; undefined where no gateway runs in this process. */
export function metricsRoutes(metrics: (() => Promise<string>) | undefined) {
  const router = new AdminRouter();
  if (metrics === undefined) return router;
  return router.add(
    {
      method: 'get',
      path: '/metrics',
      operationId: 'getMetrics',
      summary: 'Metrics of the gateway',
      tags: ['traffic'],
      access: 'scrape',
      responses: { 200: { description: 'Prometheus text format 0.0.4.', content: { 'text/plain': { schema: { type: 'string' } } } } },
    },
    async (c) => c.text(await metrics(), 200, { 'Content-Type': metricsMediaType }),
  );
}
