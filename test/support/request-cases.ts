import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Harness } from './harness.ts';
import { fetchRaw, RawClient, type RawResponse } from './raw-client.ts';
import type { UpstreamRequest } from './scripted-upstream.ts';

export interface Refusal {
  readonly status: number | readonly number[];
  readonly code?: string | readonly string[];
  /** Whether the gateway may keep the connection; only what is about framing or grammar must close it. */
  readonly mayKeep?: boolean;
  /** Head and body are sent apart, so that the head may have gone upstream; it must then never be completed. */
  readonly mayHaveBegun?: boolean;
  readonly timeoutMs?: number;
}

/** A test that the gateway refuses these bytes by itself: the status, a close, and not one byte upstream. */
export function refuses(harness: Harness, name: string, bytes: string | Uint8Array | (() => string), refusal: Refusal): void {
  test(name, async () => {
    await assertRefused(harness, typeof bytes === 'function' ? bytes() : bytes, refusal);
  });
}

export async function assertRefused(harness: Harness, bytes: string | Uint8Array, refusal: Refusal): Promise<RawResponse> {
  const { upstream, port } = harness;
  const requestsBefore = upstream.requests.length;
  const connectionsBefore = upstream.connections.length;
  using client = await RawClient.connect(port);
  await client.send(bytes);
  const response = await client.response({ timeoutMs: refusal.timeoutMs ?? 8_000 });
  assertOneOf(response.status, refusal.status, `${response.status} ${response.body.toString()}`);
  assert.equal(response.value('content-type'), 'application/problem+json');
  if (refusal.code !== undefined) assertOneOf(response.json()['code'] as string, refusal.code, 'code');
  if (refusal.mayKeep !== true) {
    assert.equal(response.value('connection')?.toLowerCase(), 'close', 'Connection: close is announced');
    const { rest } = await client.ended();
    assert.equal(rest.latin1Slice(), '', 'nothing follows the refusal');
  }
  // Whatever the gateway would have sent upstream on behalf of the refused bytes, it has sent before it serves this.
  const barrier = await fetchRaw(port, 'GET', { target: '/barrier' });
  assert.equal(barrier.status, 200, 'the next client is served');
  const begun = upstream.requests.slice(requestsBefore, -1);
  if (refusal.mayHaveBegun === true) {
    for (const request of begun) assert.equal(await request.ended(), false, 'a refused request is never completed upstream');
  } else {
    assert.deepEqual(
      begun.map((request) => `${request.method} ${request.target}`),
      [],
      'no request went upstream',
    );
    for (const connection of upstream.connections.slice(connectionsBefore))
      assert.match(connection.received, /^(GET \/barrier |$)/, 'not one byte went upstream');
  }
  return response;
}

/** A test that the gateway forwards these bytes as one request. */
export function passes(
  harness: Harness,
  name: string,
  bytes: string | Uint8Array | (() => string),
  check: (request: UpstreamRequest, response: RawResponse) => void = () => {},
): void {
  test(name, async () => {
    const before = harness.upstream.requests.length;
    using client = await RawClient.connect(harness.port);
    const sent = typeof bytes === 'function' ? bytes() : bytes;
    await client.send(sent);
    const method = /^(?:\r\n)*(\S+)/.exec(Buffer.from(sent as string, 'latin1').latin1Slice())?.[1] ?? 'GET';
    const response = await client.response({ method });
    assert.equal(response.status, 200, response.body.toString());
    assert.equal(harness.upstream.requests.length, before + 1, 'one request went upstream');
    const request = harness.upstream.requests[before]!;
    assert.equal(await request.ended(), true);
    check(request, response);
  });
}

export function assertOneOf<T>(actual: T, expected: T | readonly T[], message: string): void {
  const allowed = Array.isArray(expected) ? (expected as readonly T[]) : [expected as T];
  assert.ok(allowed.includes(actual), `${message}: expected ${allowed.join(' or ')}, got ${String(actual)}`);
}
