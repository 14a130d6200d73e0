import { freePort } from './free-port.ts';
import { type Harness, type HarnessOptions, useGateway } from './harness.ts';

export interface WebSocketRoute {
  readonly harness: Harness;
  /** The route leads to this port of 127.0.0.1; each test starts its own server there. */
  readonly upstreamPort: number;
  /** The route takes what is below this path, and the server sees the same path. */
  readonly path: string;
  /** What a client has to add to its address to be let in. The server must not see it. */
  readonly query: Readonly<Record<string, string>>;
  /** Both ways to the server: `direct` without the gateway, `gateway` through it, with the query. */
  address(way: Way, scheme: 'ws' | 'http'): string;
}

export type Way = 'direct' | 'gateway';

/**
 * One gateway for a whole test file, with a route for WebSocket to a port that is known before anyone listens there.
 * What kind of route that is, and how clients are admitted to it, is said here and nowhere else. Call it at the top of
 * the file.
 */
export async function useWebSocketRoute(options: Pick<HarnessOptions, 'concurrent'> = {}): Promise<WebSocketRoute> {
  const upstreamPort = await freePort();
  const path = '/live';
  const query: Record<string, string> = {};
  const harness = useGateway({
    ...options,
    script: false,
    workers: 2,
    admin: true,
    prepare: async ({ gateway: { admin }, invariants }) => {
      const upstream = await admin.must('POST', '/upstreams', { name: 'live', base_url: `http://127.0.0.1:${upstreamPort}` });
      const route = { name: 'live', path_pattern: path, protocol: 'websocket', api_key_query: true, upstream_id: upstream['id'] };
      await admin.must('POST', '/routes', route);
      const key = String((await admin.must('POST', '/keys', { name: 'live' }))['key']);
      query['api_key'] = key;
      invariants.canaries.push(key);
    },
  });
  return {
    harness,
    upstreamPort,
    path,
    query,
    address(way, scheme) {
      if (way === 'direct') return `${scheme}://127.0.0.1:${upstreamPort}${path}`;
      const search = new URLSearchParams(query).toString();
      return `${scheme}://127.0.0.1:${harness.gateway.port}${path}${search === '' ? '' : `?${search}`}`;
    },
  };
}
