import { type RawResponse, RawClient, type RequestOptions } from './raw-client.ts';

/**
 * Kept connections of several clients. The kernel spreads them over the workers' listening sockets, so that with six
 * for each worker hardly ever one is left out.
 */
export class ManyClients {
  readonly clients: readonly RawClient[];
  #next = 0;

  static async connect(port: number, workers: number): Promise<ManyClients> {
    return new ManyClients(await Promise.all(Array.from({ length: workers * 6 }, () => RawClient.connect(port))));
  }

  private constructor(clients: readonly RawClient[]) {
    this.clients = clients;
  }

  /** The same request at once on all connections, or on the next `count` of them. */
  async request(method: string, options: RequestOptions, count = this.clients.length): Promise<RawResponse[]> {
    const chosen = Array.from({ length: count }, (_, index) => this.clients[(this.#next + index) % this.clients.length]!);
    this.#next += count;
    return await Promise.all(chosen.map((client) => client.request(method, options)));
  }

  /** What distinguishes the answers: status and code of the gateway's own, status and body of an upstream's. */
  async answers(method: string, options: RequestOptions): Promise<string[]> {
    const responses = await this.request(method, options);
    return [...new Set(responses.map((response) => summary(response)))].toSorted();
  }

  close(): void {
    for (const client of this.clients) client.destroy();
  }
}

function summary(response: RawResponse): string {
  const own = response.value('content-type') === 'application/problem+json';
  return `${response.status} ${own ? String(response.json()['code']) : response.body.toString()}`;
}
