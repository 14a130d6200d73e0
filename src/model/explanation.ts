import { z } from 'zod';
import { errorCatalogue, type ErrorCode } from '../errors/catalogue.ts';
import { declaredConfigSchema } from './declared-config.ts';
import type { ApiKeyConfig, RouteConfig, UpstreamConfig } from './gateway-config.ts';
import { previewStepSchema } from './route-preview-schema.ts';

/** A field of a request, as it would be sent. */
export interface AskedHeader {
  readonly name: string;
  readonly value: string;
}

/** A request to explain. Nothing in it has been checked but that its parts cannot be taken for one another. */
export interface AskedRequest {
  readonly method: string;
  /** A whole URL, whose host then is the request's; or a target alone: a path, `*`, what CONNECT takes. */
  readonly url: string;
  readonly headers: readonly AskedHeader[];
  readonly body: string | null;
  readonly clientAddress: string;
}

/** What an explanation is made from. */
export interface ExplainInput {
  /** All of them. The same list the next time saves compiling them. */
  readonly routes: readonly RouteConfig[];
  /** The upstream that `upstreamAsked` named; its credential is a mask, or says why there is none. */
  readonly upstream: UpstreamConfig | undefined;
  readonly keys: readonly ApiKeyConfig[];
  readonly request: AskedRequest;
  /** Whether the values of ${env.…} decide what happens; they are never shown. Not for a draft: its author could read them off. */
  readonly usesEnvironment: boolean;
}

/** What can be told of a recorded request, of whose headers nothing is known. */
export interface RecordedTakers {
  /** Routes that may take it, best first: those that look at headers, up to and with the first that takes it whatever they are. */
  readonly routes: readonly RouteConfig[];
  /** Whether routes take it with another method: without one that takes it with its own it gets 405 rather than 404. */
  readonly takesOtherMethods: boolean;
  /** Where it may be a CORS preflight: routes with `cors` for its host and path, whatever their method. */
  readonly preflighted: readonly RouteConfig[];
}

const noLineEnd = (text: string): boolean => !text.includes('\r\n');
const lineEnd = 'must not hold a line end (CR LF): what follows would be another line of the request';

const askedHeaderSchema = z.strictObject({
  name: z
    .string()
    .max(65_536, 'must have at most 65536 characters')
    .refine(noLineEnd, lineEnd)
    .refine((name) => !name.includes(':'), 'must not hold a colon'),
  value: z.string().max(262_144, 'must have at most 262144 characters').refine(noLineEnd, lineEnd),
});

const askedSchema = z.strictObject({
  method: z
    .string()
    .max(1_024, 'must have at most 1024 characters')
    .refine(noLineEnd, lineEnd)
    .nullish()
    .meta({ description: 'GET when not given.' }),
  url: z
    .string()
    .min(1, 'must not be empty')
    .max(262_144, 'must have at most 262144 characters')
    .refine(noLineEnd, lineEnd)
    .refine((url) => !/^https?:\/\/[^/?#]*@/i.test(url), 'must not hold a user or password: give the header Authorization')
    .meta({
      description: 'A whole URL, or a path: then the host is that of the header Host, else `localhost`.',
      example: 'http://api.example.com/v1/users',
    }),
  headers: z
    .array(askedHeaderSchema)
    .max(1_000, 'must have at most 1000 headers')
    .nullish()
    .meta({
      description: 'In the order in which they are sent; a name may come more than once.',
      example: [{ name: 'X-Env', value: 'test' }],
    }),
  body: z.string().nullish().meta({ description: 'As text.' }),
  client_address: z
    .union([z.ipv4('must be an IP address'), z.ipv6('must be an IP address')], 'must be an IP address')
    .nullish()
    .meta({
      description: 'Address of the client, or of the proxy that it comes through; `127.0.0.1` when not given.',
    }),
  prune: z.boolean().nullish().meta({ description: 'With config: as apply with prune, objects that its lists do not name are gone.' }),
});

/** What `POST /admin/explain` takes. */
export const explainRequestSchema = askedSchema
  .extend({
    config: declaredConfigSchema.nullish().meta({
      description:
        'A draft of the gateway config, or of a part of it, as apply takes it: explained is how it would be after that. Nothing is stored.',
    }),
  })
  .meta({ id: 'ExplainRequest' });

/** The same without a look into the draft. */
export const explainOutlineSchema = askedSchema.extend({ config: z.record(z.string(), z.unknown()).nullish() });

/** How the detail of a route ends that only its id puts behind another one. */
export const tieWords = 'all else is equal, and its id is the higher one';

/** What keeps a route from taking a request; the one that takes it `wins`. */
export const candidateOutcomes = ['wins', 'beaten', 'disabled', 'method', 'header', 'host', 'path', 'host_and_path'] as const;
export type CandidateOutcome = (typeof candidateOutcomes)[number];

/** Where a request's way ends, or that it is `sent` to an upstream. */
export const explainedStages = ['head', 'own', 'match', 'preflight', 'admit', 'transform', 'forward', 'sent'] as const;
export type ExplainedStage = (typeof explainedStages)[number];

const codes = Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]];
const headers = z.array(z.strictObject({ name: z.string(), value: z.string() }));
const reference = (description: string) => z.string().nullable().meta({ description });

const candidateSchema = z
  .strictObject({
    id: z.templateLiteral(['rt_', z.string()]),
    name: z.string(),
    outcome: z.enum(candidateOutcomes),
    detail: z.string().meta({ description: 'Why, in words.' }),
  })
  .meta({ id: 'RouteCandidate' });

/** What the data plane makes of a request. */
export const explainedSchema = z.strictObject({
  verdict: z.string().meta({ description: 'What happens and why, in one sentence.' }),
  stage: z.enum(explainedStages).meta({
    description:
      'Where the way of the request ends: before any route is looked at (`head`), at a path of the gateway itself (`own`), … or `sent`.',
  }),
  status: z.int().nullable().meta({ description: "Of the gateway's own answer; null where the upstream answers." }),
  code: z.enum(codes).nullable().meta({ description: "The gateway's own error, where it makes one." }),
  reason: reference('The cause in plain words.'),
  hint: reference('What to do about it.'),
  method: z.string(),
  host: z.string().meta({ description: 'As routes match it: lower case, without a port.' }),
  path: z.string().meta({ description: 'As routes match it, without the query.' }),
  route_id: reference('The route that wins; null where none does.'),
  route: reference('Its name.'),
  upstream_id: reference('The upstream of that route.'),
  upstream: reference('Its name.'),
  candidates: z.array(candidateSchema).meta({
    description: 'Routes in the order in which they are preferred as far as host and path match, then those that come nearest. At most 20.',
  }),
  others: z
    .array(z.strictObject({ outcome: z.enum(candidateOutcomes), count: z.int() }))
    .meta({ description: 'How many routes more there are, by what keeps them from taking it.' }),
  key_required: z.boolean().nullable().meta({ description: 'Whether the route needs an API key; null where no route wins.' }),
  key_sent: z.boolean().nullable().meta({ description: 'Whether one was sent; null where it was not looked for.' }),
  key_id: reference('The API key that was sent, where it is known.'),
  key: reference('Its name.'),
  rate_limit_per_minute: z.int().nullable().meta({ description: 'Of that key; how much of it is used up is not looked at.' }),
  steps: z.array(previewStepSchema).meta({ description: 'What the route changes, in order.' }),
  request: z
    .strictObject({ method: z.string(), url: z.string(), headers, body: z.string().nullable() })
    .nullable()
    .meta({ description: 'What the upstream gets, credentials as `***`; null where it gets nothing.' }),
  curl: reference('The same for a POSIX shell, without what is new for each request.'),
  response_headers: headers.meta({ description: "Of the gateway's own answer." }),
  notes: z.array(z.string()),
});

export type Explained = z.output<typeof explainedSchema>;

/** What `POST /admin/explain` answers. */
export const explanationSchema = explainedSchema
  .extend({
    draft: z.boolean().meta({ description: 'Whether it is about the draft that was given.' }),
    revision: z.int().meta({ description: 'The revision of the gateway config that was looked at, or that the draft was put on.' }),
    explained_by: z
      .enum(['gateway', 'command'])
      .meta({ description: 'Whose settings and environment it is explained with: `command` where no gateway could be asked.' }),
  })
  .meta({ id: 'Explanation', description: 'What would become of a request, and why. Nothing is sent.' });

export type Explanation = z.output<typeof explanationSchema>;
