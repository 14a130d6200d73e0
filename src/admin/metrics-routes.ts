import { metricsMediaType } from '../telemetry/metrics-text.ts';
import { AdminRouter } from './admin-router.ts';

export interface MetricsSource {
  /** Makes the text, at each request. */
  readonly text: () => Promise<string>;
  /** Whether programs on the same machine need no token. */
  readonly openToLoopback: boolean;
}

/** `/metrics` in the Prometheus text format; undefined where no gateway runs in this process. */
export function metricsRoutes(metrics: MetricsSource | undefined) {
  const router = new AdminRouter();
  if (metrics === undefined) return router;
  return router.add(
    {
      method: 'get',
      path: '/metrics',
      operationId: 'getMetrics',
      summary: 'Metrics of the gateway',
      tags: ['traffic'],
      access: metrics.openToLoopback ? 'scrape' : 'read',
      responses: { 200: { description: 'Prometheus text format 0.0.4.', content: { 'text/plain': { schema: { type: 'string' } } } } },
    },
    async (c) => c.text(await metrics.text(), 200, { 'Content-Type': metricsMediaType }),
  );
}
