import { z } from 'zod';
import { applyGatewayConfig } from '../control/apply-gateway-config.ts';
import type { ControlContext } from '../control/control-context.ts';
import type { LiveTraffic } from '../control/live-traffic.ts';
import { exportGatewayConfig } from '../control/export-gateway-config.ts';
import { WorkTurns } from '../control/work-turns.ts';
import { applyResultSchema, declaredConfigSchema, exportedConfigSchema } from '../model/declared-config.ts';
import { AdminRouter } from './admin-router.ts';
import { callerOfRoute } from './authorise.ts';
import { configAnswer, jsonBody, otherRevisionAnswer } from './describe-route.ts';
import { applyQuerySchema, readQuery } from './list-query.ts';
import { readJson } from './read-json.ts';
import { answerOfParts, longAnswer } from './respond.ts';

const tags = ['gateway config'];
/** Of the last requests, as many are looked at in a dry run. */
const judgedRequests = 1_000;

const json = configAnswer(exportedConfigSchema, 'The gateway config.');
const exportAnswer = { ...json, content: { ...json.content, 'application/yaml': { schema: z.string() } } } as const;

/** `/admin/export` and `/admin/apply` */
export function gatewayConfigRoutes(control: ControlContext, traffic: LiveTraffic | undefined) {
  // Each holds the whole gateway config in memory while it is worked on.
  const turns = new WorkTurns();
  return new AdminRouter()
    .add(
      {
        method: 'get',
        path: '/admin/export',
        operationId: 'exportGatewayConfig',
        summary: 'Export the gateway config',
        description:
          'Upstreams, routes and API keys in the form that apply takes; secrets are left out, references to them are not. As YAML, with a note where a secret is left out, for `Accept: application/yaml`.',
        tags,
        access: 'read',
        responses: { 200: exportAnswer },
      },
      async (c) => {
        c.header('Vary', 'Accept', { append: true });
        return await turns.take(async () => {
          const { value, ...notes } = await exportGatewayConfig(control);
          if (!/^application\/yaml\b/i.test(c.req.header('accept') ?? '')) return await longAnswer(c, value, notes);
          // Loaded when it is asked for: the parser is large.
          const { exportTextParts } = await import('../model/export-text.ts');
          return await answerOfParts(c, exportTextParts(value), 'application/yaml', notes);
        });
      },
    )
    .add(
      {
        method: 'post',
        path: '/admin/apply',
        operationId: 'applyGatewayConfig',
        summary: 'Apply a declared gateway config',
        description:
          'Makes everything as declared in one revision, or changes nothing. Objects are told apart by name. A field left out gets its default, but a stored `auth_value` is kept. A dry run also tells what the last 1,000 requests would do differently.',
        tags,
        access: 'write',
        request: { query: applyQuerySchema, body: jsonBody(declaredConfigSchema) },
        responses: { 200: configAnswer(applyResultSchema, 'What was changed, or would be.'), 412: otherRevisionAnswer },
      },
      async (c) => {
        const query = readQuery(c, applyQuerySchema);
        const input = await readJson(c);
        const dryRun = query.dry_run === 'true';
        const recent = dryRun ? (traffic?.requests.newest(judgedRequests) ?? c.env.noGateway) : undefined;
        const applied = async (): Promise<Response> => {
          const { value, revision } = await applyGatewayConfig(control, callerOfRoute(c).actor, input, {
            dryRun,
            ...(recent === undefined ? {} : { recent }),
            prune: query.prune === 'true',
            ...(query.expect_revision === undefined ? {} : { expectRevision: Number(query.expect_revision) }),
          });
          // The CLI waits for the revision of a change; a dry run makes none.
          return await longAnswer(c, value, value.dry_run ? {} : { revision });
        };
        // Changes are made one after the other anyway.
        return await (dryRun ? turns.take(applied) : applied());
      },
    );
}
