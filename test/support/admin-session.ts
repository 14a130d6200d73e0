import http from 'node:http';
import type { AdminAnswer } from './admin-client.ts';
import { adminEmail, adminPassword, type Gateway } from './start-gateway.ts';

export interface AdminCall {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is when it is text or bytes, else as JSON. */
  readonly body?: unknown;
  /** Replaces `application/json`; null sends no Content-Type. */
  readonly type?: string | null;
}

/** The admin REST API with everything a test may want to say in a request; each call has a connection of its own. */
export class AdminSession {
  readonly #gateway: Gateway;
  readonly #authority: Readonly<Record<string, string>>;

  constructor(gateway: Gateway, authority: Readonly<Record<string, string>>) {
    this.#gateway = gateway;
    this.#authority = authority;
  }

  /** Signs in as the admin that `startGateway({ admin: true })` makes. */
  static async signIn(gateway: Gateway, email = adminEmail, password = adminPassword): Promise<AdminSession> {
    const answer = await new AdminSession(gateway, {}).call('POST', '/login', { body: { email, password } });
    const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0];
    if (answer.status !== 200 || cookie === undefined) throw new Error(`sign-in answered ${answer.status} ${JSON.stringify(answer.body)}`);
    return new AdminSession(gateway, { cookie });
  }

  static withToken(gateway: Gateway, token: string): AdminSession {
    return new AdminSession(gateway, { authorization: `Bearer ${token}` });
  }

  /** `session=…` */
  get cookie(): string {
    return this.#authority['cookie'] ?? '';
  }

  call(method: string, path: string, { headers = {}, body, type = 'application/json' }: AdminCall = {}): Promise<AdminAnswer> {
    const payload = body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const sent: http.OutgoingHttpHeaders = { accept: 'application/json', ...this.#authority, ...headers };
    if (payload !== undefined)
      Object.assign(sent, { 'content-length': Buffer.byteLength(payload) }, type === null ? {} : { 'content-type': type });
    return new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: this.#gateway.port,
        method,
        path: `/admin${path}`,
        headers: sent,
        agent: false,
        timeout: 20_000,
      };
      const request = http.request(options, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(pieces).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed(text) });
        });
      });
      request.once('error', reject).once('timeout', () => request.destroy(new Error(`${method} ${path} took too long`)));
      request.end(payload);
    });
  }

  /** A call that must answer 2xx. */
  async must(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await this.call(method, path, { body });
    if (answer.status >= 200 && answer.status <= 299) return answer.body;
    throw new Error(`${method} /admin${path} ${JSON.stringify(body)} answered ${answer.status} ${JSON.stringify(answer.body)}`);
  }
}

function parsed(text: string): Record<string, unknown> {
  if (text === '') return {};
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { text };
  }
}
