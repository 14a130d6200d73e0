import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Problem } from '../errors/problem.ts';
import type { Admin } from '../model/admin.ts';
import type { ApiKey } from '../model/api-key.ts';
import type { ApiToken } from '../model/api-token.ts';
import { routeDefaults, type Route } from '../model/route.ts';
import { upstreamDefaults, type Upstream } from '../model/upstream.ts';

type Row = Record<string, unknown>;

/** One request as it came. */
export interface SeenRequest {
  readonly method: string;
  /** As sent, still percent-encoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly authorization: string | null;
  readonly body: unknown;
}

type Rest<T> = Omit<T, 'id' | 'name' | 'email' | 'created_at' | 'updated_at'>;

const upstream: Rest<Upstream> = { ...upstreamDefaults, base_url: '', auth_value_set: false, auth_value_updated_at: null, managed: false };
const route: Rest<Route> = { ...routeDefaults, path_pattern: '/', upstream_id: 'up_0', managed: false };
const key: Rest<ApiKey> = {
  prefix: 'ak_123456789',
  routes: [],
  rate_limit_per_minute: null,
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
};
const token: Rest<ApiToken> = {
  prefix: 'agt_12345678',
  scope: 'read',
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
  created_by: 'cli',
};
const admin: Rest<Admin> = { last_sign_in_at: null };

const defaults: Readonly<Record<string, { readonly id: string; readonly name: string; readonly row: object }>> = {
  upstreams: { id: 'up', name: 'name', row: upstream },
  routes: { id: 'rt', name: 'name', row: route },
  keys: { id: 'key', name: 'name', row: key },
  tokens: { id: 'tok', name: 'name', row: token },
  admins: { id: 'adm', name: 'email', row: admin },
};

/** The API key and the token that `create` answers with. */
export const madeKey = `ak_${'5'.repeat(64)}`;
export const madeToken = `agt_${'7'.repeat(64)}`;

/**
 * For tests of the CLI: speaks the admin API's shapes from memory, over HTTP (`listen`) and in-process (`fetch`).
 * It validates nothing; what a real one would refuse is said with `answerNext`.
 */
export class StandInAdminApi implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  /** Rows on one page of a list. */
  pageSize = 500;
  /** Sent with every answer to a write. */
  warnings: readonly string[] = [];
  private readonly rows = new Map<string, Row[]>(Object.keys(defaults).map((name) => [name, []]));
  private readonly scripted: (() => Response)[] = [];
  private server: Server | undefined;
  private revision = 0;
  private made = 0;

  /** The JSON of the first request; the test fails where there was none. */
  get firstBody(): Row {
    const [first] = this.seen;
    if (first === undefined) throw new Error('the CLI sent no request');
    return first.body as Row;
  }

  /** Answers the next request so, whatever it is. */
  answerNext(answer: () => Response): void {
    this.scripted.push(answer);
  }

  /** Refuses the next request. */
  refuseNext(problem: Partial<Problem> & Pick<Problem, 'status' | 'code'>): void {
    const body = {
      type: `urn:apigate:error:${problem.code}`,
      title: 'Refused',
      detail: 'It was refused.',
      request_id: 'req-1',
      ...problem,
    };
    this.answerNext(() => Response.json(body, { status: problem.status, headers: { 'content-type': 'application/problem+json' } }));
  }

  /** Puts a row there as if it had been created. */
  add(collection: string, fields: Row): Row {
    const { id, row } = defaults[collection] ?? assertNever(collection);
    const time = '2026-11-23T05:06:07.089Z';
    const made = { id: `${id}_${String(++this.made).padStart(16, '0')}`, ...row, ...fields, created_at: time, updated_at: time };
    this.rows.get(collection)?.push(made);
    return made;
  }

  all(collection: string): readonly Row[] {
    return this.rows.get(collection) ?? [];
  }

  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const text = await request.text();
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const query = Object.fromEntries(url.searchParams);
    this.seen.push({ method: request.method, path: url.pathname, query, authorization: request.headers.get('authorization'), body });
    const scripted = this.scripted.shift();
    if (scripted !== undefined) return scripted();
    return this.answer(request.method, url, (body ?? {}) as Row);
  }

  /** Starts an HTTP server on a free port. */
  async listen(): Promise<string> {
    this.server = createServer((incoming, outgoing) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk as Buffer);
        const body = chunks.length === 0 ? null : Buffer.concat(chunks);
        const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values]) =>
          (values ?? []).map((value): [string, string] => [name, value]),
        );
        const answer = await this.fetch(
          new Request(`http://${incoming.headers.host}${incoming.url}`, { method: incoming.method ?? 'GET', headers, body }),
        );
        outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
      })();
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.server.listen(0, '127.0.0.1', resolve);
    await promise;
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.server === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.server.close(() => resolve());
    this.server.closeAllConnections();
    await promise;
  }

  private answer(method: string, url: URL, body: Row): Response {
    const [, , collection = '', reference, action] = url.pathname.split('/');
    const kind = defaults[collection];
    const rows = this.rows.get(collection);
    if (kind === undefined || rows === undefined) return notFound();
    if (reference === undefined) return method === 'POST' ? this.create(collection, body) : this.list(rows, url.searchParams, kind.name);
    const wanted = decodeURIComponent(reference);
    const row = rows.find((each) => each['id'] === wanted || each[kind.name] === wanted);
    if (row === undefined) return notFound();
    if (method === 'GET') return Response.json(row);
    if (method === 'PATCH') Object.assign(row, withoutSecrets(body));
    else if (method === 'POST' && action === 'revoke') row['revoked_at'] = '2026-11-23T06:00:00.000Z';
    else if (method === 'DELETE') {
      rows.splice(rows.indexOf(row), 1);
      return new Response(null, { status: 204, headers: this.notes() });
    } else return notFound();
    return Response.json(row, { headers: this.notes() });
  }

  private create(collection: string, body: Row): Response {
    const once = collection === 'keys' ? { key: madeKey } : collection === 'tokens' ? { token: madeToken } : {};
    return Response.json({ ...this.add(collection, withoutSecrets(body)), ...once }, { status: 201, headers: this.notes() });
  }

  private list(rows: readonly Row[], query: URLSearchParams, nameField: string): Response {
    const wanted = rows.filter((row) => {
      const named = String(row[nameField]).includes(query.get('q') ?? '');
      return named && (query.get('enabled') === null || String(row['enabled']) === query.get('enabled'));
    });
    const start = Number(query.get('cursor') ?? 0);
    const end = start + Math.min(this.pageSize, Number(query.get('limit') ?? 100));
    return Response.json({ data: wanted.slice(start, end), total: wanted.length, next_cursor: end < wanted.length ? String(end) : null });
  }

  private notes(): Record<string, string> {
    const revision = { 'x-apigate-revision': String(++this.revision) };
    return this.warnings.length === 0 ? revision : { ...revision, 'x-apigate-warnings': JSON.stringify(this.warnings) };
  }
}

function withoutSecrets(body: Row): Row {
  const { auth_value: authValue, ...rest } = body;
  delete rest['password'];
  return authValue === undefined ? rest : { ...rest, auth_value_set: authValue !== null };
}

function notFound(): Response {
  const body = {
    type: 'urn:apigate:error:not_found',
    title: 'Not found',
    status: 404,
    detail: 'There is no such resource.',
    code: 'not_found',
    request_id: 'req-404',
  };
  return Response.json(body, { status: 404, headers: { 'content-type': 'application/problem+json' } });
}

function assertNever(collection: string): never {
  throw new Error(`no collection ${collection}`);
}
