import { errorCatalogue, type ErrorCode } from '../../errors/catalogue.ts';
import { OutputBuffer } from '../../http/output-buffer.ts';
import { RequestHead, type RequestLimits } from '../../http/request-head.ts';
import { ResponseHead } from '../../http/response-head.ts';
import { hostNameOf } from '../../http/host-field.ts';
import type { RouteConfig, UpstreamConfig } from '../../model/gateway-config.ts';
import type { PreviewStep, RoutePreview, SampleRequest, SampleResponse } from '../../model/route-preview.ts';
import type { Exchange } from '../exchange.ts';
import { emptyApiKeyTable } from '../admit/api-key-table.ts';
import { compiledTables } from '../explain/compiled-tables.ts';
import { dryExchange, maskedUpstream } from '../explain/dry-exchange.ts';
import { isReserved } from '../match/match-exchange.ts';
import { emptyRouteTable } from '../match/route-table.ts';
import { normalisePath } from '../normalise-path.ts';
import { endHeldResponse, writeHeldResponse, writeResponseHead } from '../reply/write-response-head.ts';
import { serveRoute } from '../snapshot/served-route.ts';
import type { BufferedBody } from '../transform/buffered-body.ts';
import type { TransformSettings } from '../transform/compile-transform.ts';
import { TransformFailure } from '../transform/transform-failure.ts';
import { transformResponse } from '../transform/transform-response.ts';
import { messageOf, requestBytes, responseBytes } from './sample-bytes.ts';

export interface PreviewExchangeInput {
  readonly route: RouteConfig;
  /** An older version of the route is passed over. The same list the next time saves compiling them. */
  readonly others: readonly RouteConfig[];
  /** Its credential is a mask. */
  readonly upstream: UpstreamConfig;
  readonly request: SampleRequest;
  readonly response: SampleResponse | null;
}

/**
 * What the data plane would make of a sample on a route, found with its own parsers, matcher, transformations and writers: only the
 * sockets are missing. The route counts as enabled; API keys are not asked for. Another route that wins is named, and the sample
 * goes on with the one in question.
 */
export async function previewExchange(
  input: PreviewExchangeInput,
  settings: TransformSettings,
  limits: RequestLimits,
): Promise<RoutePreview> {
  const steps: PreviewStep[] = [];
  const nothing = { matches: false, winner: null, steps, request: null, response: null };
  const sample = requestBytes(input.request);
  const head = new RequestHead(limits);
  if (head.parse(sample.head, 0, sample.head.length) < 0)
    return { ...nothing, error: failed(head.error, head.reason || 'the head is incomplete') };
  const rawPath = head.bytes.latin1Slice(head.pathStart, head.pathEnd);
  const path = head.pathIsPlain ? rawPath || '/' : normalisePath(rawPath);
  if (path === null)
    return { ...nothing, error: failed('request_malformed', 'the path holds a dot-segment, a backslash or an encoded control byte') };
  if (isReserved(path)) return { ...nothing, error: failed('route_not_found', 'the path belongs to the gateway itself') };

  // Who asks for a preview asks what the route does, not who may use it.
  const route = serveRoute({ ...input.route, enabled: true, auth_required: false }, { ...settings, trace: note });
  const hostValue = head.host >= 0 ? head.fields.value(head.host) : '';
  const subject = { method: head.method, host: hostNameOf(hostValue), path, header: (name: string) => head.fields.valueOf(name) };
  const matches = emptyRouteTable<RouteConfig>().with([route]).match(subject) !== null;
  const winning = compiledTables(input.others).enabled.with([route]).match(subject);
  const winner = winning === null ? null : { id: winning.id, name: winning.name };
  if (!matches) return { ...nothing, winner, error: failed('route_not_found', 'the route does not take this request') };

  try {
    const sent = await sentRequest();
    const response = input.response === null ? null : await sentResponse(input.response, sent.exchange);
    return { matches, winner, error: null, steps, request: sent.request, response };
  } catch (error) {
    if (!(error instanceof TransformFailure) && !(error instanceof Refusal)) throw error;
    return {
      matches,
      winner,
      error: { code: error.code, status: error.status, reason: error.message },
      steps,
      request: null,
      response: null,
    };
  }

  async function sentRequest(): Promise<{ request: RoutePreview['request']; exchange: Exchange }> {
    const upstream = maskedUpstream({ ...input.upstream, enabled: true });
    const snapshot = {
      routes: { match: () => route, matchPreflight: () => null, allowedMethods: () => [] },
      upstream: () => upstream,
      keys: emptyApiKeyTable(),
    };
    const { exchange, answer, sent } = await dryExchange(
      { limits, maxBody: 0, trustedProxies: [], viaToken: 'apigate', hasAdmin: false },
      snapshot,
      { ...sample, clientAddress, scheme: 'http', port: 80 },
    );
    if (answer !== null) throw new Refusal(answer.code ?? 'internal_error', answer.status, answer.reason);
    const end = sent.indexOf('\r\n\r\n') + 4;
    const { line, headers } = messageOf(sent.subarray(0, end));
    const [method = '', target = ''] = line.split(' ');
    const body = sent.subarray(end);
    return {
      request: { method, target, headers, body: body.length === 0 ? null : body.toString('utf8') },
      exchange,
    };
  }

  async function sentResponse(response: SampleResponse, { transformed: asked, id }: Exchange): Promise<RoutePreview['response']> {
    const { head: bytes, body: sampleBody } = responseBytes(response);
    const answer = new ResponseHead();
    if (answer.parse(bytes, 0, bytes.length) < 0) throw new TransformFailure(502, `the sample response is malformed: ${answer.reason}`);
    const { transform } = route;
    const toHead = subject.method === 'HEAD';
    const transformed = transform === null || asked === null ? null : transformResponse(answer, toHead, transform, asked.facts, note);
    const out = new OutputBuffer();
    const framing = { chunked: false, clientMinor: 1, persist: true };
    let body = toHead || response.status === 204 || response.status === 304 ? Buffer.alloc(0) : sampleBody;
    if (transformed !== null && transformed.body !== null) {
      writeHeldResponse(out, answer);
      out.text(transformed.fields);
      body = await transformedBody(transformed.body, body);
      endHeldResponse(out, body.length, framing, id, '');
    } else {
      writeResponseHead(out, answer, framing, id, transformed?.fields ?? '');
    }
    return { status: response.status, headers: messageOf(out.copyOut()).headers, body: body.length === 0 ? null : body.toString('utf8') };
  }

  function note(step: PreviewStep): void {
    steps.push(step);
  }
}

const clientAddress = '127.0.0.1';

function failed(code: ErrorCode, reason: string): NonNullable<RoutePreview['error']> {
  return { code, status: errorCatalogue[code].status, reason };
}

/** The gateway answers the sample itself. */
class Refusal extends Error {
  readonly code: ErrorCode;
  readonly status: number;

  constructor(code: ErrorCode, status: number, reason: string) {
    super(reason);
    this.code = code;
    this.status = status;
  }
}

async function transformedBody(held: BufferedBody, body: Buffer): Promise<Buffer> {
  if (!held.add(body, 0, body.length)) throw held.tooLong();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  held.transform((result) => {
    if (result instanceof TransformFailure) reject(result);
    else resolve(result);
  });
  return await promise;
}
