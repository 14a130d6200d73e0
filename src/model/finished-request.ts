import { z } from 'zod';
import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';
import { timestampSchema } from './field-schemas.ts';

/** How a request ended: see ExchangeOutcome of the data plane, of which these are the words. */
export const requestOutcomes = [
  'ok',
  'client_abort',
  'upstream_connect',
  'upstream_timeout',
  'upstream_reset',
  'upstream_protocol',
  'rejected',
  'overload',
] as const;

export const requestPhases = ['request', 'connect', 'send', 'wait', 'body', 'tunnel'] as const;

const codes = Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]];
const reference = (what: string) => z.string().nullable().meta({ description: what });
const count = (what: string) => z.int().meta({ description: what });
const milliseconds = (what: string) => z.number().meta({ description: what });

/** A request that has ended: what happened to it, and nothing of what it carried. */
export const finishedRequestSchema = z
  .strictObject({
    id: z.string().meta({ description: 'The request id, as in `X-Request-Id` and in the log.' }),
    time: timestampSchema.meta({ description: 'When its head had arrived.' }),
    method: z.string(),
    host: z.string().meta({ description: 'As routes match it: lower case, without a port.' }),
    path: z.string().meta({ description: 'As the client sent it, without the query; cut after 2,048 characters.' }),
    status: z.int().nullable().meta({ description: 'null when it ended without a response.' }),
    outcome: z.enum(requestOutcomes),
    failed: z
      .boolean()
      .meta({ description: 'Somebody other than the client has to act: the gateway made an error of it, or the upstream answered 5xx.' }),
    code: z.enum(codes).nullable().meta({ description: "The gateway's own error, when it made one." }),
    fault: z
      .enum(['client', 'operator', 'upstream', 'gateway'])
      .nullable()
      .meta({ description: 'Who has to act for the error to go away.' }),
    phase: z.enum(requestPhases).nullable().meta({ description: 'Where it stood when it went wrong.' }),
    reason: z.string().nullable().meta({ description: 'The cause in plain words, for the operator.' }),
    hint: z.string().nullable().meta({ description: 'What to do about it.' }),
    route_id: reference('null where no route took it.'),
    route: reference('Name of the route; null where it is gone.'),
    upstream_id: reference('null where it came to none.'),
    upstream: reference('Name of the upstream; null where it is gone.'),
    key_id: reference('The API key that opened the route; null where none was used.'),
    key: reference('Name of the API key; null where it is gone.'),
    client_address: z.string(),
    attempts: count('Connections to the upstream tried for it.'),
    duration_ms: milliseconds('From its head to its end.'),
    upstream_ms: milliseconds("From its last byte sent to the head of the upstream's response; 0 when there was none."),
    bytes_in: count("Bytes of the request's body."),
    bytes_out: count("Bytes of the response's body."),
    frames_in: z.int().nullable().meta({ description: 'WebSocket frames from the client; null where it was no WebSocket.' }),
    frames_out: z.int().nullable().meta({ description: 'WebSocket frames to the client; null where it was no WebSocket.' }),
    events: z
      .int()
      .nullable()
      .meta({ description: 'Server-sent events to the client; null where the response was none, or a content coding hid them.' }),
  })
  .meta({ id: 'FinishedRequest' });

export type FinishedRequest = z.output<typeof finishedRequestSchema>;

/** As it was recorded, before the names of what the ids stand for are looked up. */
export type RecordedRequest = Omit<FinishedRequest, 'route' | 'upstream' | 'key'>;
