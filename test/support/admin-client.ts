import http from 'node:http';

export interface AdminAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

export interface UpstreamFields {
  readonly name?: string;
  readonly base_url: string;
  readonly [field: string]: unknown;
}

let names = 0;

/** Speaks the admin REST API as an automation would: sign in once, then JSON. */
export class AdminClient {
  readonly #port: number;
  readonly #email: string;
  readonly #password: string;
  #cookie: Promise<string> | undefined;

  constructor(port: number, email: string, password: string) {
    this.#port = port;
    this.#email = email;
    this.#password = password;
  }

  /** One call; signs in first when that has not happened yet. */
  async call(method: string, path: string, body?: unknown): Promise<AdminAnswer> {
    this.#cookie ??= this.#signIn();
    return await this.#send(method, `/admin${path}`, body, await this.#cookie);
  }

  /** A call that must answer 2xx. */
  async must(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await this.call(method, path, body);
    if (answer.status < 200 || answer.status > 299) {
      throw new Error(`${method} /admin${path} ${JSON.stringify(body)} answered ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  }

  /** Makes an upstream and a public route to it for all below `/NAME`; answers that path and both ids. */
  async expose(
    upstream: UpstreamFields,
    route: Readonly<Record<string, unknown>> = {},
  ): Promise<{ path: string; upstreamId: string; routeId: string }> {
    const name = upstream.name ?? `t${(names += 1)}`;
    const made = await this.must('POST', '/upstreams', { ...upstream, name });
    const path = (route['path_pattern'] as string | undefined) ?? `/${name}`;
    const routed = await this.must('POST', '/routes', {
      name,
      path_pattern: path,
      upstream_id: made['id'],
      auth_required: false,
      ...route,
    });
    return { path, upstreamId: made['id'] as string, routeId: routed['id'] as string };
  }

  async #signIn(): Promise<string> {
    const answer = await this.#send('POST', '/admin/login', { email: this.#email, password: this.#password }, undefined);
    const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0];
    if (answer.status !== 200 || cookie === undefined) throw new Error(`sign-in answered ${answer.status} ${JSON.stringify(answer.body)}`);
    return cookie;
  }

  #send(method: string, path: string, body: unknown, cookie: string | undefined): Promise<AdminAnswer> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers: http.OutgoingHttpHeaders = { accept: 'application/json' };
    if (payload !== undefined) Object.assign(headers, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) });
    if (cookie !== undefined) headers['cookie'] = cookie;
    return new Promise((resolve, reject) => {
      const request = http.request(
        { host: '127.0.0.1', port: this.#port, method, path, headers, agent: false, timeout: 15_000 },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
          response.once('end', () => {
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text === '' ? {} : parsed(text) });
          });
          response.once('error', reject);
        },
      );
      request.once('error', reject).once('timeout', () => request.destroy(new Error(`${method} ${path} took too long`)));
      request.end(payload);
    });
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { text };
  }
}
