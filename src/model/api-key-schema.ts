import { z } from 'zod';
import type { ApiKey } from './api-key.ts';
import { integerSchema, nameSchema, timestampSchema } from './field-schemas.ts';

/** An API key as the admin API answers it. */
export const apiKeySchema = z
  .strictObject({
    id: z.templateLiteral(['key_', z.string()]),
    name: z.string(),
    prefix: z.string().meta({ description: 'The first characters of the key, to tell keys apart.' }),
    routes: z.array(z.templateLiteral(['rt_', z.string()])),
    rate_limit_per_minute: z.int().nullable(),
    expires_at: timestampSchema.nullable(),
    last_used_at: timestampSchema.nullable(),
    revoked_at: timestampSchema.nullable(),
    created_at: timestampSchema,
  })
  .meta({ id: 'ApiKey', description: 'A credential of a client of the proxied APIs, without the key itself.' }) satisfies z.ZodType<ApiKey>;

/** Fields that a new API key takes. `null` means the default. */
export const createApiKeySchema = z
  .strictObject({
    name: nameSchema,
    routes: z
      .array(z.string())
      .max(1000, 'must have at most 1000 routes')
      .nullish()
      .meta({ description: 'Ids or names of the routes that the key opens; empty means all.' }),
    rate_limit_per_minute: integerSchema(1, 10_000_000)
      .nullish()
      .meta({ description: 'Requests a minute, and at once; null means no limit.' }),
    expires_at: z.iso
      .datetime({ offset: true, error: 'must be a time such as 2027-01-31T00:00:00Z' })
      .nullish()
      .meta({ description: 'When the key stops working; null means never.' }),
  })
  .meta({ id: 'ApiKeyCreate' });

export type CreateApiKey = z.output<typeof createApiKeySchema>;

/** Only the fields given change. `null` means the default. */
export const updateApiKeySchema = createApiKeySchema.partial().meta({ id: 'ApiKeyUpdate' });

export type UpdateApiKey = z.output<typeof updateApiKeySchema>;
