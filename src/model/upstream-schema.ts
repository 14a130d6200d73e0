import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { forbiddenAddress } from './address-policy.ts';
import { authHeaderProblem } from './auth-value.ts';
import { hostNameProblem, parseBaseUrl } from './base-url.ts';
import { descriptionSchema, integerSchema, nameSchema, timestampSchema } from './field-schemas.ts';
import { checkPathProblem, statusRangesProblem } from './health-check.ts';
import { authTypes, type Upstream, upstreamDefaults } from './upstream.ts';
import { maxTestWait } from './upstream-test.ts';

const day = 86_400_000;

/** An upstream as the admin API answers it. */
export const upstreamSchema = z
  .strictObject({
    id: z.templateLiteral(['up_', z.string()]),
    name: z.string(),
    description: z.string(),
    base_url: z.string(),
    timeout_ms: z.int(),
    max_idle_conns: z.int(),
    idle_conn_timeout_ms: z.int(),
    max_conns: z.int(),
    auth_type: z.enum(authTypes),
    auth_header: z.string().nullable(),
    auth_value_set: z.boolean().meta({ description: 'Whether a credential is stored. The credential itself is never shown.' }),
    auth_value_updated_at: timestampSchema.nullable(),
    preserve_host: z.boolean(),
    tls_ca: z.string().nullable(),
    tls_server_name: z.string().nullable(),
    health_check_path: z.string().nullable(),
    health_check_interval_ms: z.int(),
    health_check_timeout_ms: z.int(),
    health_check_status: z.string(),
    enabled: z.boolean(),
    managed: z.boolean().meta({ description: 'Made from the --upstream setting: read-only.' }),
    created_at: timestampSchema,
    updated_at: timestampSchema,
  })
  .meta({ id: 'Upstream', description: 'A backend service that requests are proxied to.' }) satisfies z.ZodType<Upstream>;

/** Fields that a new upstream takes. `null` means the default. */
export const createUpstreamSchema = z
  .strictObject({
    name: nameSchema,
    base_url: z
      .string()
      .superRefine((text, context) => {
        const problem = baseUrlProblem(text);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .meta({ description: 'http or https; a path is kept as a prefix.', example: 'https://api.example.com' }),
    description: descriptionSchema,
    timeout_ms: integerSchema(1, day)
      .nullish()
      .meta({
        description: `Longest wait for the upstream's next progress, in milliseconds (${upstreamDefaults.timeout_ms}).`,
      }),
    max_idle_conns: integerSchema(0, 100_000)
      .nullish()
      .meta({
        description: `Idle connections kept for reuse, over all workers together (${upstreamDefaults.max_idle_conns}).`,
      }),
    idle_conn_timeout_ms: integerSchema(1, day)
      .nullish()
      .meta({
        description: `How long an idle connection is kept, in milliseconds (${upstreamDefaults.idle_conn_timeout_ms}).`,
      }),
    max_conns: integerSchema(0, 100_000)
      .nullish()
      .meta({ description: 'Connections at once, over all workers together; 0 means no limit.' }),
    auth_type: z.enum(authTypes).nullish().meta({ description: 'How the credential is sent (none).' }),
    auth_header: z
      .string()
      .superRefine((name, context) => {
        const problem = authHeaderProblem(name);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .nullish()
      .meta({ description: 'Name of the header, with auth_type header only.', example: 'X-API-Key' }),
    auth_value: z.string().nullish().meta({
      description: 'The credential: written, never read back. ${env.NAME} and ${file:/path} refer to where it is kept.',
      writeOnly: true,
    }),
    preserve_host: z.boolean().nullish().meta({ description: "Send the client's Host instead of base_url's (false)." }),
    tls_ca: z
      .string()
      .superRefine((pem, context) => {
        const problem = certificatesProblem(pem);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .nullish()
      .meta({ description: 'PEM certificates that this upstream is verified against instead of the default ones.' }),
    tls_server_name: z
      .string()
      .superRefine((name, context) => {
        const problem = serverNameProblem(name);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .nullish()
      .meta({ description: 'Name for SNI and for checking the certificate, where it is not that of base_url.' }),
    health_check_path: z
      .string()
      .superRefine((path, context) => {
        const problem = checkPathProblem(path);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .nullish()
      .meta({
        description: "What the gateway asks for by itself, behind base_url's path, to see whether the upstream is well; null turns it off.",
        example: '/healthz',
      }),
    health_check_interval_ms: integerSchema(1_000, day)
      .nullish()
      .meta({ description: `From one check to the next, in milliseconds (${upstreamDefaults.health_check_interval_ms}).` }),
    health_check_timeout_ms: integerSchema(1, maxTestWait)
      .nullish()
      .meta({
        description: `Longest wait for a check's connection, and for its answer, in milliseconds (${upstreamDefaults.health_check_timeout_ms}).`,
      }),
    health_check_status: z
      .string()
      .superRefine((text, context) => {
        const problem = statusRangesProblem(text);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .nullish()
      .meta({
        description: `Statuses that are a good answer to a check (${upstreamDefaults.health_check_status}).`,
        example: '200-299,401',
      }),
    enabled: z.boolean().nullish().meta({ description: 'Requests to a disabled upstream answer 503 (true).' }),
  })
  .meta({ id: 'UpstreamCreate' });

export type CreateUpstream = z.output<typeof createUpstreamSchema>;

/** Only the fields given change. `null` means the default; a null `auth_value` clears the credential. */
export const updateUpstreamSchema = createUpstreamSchema.partial().meta({ id: 'UpstreamUpdate' });

export type UpdateUpstream = z.output<typeof updateUpstreamSchema>;

function baseUrlProblem(text: string): string | undefined {
  const url = parseBaseUrl(text);
  if (!url.ok) return url.message;
  if (isIP(url.value.host) === 0) return undefined;
  const reason = forbiddenAddress(url.value.host);
  return reason === undefined ? undefined : `must not lead to ${url.value.host}: that is ${reason}`;
}

const maxPemLength = 262_144;
const certificate = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

function certificatesProblem(pem: string): string | undefined {
  if (pem.length > maxPemLength) return `must have at most ${maxPemLength} characters`;
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) return 'must hold certificates only, but has a private key';
  const blocks = pem.match(certificate);
  if (blocks === null) return 'must hold at least one certificate in PEM form (-----BEGIN CERTIFICATE-----)';
  if (/-----(?:BEGIN|END) /.test(pem.replace(certificate, ''))) return 'must hold whole certificates in PEM form, and nothing else';
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch {
      return `cannot be read: certificate ${index + 1} of ${blocks.length} is damaged`;
    }
  }
  return undefined;
}

function serverNameProblem(name: string): string | undefined {
  if (isIP(name) !== 0) return 'must be a host name, not an address';
  if (name.endsWith('.')) return 'must be a host name without a dot at the end';
  const problem = hostNameProblem(name);
  return problem === undefined ? undefined : `must be a host name: ${problem}`;
}
