import assert from 'node:assert/strict';
import type { Explanation } from '../../src/model/explanation.ts';
import { RawClient, type RawResponse } from './raw-client.ts';
import type { Script, ScriptedUpstream, UpstreamRequest } from './scripted-upstream.ts';
import type { Gateway } from './start-gateway.ts';

/** A request that is explained, and then sent as it is. */
export interface Asked {
  readonly method: string;
  /** What stands behind `http://HOST`. */
  readonly target: string;
  readonly host: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body: string | null;
}

/** What `POST /admin/explain` says of it. `more` goes along, a draft for instance. */
export async function explain(gateway: Gateway, asked: Asked, more: object = {}): Promise<Explanation> {
  const { method, target, host, headers, body } = asked;
  // A Host of its own would stand in place of the URL's.
  const isWhole = target.startsWith('/') && !headers.some(({ name }) => name.toLowerCase() === 'host');
  const url = isWhole ? `http://${host}${target}` : target;
  const given = isWhole ? headers : [{ name: 'Host', value: host }, ...headers];
  return (await gateway.admin.must('POST', '/explain', { method, url, headers: given, body, ...more })) as unknown as Explanation;
}

/** The same request over a socket, byte for byte. */
export async function send(port: number, { method, target, host, headers, body }: Asked): Promise<RawResponse> {
  using client = await RawClient.connect(port);
  const gives = (name: string): boolean => headers.some((header) => header.name.toLowerCase() === name);
  const lines = headers.map(({ name, value }) => `${name}: ${value}\r\n`);
  lines.unshift(`Host: ${host}\r\n`);
  const content = body ?? '';
  const length = Buffer.byteLength(content);
  if (length > 0 && !gives('transfer-encoding')) lines.push(`Content-Length: ${length}\r\n`);
  const chunked = headers.some(({ name, value }) => name.toLowerCase() === 'transfer-encoding' && value === 'chunked');
  const wire = !chunked ? content : length === 0 ? '0\r\n\r\n' : `${length.toString(16)}\r\n${content}\r\n0\r\n\r\n`;
  await client.send(Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${wire}`, 'utf8'));
  return await client.response({ method });
}

/** API keys of ours are nowhere shown. */
function withoutKeys(text: string): string {
  return text.replaceAll(/ak_[0-9a-f]{8,}/g, 'ak_***');
}

/** A script that says which upstream it is. */
export function named(name: string): Script {
  return async (request, connection) => {
    if (!(await request.complete)) return;
    await connection.write(`HTTP/1.1 200 OK\r\nX-Upstream: ${name}\r\n${request.nonceEcho}Content-Length: 0\r\n\r\n`);
  };
}

const credentials = new Set(['authorization', 'proxy-authorization', 'cookie', 'x-api-key', 'x-backend-key']);
const perRequest = new Set(['x-request-id', 'traceparent']);

/** Fails unless what really happens to a request is what was explained. Sends it. */
export async function assertAgrees(
  gateway: Gateway,
  upstreams: Readonly<Record<string, ScriptedUpstream>>,
  asked: Asked,
  explanation: Explanation,
): Promise<void> {
  const before = Object.entries(upstreams).map(([name, upstream]) => ({ name, upstream, count: upstream.requests.length }));
  const response = await send(gateway.port, asked);
  const reached = before.filter(({ upstream, count }) => upstream.requests.length > count);
  const what = JSON.stringify({ asked, verdict: explanation.verdict, got: response.status, body: response.body.toString() });
  if (explanation.stage === 'own' && explanation.status === null) {
    assert.deepEqual([reached.length, response.value('X-Upstream')], [0, undefined], what);
    return;
  }
  if (explanation.status !== null) {
    assert.equal(response.status, explanation.status, what);
    assert.deepEqual(
      reached.map(({ name }) => name),
      [],
      what,
    );
    if (explanation.code !== null && asked.method !== 'HEAD') assert.equal(response.json()['code'], explanation.code, what);
    assert.equal(response.value('Allow'), explanation.response_headers.find(({ name }) => name === 'Allow')?.value, what);
    return;
  }
  assert.equal(explanation.stage, 'sent', what);
  assert.deepEqual([response.value('X-Upstream'), reached.map(({ name }) => name)], [explanation.upstream, [explanation.upstream]], what);
  const upstream = reached[0]!.upstream;
  const request = upstream.requests.at(-1)!;
  await request.ended();
  assertSame(request, upstream.url, explanation, what);
}

function assertSame(request: UpstreamRequest, origin: string, { request: explained }: Explanation, what: string): void {
  assert.ok(explained !== null, what);
  assert.deepEqual([request.method, origin + withoutKeys(request.target)], [explained.method, explained.url], what);
  const comparable = (name: string, value: string): string => {
    const lower = name.toLowerCase();
    return `${name}: ${credentials.has(lower) ? '***' : perRequest.has(lower) ? '(new)' : withoutKeys(value)}`;
  };
  assert.deepEqual(
    explained.headers.map(({ name, value }) => comparable(name, value)),
    request.fields.map(([name, value]) => comparable(name, Buffer.from(value, 'latin1').toString('utf8'))),
    what,
  );
  assert.equal(explained.body ?? '', request.body.toString(), what);
}
