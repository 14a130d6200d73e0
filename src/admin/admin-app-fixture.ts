import assert from 'node:assert/strict';
import type { z } from 'zod';
import { goodPassword, openAccess, systemActor, type AccessFixture } from '../control/access-fixture.ts';
import { createControlContext } from '../control/create-control-context.ts';
import { FinishedRequests } from '../control/finished-requests.ts';
import { HealthWatch } from '../control/health-watch.ts';
import { LiveFeed } from '../control/live-feed.ts';
import { createToken } from '../control/tokens.ts';
import { TrafficHistory } from '../control/traffic-history.ts';
import type { UpstreamTraffic } from '../control/upstream-health.ts';
import { problemMediaType } from '../errors/problem.ts';
import type { TokenScope } from '../model/api-token.ts';
import { createSharedCounters, readSharedCounters } from '../telemetry/shared-counters.ts';
import { createSealer } from '../secrets/sealer.ts';
import { newSecretKeyText, parseSecretKey } from '../secrets/secret-key.ts';
import { createAdminApp, type AdminApp } from './admin-app.ts';
import type { AdminBindings } from './admin-env.ts';
import { problemSchema } from './problem-schema.ts';
import { securityHeaders } from './security-headers.ts';
import type { UiFiles } from './ui-files.ts';

/** For tests: the admin app on a real, temporary database, and a client for it in this process. */
export interface AppFixture extends AsyncDisposable {
  readonly app: AdminApp;
  readonly access: AccessFixture;
  /** What went to the log. */
  readonly logged: { readonly details: object; readonly message: string }[];
  /** What the app shows of traffic: a test fills it. */
  readonly requests: FinishedRequests;
  readonly health: HealthWatch;
  readonly upstreamTraffic: UpstreamTraffic[];
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<Answer>;
  /** Signs the first admin in; the value of a `Cookie` header. */
  signIn(email?: string): Promise<string>;
  /** Makes a token; the value of an `Authorization` header. */
  token(scope: TokenScope): Promise<string>;
}

export interface CallOptions {
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookie?: string;
  readonly authorization?: string;
  readonly env?: Partial<AdminBindings>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed, when it is JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  readonly body: any;
}

export const firstAdmin = 'ann@example.com';
export const firstSignIn = { email: firstAdmin, password: goodPassword };

export async function openApp(
  options: {
    readonly admins?: readonly string[];
    readonly allow?: readonly string[];
    readonly hosts?: readonly string[];
    readonly ui?: UiFiles;
  } = {},
): Promise<AppFixture> {
  const access = await openAccess(...(options.admins ?? [firstAdmin]));
  const key = parseSecretKey(newSecretKeyText());
  assert.ok(key.ok);
  const logged: { details: object; message: string }[] = [];
  const write = (details: object, message: string): void => void logged.push({ details, message });
  const log = { info: write, warn: write, error: write };
  const control = createControlContext({
    store: access.access.store,
    sealer: createSealer(key.value),
    publisher: null,
    previewer: { preview: () => Promise.reject(new Error('no data plane here')) },
    explainer: {
      prepare: () => Promise.reject(new Error('no data plane here')),
      upstreamAsked: () => Promise.reject(new Error('no data plane here')),
      explain: () => Promise.reject(new Error('no data plane here')),
      takersOf: () => null,
    },
    trialCompiler: {
      expressions: () => Promise.resolve(),
      upstream: () => [],
      route: () => ({ errors: [], warnings: ['h\u00e9 \u201cwarned\u201d'] }),
      routes: (_all, changed) =>
        Promise.resolve(new Map([...changed].map((id) => [id, { errors: [], warnings: ['h\u00e9 \u201cwarned\u201d'] }]))),
      order: (all) => all.map((route) => ({ route, beatenBy: null, warnings: [] })),
      transformation: () => [],
    },
    probeUpstream: () => Promise.reject(new Error('no test was expected')),
    logger: log,
    clock: access.access.clock,
  });
  const finished = new FinishedRequests();
  const upstreamTraffic: UpstreamTraffic[] = [];
  const health = new HealthWatch({ read: () => upstreamTraffic, logger: log });
  const counters = createSharedCounters({ workers: 1 });
  const source = { upstreams: () => upstreamTraffic, detail: () => {}, totals: () => readSharedCounters(counters) };
  const app = createAdminApp({
    control,
    access: access.access,
    allow: options.allow ?? ['127.0.0.0/8', '::1', '10.0.0.0/8', '192.168.0.0/16', 'fc00::/7'],
    hosts: options.hosts ?? [],
    version: '1.2.3',
    log,
    metrics: { text: async () => 'apigate_workers 1\n', openToLoopback: true },
    traffic: {
      requests: finished,
      health,
      history: new TrafficHistory({ source }),
      feed: new LiveFeed({ source }),
      recordsDropped: () => 0,
    },
    startedWith: {
      settings: [
        {
          key: 'workers',
          flag: '--workers',
          environment: 'APIGATE_WORKERS',
          value: 1,
          origin: 'flag --workers',
          help: 'data-plane workers',
          default: 'number of CPUs',
          secret: false,
        },
      ],
      listeners: [{ scheme: 'http', host: '0.0.0.0', port: 8080, planes: ['traffic', 'admin'] }],
    },
    ui: () => Promise.resolve(options.ui),
  });
  let requests = 0;

  const call: AppFixture['call'] = async (method, path, given = {}) => {
    const headers = new Headers({ host: 'localhost:8080', ...given.headers });
    if (given.cookie !== undefined) headers.set('cookie', given.cookie);
    if (given.authorization !== undefined) headers.set('authorization', given.authorization);
    if (given.json !== undefined) headers.set('content-type', 'application/json');
    const body = given.json === undefined ? (given.body ?? null) : JSON.stringify(given.json);
    const env: AdminBindings = { remoteAddress: '127.0.0.1', scheme: 'http', requestId: `request-${(requests += 1)}`, ...given.env };
    const init: RequestInit = { method, headers, body };
    const response = await app.fetch(new Request(`http://localhost:8080${path}`, init), env);
    const isStream = response.headers.get('content-type') === 'text/event-stream';
    // A stream of events has no end of its own.
    if (isStream) await response.body?.cancel();
    const text = isStream ? '' : await response.text();
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      text,
      body: /json/.test(response.headers.get('content-type') ?? '') && text !== '' ? JSON.parse(text) : undefined,
    };
    checkAnswer(app, method, path, answer, env.requestId);
    return answer;
  };

  return {
    app,
    access,
    logged,
    requests: finished,
    health,
    upstreamTraffic,
    call,
    async signIn(email = firstAdmin) {
      const answer = await call('POST', '/admin/login', { json: { email, password: goodPassword } });
      assert.equal(answer.status, 200, answer.text);
      return (answer.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
    },
    async token(scope) {
      const { secret } = await createToken(access.access, systemActor, { name: `${scope} ${(requests += 1)}`, scope });
      return `Bearer ${secret}`;
    },
    [Symbol.asyncDispose]: () => {
      health.stop();
      return access[Symbol.asyncDispose]();
    },
  };
}

/** A client that is signed in. */
export async function signedIn(fixture: AppFixture): Promise<AppFixture['call']> {
  const cookie = await fixture.signIn();
  return (method, path, options = {}) => fixture.call(method, path, { cookie, ...options });
}

/** The fields that a 422 names, in order of the alphabet. */
export function fieldsOf(answer: Answer): string[] {
  assert.equal(answer.status, 422, answer.text);
  return answer.body.errors.map(({ field }: { field: string }) => field).toSorted();
}

/** What holds for every answer, whatever was asked: checked on each call of every test. */
function checkAnswer(app: AdminApp, method: string, path: string, answer: Answer, requestId: string): void {
  assert.equal(answer.headers.get('x-request-id'), requestId);
  for (const [name, value] of Object.entries(securityHeaders)) {
    if (name !== 'Content-Security-Policy') assert.equal(answer.headers.get(name), value, name);
  }
  assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'none'/);
  assert.equal(answer.headers.get('access-control-allow-origin'), null);
  if (method === 'HEAD') {
    assert.equal(answer.text, '');
  } else if (answer.status >= 400) {
    assert.equal(answer.headers.get('content-type'), problemMediaType);
    const problem = problemSchema.parse(answer.body);
    assert.equal(problem.status, answer.status);
    assert.equal(problem.request_id, requestId);
    assert.doesNotMatch(answer.text, /\bat .*\.ts:\d|node:internal/, 'a stack');
  } else {
    const schema = responseSchemaOf(app, method, path, answer.status);
    if (schema === null) assert.equal(answer.text, '');
    else if (schema !== undefined && answer.headers.get('content-type') !== 'application/yaml') schema.parse(answer.body);
  }
}

/** The schema by which an answer is described; null where it has no body; undefined for what is not JSON of a schema. */
function responseSchemaOf(app: AdminApp, method: string, path: string, status: number): z.ZodType | null | undefined {
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== 'route' || definition.route.method !== method.toLowerCase()) continue;
    const pattern = new RegExp(`^${definition.route.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
    if (!pattern.test(path.split('?', 1)[0] ?? '')) continue;
    const response = definition.route.responses[status] as
      | { readonly content?: Readonly<Record<string, { readonly schema: object }>> }
      | undefined;
    assert.ok(response, `${method} ${path} answers ${status}, which is not described`);
    if (response.content === undefined) return null;
    const schema = response.content['application/json']?.schema;
    return schema !== undefined && 'parse' in schema ? (schema as z.ZodType) : undefined;
  }
  return assert.fail(`${method} ${path} answers ${status} and is not described`);
}
