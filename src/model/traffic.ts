import { z } from 'zod';
import { timestampSchema } from './field-schemas.ts';
import { healthSources, healthStates, nullableProblemSchema } from './upstream-health.ts';

/** How far back numbers of traffic go, and in how many cells they are told one by one. */
export const trafficWindows = ['5m', '15m', '1h', '6h'] as const;
export type TrafficWindow = (typeof trafficWindows)[number];

const counts = (what: string) => z.array(z.int()).meta({ description: `${what}; one number for each cell, oldest first.` });
const times = (what: string) =>
  z.array(z.number().nullable()).meta({ description: `${what}, in milliseconds, at most 6.5 % off; null for a cell without answers.` });
const errors = z
  .record(z.string(), z.array(z.int()))
  .meta({ description: 'Errors that the gateway made, by code; only codes that occurred, one number for each cell.' });
const upstreamId = z.templateLiteral(['up_', z.string()]);

const frame = {
  window: z.enum(trafficWindows),
  at: timestampSchema.meta({ description: 'When this was told.' }),
  from: timestampSchema.meta({ description: 'When the first cell began.' }),
  cells: z.int().meta({ description: 'How many cells there are.' }),
  cell_ms: z.int().meta({ description: 'How long each cell is.' }),
  last_cell_ms: z.int().meta({ description: 'How much of the last cell has passed: rates of it are to be divided by this.' }),
  since: timestampSchema.meta({ description: 'When counting began: cells before that know nothing.' }),
};

const totalsSchema = z.strictObject({
  requests: counts("Requests that ended, but those to the gateway's own paths"),
  status_4xx: counts('Those of them that got 4xx'),
  status_5xx: counts('Those of them that got 5xx, of an upstream or of the gateway'),
  no_response: counts('Those of them that ended without a response: clients that left'),
  errors,
  p50_ms: times("Half of all upstreams' answers began within"),
  p95_ms: times('95 % of them'),
  p99_ms: times('99 % of them'),
  in_flight: counts("Requests under way at the end of the cell, but those to the gateway's own paths"),
  connections: counts('Connections of clients at the end of the cell'),
});

const series = {
  requests: counts('Requests for it that ended'),
  errors: counts('Those of them that the gateway made an error of by its fault, a full queue among them'),
  server_errors: counts('Those of them that it answered with 5xx'),
  p95_ms: times('95 % of its answers began within; of several cells in one, the longest'),
  health: z.string().meta({
    description:
      'One letter for each cell: `h` healthy, `f` failing, `u` unknown, `d` disabled, `-` nothing known. `f` if it was failing at the end of any ten seconds of the cell.',
  }),
};

/** An upstream among all: without traffic or health in the window, its lists are empty. */
const rowSchema = z
  .strictObject({
    upstream_id: upstreamId,
    upstream: z.string().meta({ description: 'Its name.' }),
    state: z.enum(healthStates),
    source: z.enum(healthSources).nullable().meta({ description: 'What told so; null where nothing did.' }),
    cause: z.string().meta({ description: 'Why, in words.' }),
    problem: nullableProblemSchema,
    last_ok_at: timestampSchema.nullable(),
    last_used_at: timestampSchema.nullable().meta({ description: 'When a request for it last ended, in whatever way.' }),
    active: z.int().meta({ description: 'Connections in use: requests under way.' }),
    idle: z.int().meta({ description: 'Connections kept for reuse.' }),
    ...series,
  })
  .meta({ id: 'UpstreamTrafficRow' });

/** All traffic of late. */
export const trafficSchema = z.strictObject({ ...frame, totals: totalsSchema, upstreams: z.array(rowSchema) }).meta({ id: 'Traffic' });
export type Traffic = z.output<typeof trafficSchema>;

/** The traffic of one upstream of late. */
export const upstreamTrafficSchema = z
  .strictObject({
    ...frame,
    upstream_id: upstreamId,
    upstream: z.string(),
    ...series,
    abandoned: counts('Those that ended for another reason before it answered: the client left, say'),
    errors_by_code: errors,
    p50_ms: times('Half of its answers began within'),
    p95_ms: times('95 % of them'),
    p99_ms: times('99 % of them'),
    active: counts('Connections in use at the end of the cell: requests under way'),
    idle: counts('Connections kept for reuse at the end of the cell'),
  })
  .meta({ id: 'UpstreamTraffic' });
export type UpstreamTrafficSeries = z.output<typeof upstreamTrafficSchema>;

/** Data of the event `traffic` of the live stream: what came about in these milliseconds. */
export const liveTrafficSchema = z
  .strictObject({
    at: timestampSchema,
    interval_ms: z.int(),
    totals: z.strictObject({
      requests: z.int(),
      status_4xx: z.int(),
      status_5xx: z.int(),
      no_response: z.int(),
      in_flight: z.int(),
      connections: z.int(),
    }),
    upstreams: z
      .array(
        z.strictObject({
          upstream_id: upstreamId,
          requests: z.int(),
          errors: z.int(),
          server_errors: z.int(),
          active: z.int(),
          idle: z.int(),
          last_used_at: timestampSchema.nullable(),
        }),
      )
      .meta({ description: 'Those that had requests in that time, or whose connections are not what they were.' }),
  })
  .meta({ id: 'LiveTraffic' });
export type LiveTrafficEvent = z.output<typeof liveTrafficSchema>;
