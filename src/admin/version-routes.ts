import { z } from 'zod';
import type { AccessContext } from '../control/access-context.ts';
import { currentRevision } from '../control/access-context.ts';
import { AdminRouter } from './admin-router.ts';
import { jsonAnswer } from './describe-route.ts';

const versionSchema = z
  .strictObject({
    version: z.string().meta({ description: 'Version of APIGate.' }),
    node: z.string().optional().meta({ description: 'Version of Node.js; only for callers with authority.' }),
    revision: z.int().optional().meta({ description: 'Revision of the gateway config; only for callers with authority.' }),
  })
  .meta({ id: 'Version' });

/** `/version`: anybody who reaches the admin plane learns the version, callers with authority the rest. */
export function versionRoutes(context: AccessContext, version: string) {
  return new AdminRouter().add(
    {
      method: 'get',
      path: '/version',
      operationId: 'getVersion',
      summary: 'Version of the gateway',
      tags: ['gateway'],
      access: 'public',
      responses: { 200: jsonAnswer(versionSchema, 'The version.') },
    },
    async (c) => {
      if (c.get('caller') === undefined) return c.json({ version }, 200);
      return c.json({ version, node: process.version, revision: await currentRevision(context) }, 200);
    },
  );
}
