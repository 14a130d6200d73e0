import { z } from 'zod';
import { createApiKeySchema } from './api-key-schema.ts';
import { createRouteSchema } from './route-schema.ts';
import { trafficEffectSchema } from './traffic-effect.ts';
import { createUpstreamSchema } from './upstream-schema.ts';

/**
 * The gateway config as files declare it: objects have the fields that REST takes and are told apart by name. What is left
 * out has its default, but for a stored `auth_value`, which is kept.
 */

export const declaredUpstreamSchema = createUpstreamSchema
  .extend({
    auth_value_encrypted: createUpstreamSchema.shape.auth_value.meta({ description: 'Another name of auth_value.', writeOnly: true }),
  })
  .meta({ id: 'DeclaredUpstream' });

export const declaredRouteSchema = createRouteSchema
  .extend({
    upstream: createRouteSchema.shape.upstream_id.optional().meta({ description: "The upstream's name; required.", example: 'my-api' }),
    upstream_id: createRouteSchema.shape.upstream_id.optional().meta({ description: 'Another name of upstream.' }),
  })
  .meta({ id: 'DeclaredRoute' });

export const declaredKeySchema = createApiKeySchema.extend({}).meta({ id: 'DeclaredKey' });

/** The lists of a declared gateway config, in the order in which they are applied. */
export const declaredLists = ['upstreams', 'routes', 'keys'] as const;
export type DeclaredList = (typeof declaredLists)[number];

/** The only version of this form. */
export const declaredVersion = 1;

const listNote = 'A list that is left out leaves all of its kind alone, with prune too.';

export const declaredConfigSchema = z
  .strictObject({
    version: z.literal(declaredVersion).optional(),
    upstreams: z.array(declaredUpstreamSchema).optional().meta({ description: listNote }),
    routes: z.array(declaredRouteSchema).optional().meta({ description: listNote }),
    keys: z.array(declaredKeySchema).optional().meta({ description: listNote }),
  })
  .meta({ id: 'DeclaredConfig', description: 'A gateway config, or a part of it, as declarative files hold it.' });

/** The same without a look into the lists. */
export const declaredOutlineSchema = z.strictObject({
  version: declaredConfigSchema.shape.version,
  upstreams: z.array(z.unknown()).optional(),
  routes: z.array(z.unknown()).optional(),
  keys: z.array(z.unknown()).optional(),
});

/** As an export shows an object: its defaults left out. */
const exportedSchema = z.record(z.string(), z.unknown());

/** What an export answers. */
export const exportedConfigSchema = z
  .strictObject({
    version: z.literal(declaredVersion),
    upstreams: z.array(exportedSchema),
    routes: z.array(exportedSchema),
    keys: z.array(exportedSchema),
  })
  .meta({ id: 'ExportedConfig', description: 'The gateway config, as apply takes it. Stored secrets are left out.' });

export type ExportedConfig = z.output<typeof exportedConfigSchema>;

export const plannedChangeSchema = z.strictObject({
  action: z.enum(['create', 'update', 'delete']),
  type: z.enum(['upstream', 'route', 'key']),
  name: z.string(),
  fields: z
    .record(z.string(), z.strictObject({ from: z.unknown().optional(), to: z.unknown() }))
    .meta({ description: 'Each field that changes. Of a new object those that are not the default; of a deleted one none.' }),
});

export type PlannedChange = z.output<typeof plannedChangeSchema>;

/** What an apply answers. */
export const applyResultSchema = z
  .strictObject({
    dry_run: z.boolean(),
    revision: z.int().meta({ description: 'The revision that holds now: of a dry run, the one that it was compared with.' }),
    changes: z.array(plannedChangeSchema).meta({ description: 'What was changed, or would be. Empty: no revision was made.' }),
    unchanged: z.int().meta({ description: 'Declared objects that are so already.' }),
    warnings: z.array(z.strictObject({ field: z.string(), message: z.string() })),
    created_keys: z
      .array(z.strictObject({ name: z.string(), key: z.string() }))
      .meta({ description: 'New API keys themselves: shown now and never again. Empty in a dry run.' }),
    traffic: trafficEffectSchema.nullable().meta({
      description: 'Of a dry run: what requests that ended lately would do differently. null where that is not known, and for an apply.',
    }),
    traffic_note: z.string().nullable().meta({ description: 'Of a dry run: why it is not known.' }),
  })
  .meta({ id: 'ApplyResult', description: 'What an apply changed, or would change.' });

export type ApplyResult = z.output<typeof applyResultSchema>;
