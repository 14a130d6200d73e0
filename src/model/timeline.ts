import { z } from 'zod';
import { timestampSchema } from './field-schemas.ts';
import { revisionSchema } from './history.ts';
import { healthEventSchema } from './upstream-health.ts';

/** Kinds of events on the timeline. */
export const eventKinds = ['health', 'revision'] as const;
export type EventKind = (typeof eventKinds)[number];

const revisionEventSchema = z
  .strictObject({
    kind: z.literal('revision'),
    time: timestampSchema.nullable().meta({ description: 'Null when the audit log does not reach back so far.' }),
    ...revisionSchema.omit({ at: true }).shape,
  })
  .meta({ id: 'RevisionEvent', description: 'The gateway config was changed.' });

/** What happened: an upstream's health changed, or the gateway config was changed. */
export const timelineEventSchema = z.discriminatedUnion('kind', [healthEventSchema, revisionEventSchema]).meta({ id: 'TimelineEvent' });
export type TimelineEvent = z.output<typeof timelineEventSchema>;
