import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect, type NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openApp, type AppFixture } from './admin-app-fixture.ts';
import { listenForWorkers, listenOnTcp, type AdminListener, type ServerLimits } from './admin-server.ts';
import { problemSchema } from './problem-schema.ts';
import type { UiFiles } from './ui-files.ts';

// For tests: the admin server on real sockets, and clients for it.

export const json = { 'content-type': 'application/json' };
export const workerToken = 'a'.repeat(64);
/** Of commands on the same machine. */
export const localToken = 'c'.repeat(64);
export const asWorker = {
  'x-apigate-worker-token': workerToken,
  'x-apigate-client': '127.0.0.1',
  'x-apigate-scheme': 'http',
  host: 'localhost:8080',
};

export interface Served extends AsyncDisposable {
  readonly fixture: AppFixture;
  readonly target: NetConnectOpts & RequestOptions;
  readonly listener: AdminListener;
}

export async function serveTcp(options: { allow?: readonly string[]; limits?: Partial<ServerLimits>; ui?: UiFiles } = {}): Promise<Served> {
  const fixture = await openApp(options);
  const log = { warn: () => undefined, error: (details: object, message: string) => void fixture.logged.push({ details, message }) };
  const listener = await listenOnTcp({ app: fixture.app, log, host: '127.0.0.1', port: 0, limits: options.limits ?? {} });
  return {
    fixture,
    listener,
    target: { host: '127.0.0.1', port: listener.port },
    [Symbol.asyncDispose]: () => closeBoth(listener, fixture),
  };
}

export async function serveWorkers(): Promise<Served> {
  const fixture = await openApp();
  const directory = await mkdtemp(join(tmpdir(), 'apigate-admin-'));
  const socketPath = join(directory, 'admin.sock');
  const log = { warn: () => undefined, error: () => undefined };
  const listener = await listenForWorkers({ app: fixture.app, log, socketPath, token: workerToken, localToken });
  const target = { path: socketPath, socketPath };
  return {
    fixture,
    listener,
    target,
    async [Symbol.asyncDispose]() {
      await closeBoth(listener, fixture);
      await rm(directory, { recursive: true });
    },
  };
}

async function closeBoth(listener: AdminListener, fixture: AppFixture): Promise<void> {
  await listener.close(100);
  await fixture[Symbol.asyncDispose]();
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  readonly body: any;
}

export async function ask(
  { target }: Served,
  method: string,
  path: string,
  headers: Record<string, string | string[]> = {},
  body = '',
): Promise<Reply> {
  const outgoing = httpRequest({ ...target, method, path, headers, agent: false });
  // A server may answer and close before it has read everything.
  outgoing.on('error', () => undefined);
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const whole = await text(incoming);
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: whole === '' ? undefined : JSON.parse(whole) };
}

/** Sends exact bytes and reads to the end of the connection. */
export async function askRaw({ target }: Served, bytes: string): Promise<string> {
  const socket = connect(target);
  socket.write(bytes);
  return text(socket);
}

export function refusalIn(answer: string, status: number): { code: string } {
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
  assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `));
  assert.match(head, /content-type: application\/problem\+json/i);
  assert.match(head, /cache-control: no-store/i);
  assert.match(head, /x-request-id: [0-9a-f]{32}/i);
  return problemSchema.parse(JSON.parse(body));
}
