import type { ControlContext } from '../control/control-context.ts';
import { explainRequest } from '../control/explain-request.ts';
import { explainRequestSchema, explanationSchema } from '../model/explanation.ts';
import { AdminRouter } from './admin-router.ts';
import { jsonAnswer, jsonBody, problemAnswer } from './describe-route.ts';
import { readJson } from './read-json.ts';

/** `/admin/explain` */
export function explainRoutes(control: ControlContext) {
  return new AdminRouter().add(
    {
      method: 'post',
      path: '/admin/explain',
      operationId: 'explainRequest',
      summary: 'Explain a request',
      description:
        'What would become of a request, and why: which routes could take it and why each lost, whether an API key lets it through, what is changed, and what the upstream gets. Also with a draft of the gateway config. Nothing is sent or stored; secrets are masked.',
      tags: ['routes'],
      access: 'read',
      request: { body: jsonBody(explainRequestSchema) },
      responses: {
        200: jsonAnswer(explanationSchema, 'What would happen.'),
        429: problemAnswer('Too many drafts wait to be looked at; see Retry-After.'),
      },
    },
    async (c) => {
      const { noGateway } = c.env;
      const input = await readJson(c);
      const by =
        noGateway === undefined
          ? { by: 'gateway' as const }
          : { by: 'command' as const, note: `This command explained it with its own settings and environment. ${noGateway}` };
      return c.json(await explainRequest(control, input, by), 200);
    },
  );
}
