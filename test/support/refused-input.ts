import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { AdminAnswer } from './admin-client.ts';
import { type AdminCall, AdminSession } from './admin-session.ts';
import { revisionIn } from './database-reader.ts';
import { type Gateway, startGateway } from './start-gateway.ts';

/** Each field at fault with what its message must say; a field that is not named here must not be reported. */
export type ExpectedErrors = Readonly<Record<string, RegExp>>;

export interface Refusals {
  readonly gateway: Gateway;
  readonly session: AdminSession;
  /** One of each resource, there from the start. */
  readonly ids: { readonly upstream: string; readonly route: string; readonly key: string; readonly token: string; readonly admin: string };
  /** Everything that the admin API shows but when something was used, and the revision. To be asked again after a change. */
  state(): Promise<object>;
  /** Makes a call that must be refused and must change nothing. Answers what was answered. */
  refused(method: string, path: string, status: number, call: AdminCall, as?: AdminSession): Promise<AdminAnswer>;
  /** As `refused`, with 422 and exactly these errors. */
  invalid(method: string, path: string, body: unknown, errors: ExpectedErrors): Promise<void>;
}

const resources = ['upstreams', 'routes', 'keys', 'tokens', 'admins'] as const;

/** A gateway with one resource of each kind, for tests that try to change them in ways that are refused. */
export function useRefusals(): Refusals {
  let gateway: Gateway | undefined;
  let session: AdminSession | undefined;
  let ids: Refusals['ids'] | undefined;
  let known: object | undefined;

  before(async () => {
    gateway = await startGateway({ admin: true });
    session = await AdminSession.signIn(gateway);
    const idOf = async (path: string, body: object): Promise<string> => (await session!.must('POST', path, body))['id'] as string;
    const upstream = await idOf('/upstreams', {
      name: 'existing',
      base_url: 'http://backend.test/v1',
      auth_type: 'bearer',
      auth_value: 'canary-value',
    });
    await idOf('/upstreams', { name: 'other', base_url: 'http://other.test' });
    const route = await idOf('/routes', { name: 'existing', path_pattern: '/existing', upstream_id: upstream });
    await idOf('/routes', { name: 'other', path_pattern: '/other', upstream_id: 'other' });
    const key = await idOf('/keys', { name: 'existing', routes: [route], rate_limit_per_minute: 5 });
    await idOf('/keys', { name: 'other' });
    const token = await idOf('/tokens', { name: 'existing' });
    await idOf('/tokens', { name: 'other', scope: 'admin' });
    const admin = await idOf('/admins', { email: 'existing@example.test', password: 'correct horse battery' });
    ids = { upstream, route, key, token, admin };
  });

  after(async () => {
    const code = await gateway?.stop();
    assert.ok(!(gateway?.output ?? '').includes('canary-'), 'the log shows what was sent');
    assert.equal(code, 0);
  });

  const refusals: Refusals = {
    get gateway() {
      return gateway!;
    },
    get session() {
      return session!;
    },
    get ids() {
      return ids!;
    },
    async state() {
      const lists = await Promise.all(resources.map((resource) => session!.must('GET', `/${resource}?limit=500`)));
      const shown = {
        revision: revisionIn(gateway!.directory),
        ...Object.fromEntries(resources.map((resource, index) => [resource, lists[index]])),
      };
      known = JSON.parse(
        JSON.stringify(shown, (field, value: unknown) => (field === 'last_used_at' || field === 'last_sign_in_at' ? undefined : value)),
      ) as object;
      return known;
    },
    async refused(method, path, status, call, as) {
      const earlier = known ?? (await refusals.state());
      const answer = await (as ?? session!).call(method, path, call);
      const later = await refusals.state();
      const told = `${method} ${path.slice(0, 200)} answered ${JSON.stringify(answer.body)}`;
      assert.equal(answer.status, status, told);
      assert.equal(answer.headers['content-type'], 'application/problem+json', told);
      for (const member of ['type', 'title', 'detail', 'code', 'request_id']) assert.equal(typeof answer.body[member], 'string', told);
      assert.equal(answer.body['status'], status);
      assert.equal(answer.body['request_id'], answer.headers['x-request-id']);
      assert.ok(!JSON.stringify(answer.body).includes('canary-'), 'the answer repeats what was sent');
      assert.deepEqual(later, earlier, 'a refused call changes nothing');
      return answer;
    },
    async invalid(method, path, body, errors) {
      const answer = await refusals.refused(method, path, 422, { body });
      assert.equal(answer.body['code'], 'validation_failed');
      const reported = answer.body['errors'] as { readonly field: string; readonly message: string }[];
      assert.deepEqual(reported.map(({ field }) => field).toSorted(byText), Object.keys(errors).toSorted(byText), JSON.stringify(reported));
      for (const { field, message } of reported) assert.match(message, errors[field]!, field);
    },
  };
  return refusals;
}

function byText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
