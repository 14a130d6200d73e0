import { z } from 'zod';
import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';
import { timestampSchema } from './field-schemas.ts';

/** `unknown`: nothing has told yet. `disabled` is not failing: nothing is sent there. */
export const healthStates = ['healthy', 'failing', 'unknown', 'disabled'] as const;
export type HealthState = (typeof healthStates)[number];

const codes = Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]];
const total = (what: string) => z.int().meta({ description: what });
const stateSchema = z.enum(healthStates);

/** How an upstream does, as its own traffic tells. Numbers are since the gateway started, or the upstream was made. */
export const upstreamHealthSchema = z
  .strictObject({
    upstream_id: z.templateLiteral(['up_', z.string()]),
    upstream: z.string().meta({ description: 'Its name.' }),
    state: stateSchema.meta({
      description: 'failing: no answer since several connections in a row failed, timed out or broke. An answer of 5xx is an answer.',
    }),
    cause: z.string().meta({ description: 'Why, in words.' }),
    last_ok_at: timestampSchema.nullable().meta({ description: 'When it last answered a request, whatever the status.' }),
    last_failure_at: timestampSchema.nullable(),
    last_failure_code: z.enum(codes).nullable(),
    consecutive_failures: total('Failures since the last answer.'),
    requests: total('Requests for it that have ended.'),
    answered: total('Those that it answered.'),
    server_errors: total('Those that it answered with 5xx.'),
    failures: z
      .strictObject({ connect: z.int(), timeout: z.int(), reset: z.int(), protocol: z.int() })
      .meta({ description: 'Those that failed by its fault, by kind.' }),
    overloaded: total('Those refused because max_conns was reached.'),
    abandoned: total('Those that ended for another reason before it answered: the client left, say.'),
    mean_response_ms: z
      .number()
      .nullable()
      .meta({ description: "From a request sent to its response's head, on average; null without answers." }),
    bytes_in: total('Bytes of request bodies from clients.'),
    bytes_out: total('Bytes of response bodies to clients.'),
    connections: z.strictObject({ active: z.int(), idle: z.int() }),
  })
  .meta({ id: 'UpstreamHealth' });

export type UpstreamHealth = z.output<typeof upstreamHealthSchema>;

/** An upstream's health changed. */
export const healthEventSchema = z
  .strictObject({
    kind: z.literal('health'),
    id: z.int().meta({ description: 'Grows with each event since the gateway started.' }),
    time: timestampSchema,
    upstream_id: z.templateLiteral(['up_', z.string()]),
    upstream: z.string().meta({ description: 'Its name at the time.' }),
    from: stateSchema,
    to: stateSchema,
    cause: z.string(),
  })
  .meta({ id: 'HealthEvent' });

export type HealthEvent = z.output<typeof healthEventSchema>;
