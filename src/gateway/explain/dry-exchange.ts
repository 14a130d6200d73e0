import { upstreamPartOf } from '../record/exchange-line.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { ClientConnection } from '../../http/client-connection.ts';
import { OutputBuffer } from '../../http/output-buffer.ts';
import { headIncomplete, headRefused, RequestHead, type RequestLimits } from '../../http/request-head.ts';
import type { ServerConnection } from '../../http/server-connection.ts';
import { TimerWheel } from '../../http/timer-wheel.ts';
import type { UpstreamConfig } from '../../model/gateway-config.ts';
import type { WorkerCounters } from '../../telemetry/shared-counters.ts';
import type { ApiKeyTable } from '../admit/api-key-table.ts';
import type { RateLimiter } from '../admit/rate-limiter.ts';
import { Exchange } from '../exchange.ts';
import type { UpstreamPool } from '../forward/upstream-pool.ts';
import type { Gateway } from '../gateway.ts';
import { ClientIdentity, TrustedProxies } from '../listen/client-identity.ts';
import type { RouteTable } from '../match/route-table.ts';
import type { ExchangeRecorder } from '../record/exchange-recorder.ts';
import { allowField } from '../reply/write-own-response.ts';
import { afterTarget, type CompiledUpstream, compileUpstream, credentialBytes } from '../snapshot/compile-upstream.ts';
import type { ServedRoute } from '../snapshot/served-route.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** What a worker was told at its start, as far as a request can tell the difference. */
export interface DrySettings {
  readonly limits: RequestLimits;
  /** Bytes of a body; 0 for no limit. */
  readonly maxBody: number;
  readonly trustedProxies: readonly string[];
  readonly viaToken: string;
  /** Whether the reserved paths of the admin plane are on the traffic port. */
  readonly hasAdmin: boolean;
}

/** What a request meets: a snapshot in which only what it will ask for has been compiled. */
export interface DrySnapshot {
  readonly routes: Pick<RouteTable<ServedRoute>, 'match' | 'matchPreflight' | 'allowedMethods'>;
  upstream(id: ServedRoute['upstream_id']): CompiledUpstream | undefined;
  readonly keys: ApiKeyTable;
}

export interface DryRequest {
  /** Its head as a client would send it. */
  readonly head: Buffer;
  /** Its body without framing. */
  readonly body: Buffer;
  readonly clientAddress: string;
  readonly scheme: 'http' | 'https';
  /** Where the gateway listens. */
  readonly port: number;
}

/** What became of a request without any socket. */
export interface DryOutcome {
  /** The exchange as it stands; whatever is held to be alive of it is not. */
  readonly exchange: Exchange;
  /** Whether it never became a request. */
  readonly headRefused: boolean;
  /** The gateway's own answer; null where the request goes on. */
  readonly answer: { readonly status: number; readonly code: ErrorCode | null; readonly reason: string; readonly bytes: Buffer } | null;
  /** What goes out to the upstream, head and body; empty where nothing does. */
  readonly sent: Buffer;
}

/**
 * Takes one request through the data plane's own code, from the bytes of its head to those that would go out: a real Exchange, and
 * stand-ins only for what would touch a socket, a clock or a counter. Rejects on a defect of ours.
 */
export async function dryExchange(settings: DrySettings, snapshot: DrySnapshot, request: DryRequest): Promise<DryOutcome> {
  const head = new RequestHead(settings.limits);
  const done = Promise.withResolvers<void>();
  const sent: Buffer[] = [];
  const answered: Buffer[] = [];
  let answer: DryOutcome['answer'] = null;

  const requestOutput = new OutputBuffer();
  const connection: UpstreamSide = {
    isReused: false,
    isBlocked: false,
    begin: () => {},
    send: () => {
      sent.push(requestOutput.copyOut());
      requestOutput.clear();
      return true;
    },
    markRequestSent: () => done.resolve(),
  };
  const pool: Pick<UpstreamPool, 'slot' | 'acquire' | 'cancel' | 'release'> = {
    slot: -1,
    acquire: () => connection as ClientConnection,
    cancel: () => {},
    release: () => {},
  };
  const client: ClientSide = {
    head,
    output: new OutputBuffer(),
    awaitsContinue: false,
    isBlocked: false,
    decidePersistence: () => true,
    send() {
      answered.push(this.output.copyOut());
      this.output.clear();
      return true;
    },
    finishResponse: () => done.resolve(),
    pauseRequest: () => {},
    resumeRequest: () => {},
    abort: () => done.resolve(),
  };
  const recorder: Pick<ExchangeRecorder, 'record'> = {
    record: ({ status, code, reason }) => {
      answer = { status, code, reason, bytes: Buffer.concat(answered.slice(-1)) };
    },
  };
  const counters: Pick<WorkerCounters, 'requestStarted'> = { requestStarted: () => {} };
  const withPool = (upstream: CompiledUpstream): CompiledUpstream => ({ ...upstream, pool: pool as UpstreamPool });
  const upstreams: Pick<Snapshot['upstreams'], 'get'> = {
    get: (id) => {
      const upstream = snapshot.upstream(id);
      return upstream === undefined ? undefined : withPool(upstream);
    },
  };
  const live = { revision: 0, keys: snapshot.keys, routes: snapshot.routes, upstreams } as unknown as Snapshot;
  const gateway: Gateway = {
    live,
    draining: false,
    wheel: new TimerWheel(),
    websocketIdleMs: 0,
    requestOutput,
    counters: counters as WorkerCounters,
    recorder: recorder as ExchangeRecorder,
    limiter: unlimited as RateLimiter,
    keysUsed: new Map(),
    identity: { viaFields: [viaField('1.0', settings.viaToken), viaField('1.1', settings.viaToken)], workerToken: '' },
    viaToken: settings.viaToken,
    allowField,
    admin: settings.hasAdmin ? withPool(adminUpstream) : null,
    reportFault: (where, error) => done.reject(new Error(`a defect in APIGate while ${where}`, { cause: error })),
  };
  const identity = new ClientIdentity(request.clientAddress, request.scheme, request.port, new TrustedProxies(settings.trustedProxies));
  const exchange = new Exchange(gateway, client as ServerConnection, identity);
  const refused = arrive(exchange, client, request, settings.maxBody);
  await done.promise;
  return { exchange, headRefused: refused, answer, sent: Buffer.concat(sent) };
}

type ClientSide = Pick<
  ServerConnection,
  | 'head'
  | 'output'
  | 'awaitsContinue'
  | 'isBlocked'
  | 'decidePersistence'
  | 'send'
  | 'finishResponse'
  | 'pauseRequest'
  | 'resumeRequest'
  | 'abort'
>;
type UpstreamSide = Pick<ClientConnection, 'isReused' | 'isBlocked' | 'begin' | 'send' | 'markRequestSent'>;

/** As much as one read of a worker brings. */
const readSize = 64 * 1024;

/** Hands the request over as ServerConnection does; whether its head was refused. */
function arrive(exchange: Exchange, client: ClientSide, { head: bytes, body }: DryRequest, maxBody: number): boolean {
  const { head } = client;
  let end = Math.min(readSize, bytes.length);
  let parsed = head.parse(bytes, 0, end);
  while (parsed === headIncomplete && end < bytes.length) {
    end = Math.min(end + readSize, bytes.length);
    parsed = head.parse(bytes, 0, end);
  }
  if (parsed < 0) {
    if (parsed === headRefused) exchange.onHeadRefused(head.error, head.reason);
    else exchange.onHeadRefused('request_malformed', 'the head is incomplete');
    return true;
  }
  const length = head.chunked ? body.length : head.contentLength;
  if (maxBody > 0 && length > maxBody) {
    exchange.onHeadRefused('body_too_large', `the body of ${length} bytes is over the limit of ${maxBody}`);
    return true;
  }
  client.awaitsContinue = head.expectContinue && body.length > 0;
  exchange.onRequestHead();
  if (body.length > 0) exchange.onRequestBody(body, 0, body.length);
  exchange.onRequestEnd(null);
  exchange.onRequestReadDone();
  return false;
}

/** A rate limit that lets everything through and remembers nothing: what a dry request must not use up is a real one's token. */
const unlimited: Pick<RateLimiter, 'take' | 'remaining' | 'resetSeconds' | 'retryAfterSeconds'> & {
  directory: Pick<RateLimiter['directory'], 'slotOf'>;
} = {
  directory: { slotOf: () => 0 },
  remaining: 0,
  resetSeconds: 0,
  retryAfterSeconds: 0,
  take: () => true,
};

function viaField(version: string, token: string): Uint8Array {
  return Buffer.from(`Via: ${version} ${token}\r\n`, 'latin1');
}

/** The control plane, as far as a request shows it. */
const adminUpstream: CompiledUpstream = {
  id: '',
  name: 'admin',
  pool: undefined as never,
  timeoutMs: 60_000,
  refusal: null,
  refusalReason: '',
  pathPrefix: '',
  preservesHost: true,
  authority: '',
  afterTarget: afterTarget(''),
  ...credentialBytes(''),
  credentialName: '',
  credentialKind: 0,
  logPart: upstreamPartOf(''),
  isAdmin: true,
};

/** An upstream whose credential is written as `***`: its name is what matters. */
export function maskedUpstream(config: UpstreamConfig): CompiledUpstream {
  const upstream = compileUpstream(config, () => undefined as never);
  const field = Buffer.from(upstream.credentialField).toString('latin1');
  return field === '' ? upstream : { ...upstream, ...credentialBytes(`${field.slice(0, field.indexOf(':'))}: ***\r\n`) };
}
