import { z } from 'zod';
import type { ControlContext } from '../control/control-context.ts';
import { diffRevisions, getRevision, listHistory } from '../control/history.ts';
import { rollBack } from '../control/rollback.ts';
import { WorkTurns } from '../control/work-turns.ts';
import { problemMediaType } from '../errors/problem.ts';
import { revisionDetailSchema, revisionDiffSchema, revisionSchema, rollbackResultSchema } from '../model/history.ts';
import { AdminRouter } from './admin-router.ts';
import { callerOfRoute } from './authorise.ts';
import { configAnswer, jsonAnswer, otherRevisionAnswer, pageAnswer } from './describe-route.ts';
import { diffQuerySchema, historyQuerySchema, listQueryOf, readQuery, rollbackQuerySchema } from './list-query.ts';
import { problemSchema } from './problem-schema.ts';
import { longAnswer } from './respond.ts';

const tags = ['history'];
const params = z.object({ revision: z.string().meta({ description: 'Number of the revision.' }) });

const prunedAnswer = {
  description: 'The revision is not kept any more.',
  content: { [problemMediaType]: { schema: problemSchema } },
} as const;

const unknownAnswer = { description: 'There is no such revision.', content: { [problemMediaType]: { schema: problemSchema } } } as const;

/** `/admin/history` */
export function historyRoutes(control: ControlContext) {
  // Each holds two states of the gateway config in memory while it compares them.
  const turns = new WorkTurns();
  return new AdminRouter()
    .add(
      {
        method: 'get',
        path: '/admin/history',
        operationId: 'listHistory',
        summary: 'List revisions',
        description: 'The revisions of the gateway config that are kept, newest first: who made them, when, and what they changed.',
        tags,
        access: 'read',
        request: { query: historyQuerySchema },
        responses: { 200: pageAnswer(revisionSchema) },
      },
      async (c) => {
        const { actor, resource, ...page } = readQuery(c, historyQuerySchema);
        const filter = { ...(actor === undefined ? {} : { actor }), ...(resource === undefined ? {} : { resource }) };
        return c.json(await listHistory(control, { ...listQueryOf(page), ...filter }), 200);
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/history/diff',
        operationId: 'diffRevisions',
        summary: 'Compare two revisions',
        description: 'Field by field, objects told apart by id; of secrets only whether they differ.',
        tags,
        access: 'read',
        request: { query: diffQuerySchema },
        responses: { 200: jsonAnswer(revisionDiffSchema, 'How they differ.'), 404: unknownAnswer, 410: prunedAnswer },
      },
      async (c) => {
        const { from, to } = readQuery(c, diffQuerySchema);
        return await turns.take(
          async () => await longAnswer(c, await diffRevisions(control, { from, ...(to === undefined ? {} : { to }) })),
        );
      },
    )
    .add(
      {
        method: 'get',
        path: '/admin/history/{revision}',
        operationId: 'getRevision',
        summary: 'Get a revision',
        description: 'Who made it, when, and what it changed, field by field.',
        tags,
        access: 'read',
        request: { params },
        responses: { 200: jsonAnswer(revisionDetailSchema, 'The revision.'), 410: prunedAnswer },
      },
      async (c) => await turns.take(async () => await longAnswer(c, await getRevision(control, c.req.param('revision')))),
    )
    .add(
      {
        method: 'post',
        path: '/admin/history/{revision}/rollback',
        operationId: 'rollBack',
        summary: 'Go back to a revision',
        description:
          'Makes a new revision in which the gateway config is that of the given one, stored credentials included. Managed objects stay as they are; API keys that were revoked, have expired or were deleted since stay so.',
        tags,
        access: 'write',
        request: { params, query: rollbackQuerySchema },
        responses: {
          200: configAnswer(rollbackResultSchema, 'What was changed, or would be.'),
          410: prunedAnswer,
          412: otherRevisionAnswer,
        },
      },
      async (c) => {
        const query = readQuery(c, rollbackQuerySchema);
        const dryRun = query.dry_run === 'true';
        const rolledBack = async (): Promise<Response> => {
          const { value, revision } = await rollBack(control, callerOfRoute(c).actor, c.req.param('revision'), {
            dryRun,
            keepKeys: query.keep_keys === 'true',
            ...(query.expect_revision === undefined ? {} : { expectRevision: Number(query.expect_revision) }),
          });
          // The CLI waits for the revision of a change; a dry run makes none.
          return await longAnswer(c, value, value.dry_run ? {} : { revision });
        };
        return await (dryRun ? turns.take(rolledBack) : rolledBack());
      },
    );
}
