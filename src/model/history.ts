import { z } from 'zod';
import { plannedChangeSchema } from './declared-config.ts';

const actorSchema = z.strictObject({
  kind: z.enum(['admin', 'token', 'cli', 'system']),
  id: z.string().meta({ description: 'Admin or token id; empty for the CLI and the system.' }),
  label: z.string().meta({ description: 'E-mail address, token name, or name of the system user.' }),
});

/** Who made a revision, and when. */
const headShape = {
  revision: z.int(),
  at: z.string().nullable().meta({ description: 'ISO 8601. Null when the audit log does not reach back so far.' }),
  actor: actorSchema.nullable(),
  remote_address: z.string().nullable(),
  request_id: z.string().nullable(),
  rollback_to: z.int().nullable().meta({ description: 'The revision that this one went back to; null for any other change.' }),
};

/** How many changed objects a list shows of each revision. */
export const shownChanges = 10;

/** A revision in a list. */
export const revisionSchema = z
  .strictObject({
    ...headShape,
    counts: z.strictObject({ create: z.int(), update: z.int(), delete: z.int() }).meta({ description: 'How many objects it changed.' }),
    changes: z
      .array(plannedChangeSchema.omit({ fields: true }))
      .meta({ description: `The first ${shownChanges} objects that it changed. GET /admin/history/{revision} has them all.` }),
  })
  .meta({ id: 'Revision', description: 'A committed change of the gateway config.' });

export type Revision = z.output<typeof revisionSchema>;

export const revisionDetailSchema = z
  .strictObject({
    ...headShape,
    changes: z.array(plannedChangeSchema).meta({
      description:
        'Each object that it changed, field by field. Without fields for the oldest revision kept: what was before is not known.',
    }),
  })
  .meta({ id: 'RevisionDetail', description: 'A committed change of the gateway config, field by field.' });

export type RevisionDetail = z.output<typeof revisionDetailSchema>;

export const revisionDiffSchema = z
  .strictObject({
    from: z.int(),
    to: z.int(),
    changes: z.array(plannedChangeSchema).meta({ description: 'What has to change in the first to get the second.' }),
  })
  .meta({ id: 'RevisionDiff', description: 'How two revisions differ.' });

export type RevisionDiff = z.output<typeof revisionDiffSchema>;

/** What a rollback answers. */
export const rollbackResultSchema = z
  .strictObject({
    dry_run: z.boolean(),
    rollback_to: z.int(),
    revision: z.int().meta({ description: 'The revision that holds now: of a dry run, the one that it was compared with.' }),
    changes: z.array(plannedChangeSchema).meta({ description: 'What was changed, or would be. Empty: no revision was made.' }),
    warnings: z
      .array(z.strictObject({ field: z.string(), message: z.string() }))
      .meta({ description: 'What is not as it was, or cannot work: `field` names the object, `keys.mobile-app`.' }),
  })
  .meta({ id: 'RollbackResult', description: 'What a rollback changed, or would change.' });

export type RollbackResult = z.output<typeof rollbackResultSchema>;
