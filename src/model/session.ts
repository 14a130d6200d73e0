import { z } from 'zod';
import { timestampSchema } from './field-schemas.ts';
import type { AdminId } from './ids.ts';

/** An admin's time between sign-in and sign-out, as the admin API shows it. Times are ISO 8601 in UTC. */
export interface Session {
  /** Names the session; of no use for signing in. */
  readonly id: `ses_${string}`;
  readonly admin_id: AdminId;
  readonly email: string;
  readonly remote_address: string;
  readonly user_agent: string;
  /** Whether it is the session that asks. */
  readonly current: boolean;
  readonly created_at: string;
  readonly last_seen_at: string;
  readonly expires_at: string;
}

export const sessionSchema = z
  .strictObject({
    id: z.templateLiteral(['ses_', z.string()]),
    admin_id: z.templateLiteral(['adm_', z.string()]),
    email: z.string(),
    remote_address: z.string(),
    user_agent: z.string(),
    current: z.boolean(),
    created_at: timestampSchema,
    last_seen_at: timestampSchema,
    expires_at: timestampSchema,
  })
  .meta({ id: 'Session', description: "A signed-in admin's session." });
