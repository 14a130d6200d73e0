import { z } from 'zod';
import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';
import { timestampSchema } from './field-schemas.ts';

/** `unknown`: nothing has told yet. `disabled` is not failing: nothing is sent there. */
export const healthStates = ['healthy', 'failing', 'unknown', 'disabled'] as const;
export type HealthState = (typeof healthStates)[number];

const codes = Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]];
const total = (what: string) => z.int().meta({ description: what });
const stateSchema = z.enum(healthStates);

/** What told how an upstream does. */
export const healthSources = ['traffic', 'check'] as const;
export type HealthSource = (typeof healthSources)[number];
const sourceSchema = z
  .enum(healthSources)
  .nullable()
  .meta({ description: 'What told so: its own traffic, or health checks; null where nothing did.' });

/** What is wrong, and what to do about it. */
export const healthProblemSchema = z
  .strictObject({
    source: z.enum(healthSources).meta({ description: 'What failed: requests, or health checks.' }),
    code: z.enum(codes).nullable().meta({ description: 'Error code that clients get; null where they get an answer of the upstream.' }),
    title: z.string(),
    cause: z.string().meta({ description: 'What is wrong, in a sentence.', example: 'The upstream refused the connection.' }),
    consecutive_failures: total('How many of them failed in a row.'),
    next: z.array(z.string()).meta({ description: 'What to do, the likeliest first; NAME stands for the upstream.' }),
  })
  .meta({ id: 'UpstreamHealthProblem', description: 'What is wrong with an upstream, and what to do about it.' });
export type HealthProblem = z.output<typeof healthProblemSchema>;

/** As it stands in the answers. */
export const nullableProblemSchema = healthProblemSchema
  .nullable()
  .meta({ description: 'What failed last; null where nothing did since the last good answer, and of a disabled upstream.' });

const checkSchema = z
  .strictObject({
    last_at: timestampSchema.nullable().meta({ description: 'When the last check ended; null before the first.' }),
    last_ok_at: timestampSchema.nullable(),
    last_failure_at: timestampSchema.nullable(),
    consecutive_failures: total('Failed checks since the last good one.'),
    status: z.int().nullable().meta({ description: 'Status of the last answer; null where none came.' }),
    took_ms: z.number().nullable().meta({ description: 'How long the last check took, in milliseconds.' }),
    failure: z.string().nullable().meta({ description: 'Why the last check failed, in words; null where it did not.' }),
    checks: total('Checks since the gateway started, or the upstream is asked for what it is now.'),
    failures: total('Those of them that failed.'),
  })
  .meta({ id: 'UpstreamCheck', description: 'What health checks found.' });

/** How an upstream does, as its own traffic and health checks tell. Numbers are since the gateway started, or the upstream was made. */
export const upstreamHealthSchema = z
  .strictObject({
    upstream_id: z.templateLiteral(['up_', z.string()]),
    upstream: z.string().meta({ description: 'Its name.' }),
    state: stateSchema.meta({
      description:
        'failing: three or more requests in a row failed, timed out or broke, or three or more health checks failed. An answer of 5xx to a request is an answer.',
    }),
    source: sourceSchema,
    cause: z.string().meta({ description: 'Why, in words for people: of a failure with how often, and what to look at.' }),
    problem: nullableProblemSchema,
    last_ok_at: timestampSchema
      .nullable()
      .meta({ description: 'When it last answered a request, whatever the status, or a health check as expected.' }),
    last_failure_at: timestampSchema.nullable(),
    last_failure_code: z.enum(codes).nullable(),
    consecutive_failures: total('Failures since the last answer.'),
    check: checkSchema.nullable().meta({ description: 'null where it is not checked.' }),
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
    source: sourceSchema,
    cause: z.string(),
    problem: nullableProblemSchema,
  })
  .meta({ id: 'HealthEvent' });

export type HealthEvent = z.output<typeof healthEventSchema>;
