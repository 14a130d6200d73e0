import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { AdminSession } from './admin-session.ts';
import { eventually } from './eventually.ts';
import { scopedGateway } from './scoped-gateway.ts';
import { answerOk, startScriptedUpstream } from './scripted-upstream.ts';
import type { Gateway } from './start-gateway.ts';

/** A finished request, as the admin API shows it. */
export interface Shown {
  readonly id: string;
  readonly path: string;
  readonly status: number | null;
  readonly code: string | null;
  readonly [field: string]: unknown;
}

/** A gateway in front of an upstream that answers, with an admin signed in. */
export async function watchedGateway(
  context: TestContext,
  options: { workers?: number; flags?: readonly string[]; env?: Record<string, string> } = {},
) {
  const upstream = await startScriptedUpstream(answerOk);
  context.after(() => upstream.close());
  const gateway = await scopedGateway(context, { upstream: upstream.url, admin: true, ...options });
  return { upstream, gateway, admin: await AdminSession.signIn(gateway) };
}

export async function listRequests(admin: AdminSession, query = ''): Promise<readonly Shown[]> {
  const answer = await admin.call('GET', `/requests${query}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return (answer.body as { data: readonly Shown[] }).data;
}

/** A request that ends is told within a tenth of a second; this waits for as long as it takes. */
export async function shownRequest(admin: AdminSession, id: string): Promise<Shown> {
  let answer = await admin.call('GET', `/requests/${id}`);
  await eventually(
    async () => (answer = await admin.call('GET', `/requests/${id}`)).status === 200,
    () => `request ${id}: ${JSON.stringify(answer.body)}`,
  );
  return answer.body as unknown as Shown;
}

/** Sends a GET; its request id. */
export async function ask(gateway: Gateway, path: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(gateway.url + path, { headers });
  await response.arrayBuffer();
  return response.headers.get('x-request-id')!;
}
