import type { Settings } from '../settings/settings.ts';
import type { AdminAnswer, AdminClient, AdminMethod } from './admin-client.ts';
import type { LocalAdmin } from './cli-ports.ts';
import { readAnswer, readStream } from './read-answer.ts';

/** The admin app in this process, on the local database. */
export class LocalAdminClient implements AdminClient {
  readonly trafficUrl: string;
  readonly isRemote = false;
  private readonly admin: LocalAdmin;

  constructor(admin: LocalAdmin, settings: Settings) {
    this.admin = admin;
    this.trafficUrl = admin.trafficUrl ?? trafficUrlOf(settings);
  }

  async request(method: AdminMethod, path: string, body?: unknown): Promise<AdminAnswer> {
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return readAnswer(await this.admin.fetch(request), 'the local admin app');
  }

  async stream(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
    return readStream(await this.admin.fetch(new Request(`http://localhost${path}`, { headers, signal })), 'the running gateway');
  }

  waitUntilServed(revision: number): Promise<'served' | 'no-gateway' | 'timeout'> {
    return this.admin.waitUntilServed(revision);
  }

  close(): Promise<void> {
    return this.admin.close();
  }
}

function trafficUrlOf(settings: Settings): string {
  const { host } = settings.server;
  const everywhere = host === '0.0.0.0' || host === '::' || host === '127.0.0.1' || host === '::1';
  const name = everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return settings.server.port === 0 && settings.tls !== null
    ? `https://${name}:${settings.tls.port}`
    : `http://${name}:${settings.server.port}`;
}
