import { z } from 'zod';
import { timestampSchema } from './field-schemas.ts';
import type { AdminId } from './ids.ts';

/** A person who signs in, as the admin API shows it. Times are ISO 8601 in UTC. */
export interface Admin {
  readonly id: AdminId;
  /** Lower case. */
  readonly email: string;
  readonly last_sign_in_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export const adminSchema = z
  .strictObject({
    id: z.templateLiteral(['adm_', z.string()]),
    email: z.string(),
    last_sign_in_at: timestampSchema.nullable(),
    created_at: timestampSchema,
    updated_at: timestampSchema,
  })
  .meta({ id: 'Admin', description: 'A person who signs in.' });

/** Compared and stored in lower case: nobody means two people by `Ann@` and `ann@`. */
export const emailSchema = z
  .string()
  .max(254, 'must have at most 254 characters')
  .pipe(z.email('must be an e-mail address'))
  .transform((email) => email.toLowerCase())
  .meta({ description: 'E-mail address, kept in lower case; unique.' });

/** The bound keeps work small; src/control/passwords.ts says what a new password must be like. */
const passwordSchema = z.string().max(1_024, 'must have at most 256 characters').meta({ writeOnly: true });

export const createAdminSchema = z
  .strictObject({
    email: emailSchema,
    password: passwordSchema.meta({ description: 'At least 12 characters; written, never read back.', writeOnly: true }),
  })
  .meta({ id: 'AdminCreate' });

export const updateAdminSchema = z
  .strictObject({
    email: emailSchema.optional(),
    password: passwordSchema.optional().meta({ description: 'A new password; it ends the other sessions of this admin.', writeOnly: true }),
    current_password: passwordSchema
      .optional()
      .meta({ description: 'Needed when a signed-in admin changes the own password.', writeOnly: true }),
  })
  .meta({ id: 'AdminUpdate' });

export const signInSchema = z
  .strictObject({
    email: z.string().max(254, 'must have at most 254 characters'),
    password: passwordSchema,
  })
  .meta({ id: 'SignIn' });

export const setUpSchema = z
  .strictObject({
    code: z
      .string()
      .max(100, 'must have at most 100 characters')
      .meta({ description: 'The one-time code that the gateway printed at start.' }),
    email: emailSchema,
    password: passwordSchema,
  })
  .meta({ id: 'SetUp' });
