import { z } from 'zod';
import { nameSchema, timestampSchema } from './field-schemas.ts';
import type { ApiTokenId } from './ids.ts';

/** `read` sees everything but secrets, `write` also changes the gateway config, `admin` also admins, tokens and sessions. */
export const tokenScopes = ['read', 'write', 'admin'] as const;
export type TokenScope = (typeof tokenScopes)[number];

/** A credential for automation of the admin API; the token itself is shown once, when it is made. Times are ISO 8601 in UTC. */
export interface ApiToken {
  readonly id: ApiTokenId;
  readonly name: string;
  /** The first 12 characters of the token, to tell tokens apart. */
  readonly prefix: string;
  readonly scope: TokenScope;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
  /** Who made it, for people to read. */
  readonly created_by: string;
  readonly created_at: string;
}

/** `agt_` and 64 hexadecimal digits: 256 bits, so a plain SHA-256 stores it safely. */
export const apiTokenPattern = /^agt_[0-9a-f]{64}$/;
export const apiTokenPrefixLength = 12;

export const apiTokenSchema = z
  .strictObject({
    id: z.templateLiteral(['tok_', z.string()]),
    name: z.string(),
    prefix: z.string().meta({ description: 'The first 12 characters of the token, to tell tokens apart.' }),
    scope: z.enum(tokenScopes),
    expires_at: timestampSchema.nullable(),
    last_used_at: timestampSchema.nullable(),
    revoked_at: timestampSchema.nullable(),
    created_by: z.string().meta({ description: 'Who made it, for people to read.' }),
    created_at: timestampSchema,
  })
  .meta({ id: 'ApiToken', description: 'A credential for automation of the admin API, without its secret.' });

const scopeSchema = z.enum(tokenScopes);

const expirySchema = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2027-01-31T00:00:00Z' })
  .meta({ description: 'When the token stops working; null means never.' });

export const createApiTokenSchema = z
  .strictObject({
    name: nameSchema,
    scope: scopeSchema.nullish().meta({ description: 'Defaults to read.' }),
    expires_at: expirySchema.nullish(),
  })
  .meta({ id: 'ApiTokenCreate' });

export const updateApiTokenSchema = z
  .strictObject({
    name: nameSchema.optional(),
    scope: scopeSchema.nullish(),
    expires_at: expirySchema.nullish(),
  })
  .meta({ id: 'ApiTokenUpdate' });
