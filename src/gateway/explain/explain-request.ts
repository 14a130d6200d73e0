import { errorEntryOf } from '../../errors/catalogue.ts';
import { parseBaseUrl } from '../../model/base-url.ts';
import type { AskedRequest, Explained, ExplainedStage, ExplainInput } from '../../model/explanation.ts';
import type { RouteConfig } from '../../model/gateway-config.ts';
import type { UpstreamId } from '../../model/ids.ts';
import type { PreviewStep } from '../../model/route-preview.ts';
import { emptyApiKeyTable } from '../admit/api-key-table.ts';
import type { Exchange } from '../exchange.ts';
import type { MatchRequest } from '../match/route-search.ts';
import { messageOf } from '../preview/sample-bytes.ts';
import { serveRoute } from '../snapshot/served-route.ts';
import type { TransformSettings } from '../transform/compile-transform.ts';
import { askedBytes } from './asked-bytes.ts';
import { compiledTables } from './compiled-tables.ts';
import { curlOf } from './curl-of.ts';
import { dryExchange, type DryOutcome, type DryRequest, type DrySettings, maskedUpstream } from './dry-exchange.ts';
import { isCredentialName, redacted, withoutApiKeys } from '../redact.ts';
import { surveyRoutes, type SurveyedTables } from './survey-routes.ts';
import { verdictOf } from './verdict.ts';

/** What holds for everything that one process explains. */
export interface ExplainSettings extends DrySettings {
  readonly transforms: TransformSettings;
  /** Ports that the gateway listens on; 0 for none. */
  readonly ports: { readonly http: number; readonly https: number };
}

/** The upstream that a request would go to, as far as matching decides it. */
export async function upstreamAsked(
  settings: ExplainSettings,
  routes: readonly RouteConfig[],
  request: AskedRequest,
): Promise<UpstreamId | undefined> {
  let asked: UpstreamId | undefined;
  const run = new Run(settings, { routes, upstream: undefined, keys: [], request, usesEnvironment: false });
  await run.go(masked(settings.transforms), (id) => void (asked = id));
  return asked;
}

/**
 * What the data plane would make of a request: found by taking it through the data plane's own code, from the bytes of its head to
 * those that would go out. Secrets are masked, and API keys taken out.
 */
export async function explainRequest(settings: ExplainSettings, input: ExplainInput): Promise<Explained> {
  const run = new Run(settings, input);
  const steps: PreviewStep[] = [];
  const shown = await run.go({ ...masked(settings.transforms), trace: (step) => steps.push(step) });
  const transforms = shown.exchange.route?.transform ?? null;
  const hasEnvironment = !settings.transforms.environment.keys().next().done;
  const real = input.usesEnvironment && hasEnvironment && transforms !== null ? await run.go(settings.transforms) : shown;

  const { exchange } = real;
  const stage = stageOf(real);
  const isRefused = real.answer !== null;
  const preflight = stage === 'preflight' ? preflightRequest(exchange) : null;
  const route = stage === 'own' ? null : exchange.route;
  const { nearest, ...survey } =
    stage === 'head' || stage === 'own'
      ? { candidates: [], others: [], nearest: null }
      : surveyRoutes(run.tables, preflight?.request ?? exchange, route, preflight?.announced ?? null);
  const key = exchange.keyId === '' ? undefined : input.keys.find(({ id }) => id === exchange.keyId);
  const admits = route !== null && stage !== 'preflight';
  const code = real.answer?.code ?? null;
  const masksPath = hasEnvironment && route !== null && readsEnvironment(route);
  const goesOut = isRefused || stage === 'own' ? null : outgoing(shown, input);
  const request = masksPath && goesOut !== null ? { ...goesOut, url: readable(goesOut.url) } : goesOut;
  const explained: Explained = {
    verdict: '',
    stage,
    status: real.answer?.status ?? null,
    code,
    reason: real.answer === null || real.answer.reason === '' ? null : real.answer.reason,
    hint: code === null ? null : errorEntryOf(code, real.answer!.status).hint,
    method: exchange.method,
    host: exchange.host,
    path: exchange.path,
    route_id: route?.id ?? null,
    route: route?.name ?? null,
    upstream_id: route?.upstream_id ?? null,
    upstream: route !== null && input.upstream?.id === route.upstream_id ? input.upstream.name : null,
    ...survey,
    key_required: admits ? route.auth_required : null,
    key_sent: admits && route.auth_required ? code !== 'missing_api_key' : null,
    key_id: key?.id ?? null,
    key: key?.name ?? null,
    rate_limit_per_minute: key?.rate_limit_per_minute ?? null,
    steps: masksPath ? steps.map((step) => ({ ...step, detail: readable(step.detail), after: readable(step.after) })) : steps,
    request,
    curl: request === null ? null : curlOf(request),
    response_headers: real.answer === null ? [] : answerHeaders(real.answer.bytes),
    notes: [...(run.isOtherListener ? [otherListener(run.listener)] : []), ...notesOf(input, exchange, steps, request)],
  };
  return withoutApiKeys({ ...explained, verdict: verdictOf(explained, route, nearest) });
}

/** One request on its way through one gateway config. */
class Run {
  readonly tables: SurveyedTables;
  readonly listener: 'http' | 'https';
  /** The gateway has no listener for the URL's scheme. */
  readonly isOtherListener: boolean;
  readonly #settings: ExplainSettings;
  readonly #input: ExplainInput;
  readonly #request: DryRequest;

  constructor(settings: ExplainSettings, input: ExplainInput) {
    this.#settings = settings;
    this.#input = input;
    this.tables = compiledTables(input.routes);
    const bytes = askedBytes(input.request);
    const { clientAddress } = input.request;
    const { http, https } = settings.ports;
    const other = bytes.scheme === 'https' ? 'http' : 'https';
    // Something in front of the gateway may take TLS off, or put it on.
    this.listener = settings.ports[bytes.scheme] === 0 && settings.ports[other] !== 0 ? other : bytes.scheme;
    this.isOtherListener = this.listener !== bytes.scheme;
    this.#request = { ...bytes, clientAddress, scheme: this.listener, port: this.listener === 'https' ? https : http };
  }

  async go(transforms: TransformSettings, onUpstream: (id: UpstreamId) => void = () => {}): Promise<DryOutcome> {
    const { upstream, keys } = this.#input;
    const { enabled } = this.tables;
    const served = (route: RouteConfig | null) => (route === null ? null : serveRoute(route, transforms));
    return await dryExchange(
      this.#settings,
      {
        routes: {
          match: (request) => served(enabled.match(request)),
          matchPreflight: (request, announced) => served(enabled.matchPreflight(request, announced)),
          allowedMethods: (request) => enabled.allowedMethods(request),
        },
        upstream: (id) => {
          onUpstream(id);
          return upstream?.id === id ? maskedUpstream(upstream) : undefined;
        },
        keys: keys.length === 0 ? emptyApiKeyTable() : emptyApiKeyTable().with(keys),
      },
      this.#request,
    );
  }
}

/** Values of the environment may be secrets: what is shown says that they are there. */
function masked(transforms: TransformSettings): TransformSettings {
  return { ...transforms, environment: new Map([...transforms.environment.keys()].map((name) => [name, redacted])) };
}

const admissionCodes: ReadonlySet<string> = new Set([
  'missing_api_key',
  'invalid_api_key',
  'key_expired',
  'key_revoked',
  'rate_limit_exceeded',
]);

function stageOf({ exchange, headRefused, answer }: DryOutcome): ExplainedStage {
  if (headRefused) return 'head';
  if (exchange.upstream?.isAdmin === true) return 'own';
  if (answer === null) return 'sent';
  const { code } = answer;
  if (code === null) return exchange.route === null ? 'own' : 'preflight';
  if (exchange.route === null) {
    const isNeverForwarded = exchange.method === 'CONNECT' || exchange.method === 'TRACE';
    return code === 'route_not_found' || (code === 'method_not_allowed' && !isNeverForwarded) ? 'match' : 'head';
  }
  if (admissionCodes.has(code)) return 'admit';
  return code === 'transform_error' || code === 'body_too_large' ? 'transform' : 'forward';
}

/** The request that a preflight asks for, as answerPreflight looked for its route. */
function preflightRequest(exchange: Exchange): { request: MatchRequest; announced: ReadonlySet<string> } {
  const names = (exchange.header('access-control-request-headers') ?? '').split(',').map((name) => name.trim().toLowerCase());
  const method = exchange.header('access-control-request-method') ?? '';
  const { host, path } = exchange;
  return { request: { method, host, path, header: (name) => exchange.header(name) }, announced: new Set(names) };
}

function outgoing({ sent, exchange }: DryOutcome, { upstream, request }: ExplainInput): Explained['request'] {
  if (sent.length === 0 || upstream === undefined) return null;
  const end = headLength(sent);
  const { line, headers } = messageOf(sent.subarray(0, end));
  const [method = '', target = ''] = line.split(' ');
  const base = parseBaseUrl(upstream.base_url);
  const origin = base.ok ? `${base.value.protocol}://${base.value.authority}` : '';
  // A body that is not transformed goes on as it is, in whatever framing.
  const held = exchange.transformed?.body ?? null;
  const body = held === null ? (request.body ?? '') : sent.toString('utf8', end);
  return {
    method,
    url: origin + target,
    headers: headers.map(({ name, value }) => ({ name, value: isCredentialName(name) ? redacted : value })),
    body: body === '' ? null : body,
  };
}

// What is left of a rate limit was not looked at.
function answerHeaders(bytes: Buffer): Explained['response_headers'] {
  return messageOf(bytes.subarray(0, headLength(bytes))).headers.filter(({ name }) => !/^(?:x-)?ratelimit/i.test(name));
}

function readsEnvironment({ path_rewrite: rewrite, request_transform: transform }: RouteConfig): boolean {
  return JSON.stringify([rewrite, transform]).includes('${env.');
}

/** In a target a mask comes percent-encoded. */
function readable<T extends string | null>(text: T): T {
  return (text?.replaceAll('%2A%2A%2A', redacted) ?? null) as T;
}

function headLength(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? bytes.length : end + 4;
}

function otherListener(scheme: 'http' | 'https'): string {
  return scheme === 'http'
    ? 'The gateway has no HTTPS listener: this is how it goes where something in front of it takes TLS off.'
    : 'The gateway has no plain HTTP listener: this is how it goes over HTTPS.';
}

function notesOf(
  { upstream, usesEnvironment, keys }: ExplainInput,
  { keyId }: Exchange,
  steps: readonly PreviewStep[],
  request: Explained['request'],
): string[] {
  const notes: string[] = [];
  const limit = keys.find(({ id }) => id === keyId)?.rate_limit_per_minute ?? null;
  if (limit !== null && request !== null)
    notes.push(`The key's rate limit of ${limit} requests per minute applies; how much of it is used up now was not looked at.`);
  const mentionsEnvironment = steps.some(({ detail }) => detail.includes(redacted));
  if (!usesEnvironment && mentionsEnvironment) notes.push('Values of ${env.…} are not looked at for a draft; *** stands for them.');
  if (request !== null && upstream !== undefined && upstream.credential.kind !== 'none')
    notes.push("The upstream's credential is sent and shown as ***.");
  return notes;
}
