import type { Harness } from './harness.ts';
import { fetchRaw, type RawResponse, type RequestOptions } from './raw-client.ts';
import { answerOk, type Script, type ScriptedUpstream, type UpstreamRequest } from './scripted-upstream.ts';

/** A route of its own for one test, with what its upstream got. */
export interface TransformedRoute {
  /** Where requests go: below it everything is the route's. */
  readonly path: string;
  readonly upstream: ScriptedUpstream;
  readonly upstreamId: string;
  readonly routeId: string;
  /** A request that must reach the upstream: what the upstream got, and what the client. */
  send(method: string, options?: RequestOptions): Promise<{ request: UpstreamRequest; response: RawResponse }>;
  /** A request that the gateway answers itself: the upstream must not hear of it. */
  refused(method: string, options?: RequestOptions): Promise<RawResponse>;
}

let count = 0;

/** Makes an upstream with that script and a public route to it. `fields` are the route's; a target without a path is the route's. */
export async function transformedRoute(
  harness: Harness,
  fields: Readonly<Record<string, unknown>>,
  script: Script = answerOk,
  upstreamFields: Readonly<Record<string, unknown>> = {},
): Promise<TransformedRoute> {
  const upstream = await harness.scripted(script);
  const path = `/t${(count += 1)}`;
  const base = (upstreamFields['base_path'] as string | undefined) ?? '';
  const { base_path: _, ...rest } = upstreamFields;
  const made = await harness.gateway.admin.expose({ base_url: upstream.url + base, ...rest }, { path_pattern: path, ...fields });
  const call = (method: string, options: RequestOptions): Promise<RawResponse> =>
    fetchRaw(harness.port, method, { ...options, target: options.target ?? made.path });
  return {
    ...made,
    upstream,
    async send(method, options = {}) {
      const before = upstream.requests.length;
      const response = await call(method, options);
      if (upstream.requests.length !== before + 1)
        throw new Error(
          `the upstream got ${upstream.requests.length - before} requests; the client ${response.status} ${response.body.toString()}`,
        );
      const request = upstream.requests[before]!;
      await request.ended();
      return { request, response };
    },
    async refused(method, options = {}) {
      const before = upstream.receivedBytes;
      const response = await call(method, options);
      if (upstream.receivedBytes !== before) throw new Error(`the upstream heard of a request that was answered ${response.status}`);
      return response;
    },
  };
}

/** A script that answers every request with these fields and this body. */
export function answering(status: string, fields: readonly (readonly [string, string])[], body: string | Uint8Array): Script {
  return async (request, connection) => {
    if (!(await request.complete)) return;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    await connection.write(`HTTP/1.1 ${status}\r\n${head}${request.nonceEcho}Content-Length: ${bytes.length}\r\n\r\n`);
    if (request.method !== 'HEAD') await connection.write(bytes);
  };
}

export const jsonType = ['Content-Type', 'application/json'] as const;
