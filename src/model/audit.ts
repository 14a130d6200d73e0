import { z } from 'zod';
import { timestampSchema } from './field-schemas.ts';

/** Who acts, as the audit log knows it: `anonymous` has not signed in, `system` is the gateway itself. */
const actorKinds = ['admin', 'token', 'cli', 'system', 'anonymous'] as const;

/** One entry of the audit log, as the admin API shows it. Times are ISO 8601 in UTC. */
export interface AuditRecord {
  /** Grows with time. */
  readonly id: number;
  readonly at: string;
  readonly actor_kind: (typeof actorKinds)[number];
  readonly actor_id: string;
  readonly actor_label: string;
  readonly remote_address: string | null;
  readonly request_id: string | null;
  readonly action: string;
  readonly resource_type: string;
  readonly resource_id: string;
  readonly resource_name: string;
  readonly revision: number | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

export const auditRecordSchema = z
  .strictObject({
    id: z.int().meta({ description: 'Grows with time.' }),
    at: timestampSchema,
    actor_kind: z.enum(actorKinds),
    actor_id: z.string().meta({ description: 'Admin or token id; empty for the CLI, the system and callers not signed in.' }),
    actor_label: z.string().meta({ description: 'E-mail address, token name or system user, for people to read.' }),
    remote_address: z.string().nullable(),
    request_id: z.string().nullable(),
    action: z.string().meta({ description: '`upstream.create`, `session.sign_in_failed`, …' }),
    resource_type: z.string(),
    resource_id: z.string(),
    resource_name: z.string(),
    revision: z
      .int()
      .nullable()
      .meta({ description: "The gateway config's revision that the change made; null for what is no part of it." }),
    detail: z.record(z.string(), z.unknown()).meta({ description: 'What changed; never a secret.' }),
  })
  .meta({ id: 'AuditRecord', description: 'An entry of the audit log: who did what, when and from where.' });
