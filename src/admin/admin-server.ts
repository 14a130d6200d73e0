import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { ErrorCode } from '../errors/catalogue.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { problemMediaType, problemOf } from '../errors/problem.ts';
import type { AdminApp } from './admin-app.ts';
import type { AdminBindings } from './admin-env.ts';
import { isLoopback, tellsOfForwarding } from '../model/forwarding.ts';
import { plainAddress } from './allow-list.ts';
import { isBetterLive } from './live-paths.ts';
import { problemResponse, type AdminLog } from './problem-response.ts';
import { secure, securityHeaders } from './security-headers.ts';

export interface AdminServerOptions {
  readonly app: Pick<AdminApp, 'fetch'>;
  readonly log: AdminLog;
  /** Limits that differ from the usual ones; times in milliseconds. */
  readonly limits?: Partial<ServerLimits>;
}

export interface ServerLimits {
  readonly maxConnections: number;
  /** Longest time from a connection's (next) request beginning to its head being whole. */
  readonly headTimeout: number;
  /** The same to its body being whole. */
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
}

const usualLimits: ServerLimits = { maxConnections: 256, headTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 60_000 };

export interface AdminListener {
  /** The bound port; 0 for a Unix socket. */
  readonly port: number;
  /** Stops accepting, finishes what is in flight until the deadline (milliseconds from now), then ends the rest. */
  close(deadline?: number): Promise<void>;
}

/** Headers in which a worker says what it knows of the client. Nobody else is believed. */
export const workerTokenHeader = 'x-apigate-worker-token';
/** Opens the same socket to a command on this machine, for reading; see local-door.ts. */
export const localTokenHeader = 'x-apigate-local-token';
const directHeader = 'x-apigate-direct';
const clientHeader = 'x-apigate-client';
const schemeHeader = 'x-apigate-scheme';
const requestIdHeader = 'x-request-id';

/**
 * Serves the admin app to the data plane's workers on a Unix socket. A request without the token of this start is
 * refused with 403; client address, scheme and request id are what the worker says.
 * @param token what `x-apigate-worker-token` must be
 * @param localToken what `x-apigate-local-token` must be when a command on this machine asks to look; without it there is no such way
 */
export function listenForWorkers(
  options: AdminServerOptions & { readonly socketPath: string; readonly token: string; readonly localToken?: string },
): Promise<AdminListener> {
  const { token, localToken } = options;
  return listen(options, { path: options.socketPath }, { ...usualLimits, maxConnections: 2_048 }, (headers, incoming) => {
    if (localToken !== undefined && isForCommands(incoming) && isSame(headers.get(localTokenHeader), localToken)) return localBindings();
    const scheme = headers.get(schemeHeader);
    const remoteAddress = headers.get(clientHeader);
    const proved = isSame(headers.get(workerTokenHeader), token);
    if (!proved || (scheme !== 'http' && scheme !== 'https') || remoteAddress === undefined) return undefined;
    return {
      remoteAddress: plainAddress(remoteAddress),
      scheme,
      requestId: requestIdOf(headers.get(requestIdHeader)),
      isDirectLoopback: headers.get(directHeader) === '1',
    };
  });
}

/** Commands only look: what they change, they change in the database themselves. */
function isForCommands({ method = '', url = '' }: IncomingMessage): boolean {
  const base = 'http://localhost';
  return method === 'GET' || (URL.canParse(url, base) && isBetterLive(method, new URL(url, base)));
}

function localBindings(): AdminBindings {
  const requestId = requestIdOf(undefined);
  return { remoteAddress: '127.0.0.1', scheme: 'http', requestId, localActor: { kind: 'cli', id: '', label: 'a command on this machine' } };
}

function isSame(given: string | undefined, token: string): boolean {
  const bytes = Buffer.from(given ?? '');
  const wanted = Buffer.from(token);
  return bytes.length === wanted.length && timingSafeEqual(bytes, wanted);
}

/** Serves the admin app on a TCP address of its own (`--admin-listen`); the client's address is the socket's. */
export function listenOnTcp(options: AdminServerOptions & { readonly host: string; readonly port: number }): Promise<AdminListener> {
  return listen(options, { host: options.host, port: options.port }, usualLimits, (_internal, incoming) => ({
    remoteAddress: peerOf(incoming),
    scheme: 'http',
    requestId: requestIdOf(undefined),
    isDirectLoopback:
      isLoopback(peerOf(incoming)) &&
      incoming.httpVersionMinor > 0 &&
      !Object.keys(incoming.headers).some((name) => tellsOfForwarding(name)),
  }));
}

function peerOf(incoming: IncomingMessage): string {
  return plainAddress(incoming.socket.remoteAddress ?? '');
}

/** What the app is told of a request; undefined when the caller has not proved to be a worker. */
type Introduce = (internal: ReadonlyMap<string, string>, incoming: IncomingMessage) => AdminBindings | undefined;

async function listen(
  options: AdminServerOptions,
  address: ListenOptions,
  usual: ServerLimits,
  introduce: Introduce,
): Promise<AdminListener> {
  const { app, log } = options;
  const limits = { ...usual, ...options.limits };
  const answer = getRequestListener((request, env) => fetchFor(app, request, (env as { incoming: IncomingMessage }).incoming), {
    overrideGlobalObjects: false,
    errorHandler: (error) => {
      const requestId = requestIdOf(undefined);
      return secure(problemResponse(requestError(error), { requestId, method: '', path: '' }, log), requestId);
    },
  });
  const server = createServer(
    {
      // The worker's own headers come on top of what a client may send.
      maxHeaderSize: 32 * 1024,
      headersTimeout: limits.headTimeout,
      requestTimeout: limits.requestTimeout,
      keepAliveTimeout: limits.keepAliveTimeout,
      connectionsCheckingInterval: 1_000,
      requireHostHeader: false,
    },
    (incoming, outgoing) => {
      const bindings = introduce(takeInternalHeaders(incoming), incoming);
      if (bindings !== undefined) introduced.set(incoming, bindings);
      void answer(incoming, outgoing);
    },
  );
  server.maxConnections = limits.maxConnections;
  server.on('clientError', refuseBrokenRequest);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => log.error({ err: error }, 'the admin server failed'));
  const bound = server.address();
  return { port: isAddressInfo(bound) ? bound.port : 0, close: (deadline = 5_000) => close(server, deadline) };
}

/** Kept beside the request, not in it: nothing that a client sends can end up here. */
const introduced = new WeakMap<IncomingMessage, AdminBindings>();

async function fetchFor(app: Pick<AdminApp, 'fetch'>, request: Request, incoming: IncomingMessage): Promise<Response> {
  const bindings = introduced.get(incoming);
  if (bindings === undefined) throw new GatewayError('forbidden', { detail: "This socket is for the gateway's own workers." });
  return app.fetch(request, bindings);
}

/**
 * Reads the headers that only workers may send and takes them out of the request, whoever sent them, so that no handler
 * ever sees them.
 */
function takeInternalHeaders(incoming: IncomingMessage): ReadonlyMap<string, string> {
  const internal = new Map<string, string>();
  const kept: string[] = [];
  const { rawHeaders } = incoming;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    const lower = name.toLowerCase();
    if (lower.startsWith('x-apigate-') || lower === requestIdHeader) {
      // Twice the same header means somebody smuggles one past the worker: then neither counts.
      internal.set(lower, internal.has(lower) ? '' : value);
      delete incoming.headers[lower];
    } else {
      kept.push(name, value);
    }
  }
  incoming.rawHeaders = kept;
  return internal;
}

function requestIdOf(given: string | undefined): string {
  return given !== undefined && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomBytes(16).toString('hex');
}

function requestError(error: unknown): unknown {
  if (error instanceof GatewayError) return error;
  if (error instanceof Error && error.name === 'RequestError') return new GatewayError('invalid_request', { detail: `${error.message}.` });
  return error;
}

/** Answers what Node could not parse or did not get in time, in our own words, and closes. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(codeOf(error), requestIdOf(undefined));
  const body = JSON.stringify(problem);
  const headers = {
    ...securityHeaders,
    'Content-Type': problemMediaType,
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': problem.request_id,
    Connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${head.join('')}\r\n${body}`);
}

function codeOf(error: NodeJS.ErrnoException): ErrorCode {
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  return error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'request_malformed';
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

async function close(server: Server, deadline: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), deadline);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(timer);
}
