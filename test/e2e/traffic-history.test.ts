import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { ask, watchedGateway } from '../support/watched-gateway.ts';

interface Told {
  readonly requests: number[];
  readonly errors: number[];
  readonly p95_ms: (number | null)[];
  readonly health: string;
  readonly errors_by_code: Readonly<Record<string, number[]>>;
}

interface Row extends Told {
  readonly upstream: string;
  readonly state: string;
  readonly idle: number;
}

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

test('a burst over all workers is told to the request: live, for each upstream and in all', async (context) => {
  const { gateway, admin } = await watchedGateway(context, { workers: 2 });
  const read = async <T>(path: string): Promise<T> => {
    const answer = await admin.call('GET', path);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body as unknown as T;
  };
  await admin.call('POST', '/upstreams', { body: { name: 'dead', base_url: `http://127.0.0.1:${await freePort()}` } });
  await admin.call('POST', '/routes', { body: { name: 'dead', path_pattern: '/dead', upstream_id: 'dead', auth_required: false } });
  const made = await admin.call('POST', '/tokens', { body: { name: 'live', scope: 'read' } });
  const { token } = made.body as unknown as { token: string };
  const live = await fetch(`${gateway.url}/admin/live`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(live.status, 200);
  let heard = '';
  const listening = (async () => {
    for await (const bytes of live.body!) heard += Buffer.from(bytes).toString();
  })();
  const events = <T>(name: string): T[] =>
    [...heard.matchAll(new RegExp(`event: ${name}\ndata: (.*)\n\n`, 'g'))].map(([, data]) => JSON.parse(data!) as T);
  await eventually(() => events('revision').length === 1, 'the first event');

  const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(gateway.port)));
  await Promise.all(
    clients.map(async (client) => {
      for (let request = 0; request < 50; request++) assert.equal((await client.request('GET')).status, 200);
      for (let request = 0; request < 5; request++) assert.equal((await client.request('GET', { target: '/dead' })).status, 502);
    }),
  );
  for (const client of clients) client.destroy();

  interface Live {
    readonly totals: { readonly requests: number; readonly status_5xx: number };
    readonly upstreams: readonly { readonly upstream_id: string; readonly requests: number; readonly errors: number }[];
  }
  await eventually(
    () => sum(events<Live>('traffic').map(({ totals }) => totals.requests)) === 440,
    () => `all requests live: ${heard}`,
    15_000,
  );
  assert.equal(sum(events<Live>('traffic').map(({ totals }) => totals.status_5xx)), 40);
  assert.equal(sum(events<Live>('traffic').flatMap(({ upstreams }) => upstreams.map(({ errors }) => errors))), 40);
  await eventually(() => events<{ to: string }>('health').length >= 2, 'both flips live');
  const { revision: before } = events<{ revision: number }>('revision')[0]!;
  await admin.call('PATCH', '/upstreams/dead', { body: { description: 'seen' } });
  await eventually(() => events<{ revision: number }>('revision').at(-1)!.revision === before + 1, 'the new revision live');

  let rows: readonly Row[] = [];
  await eventually(
    async () => {
      rows = (await read<{ upstreams: readonly Row[] }>('/traffic')).upstreams;
      return rows.every(({ requests }) => sum(requests) > 0);
    },
    () => `cells of both: ${JSON.stringify(rows)}`,
    25_000,
  );
  const all = await read<{ totals: Told & { readonly status_5xx: number[] }; upstreams: readonly Row[] }>('/traffic?window=15m');
  assert.equal(sum(all.totals.requests), 440, "without the admin's own");
  assert.equal(sum(all.totals.status_5xx), 40);
  assert.deepEqual(
    all.upstreams.map(({ upstream, state, requests, errors }) => `${upstream} ${state} ${sum(requests)} ${sum(errors)}`).toSorted(),
    ['dead failing 40 40', 'default healthy 400 0'],
  );
  const dead = await read<Told>('/upstreams/dead/traffic?window=1h');
  assert.deepEqual(Object.keys(dead.errors_by_code), ['upstream_connection_refused']);
  assert.equal(sum(dead.errors_by_code['upstream_connection_refused']!), 40);
  assert.match(dead.health, /f$/);
  const good = await read<Told>('/upstreams/default/traffic');
  assert.ok(good.p95_ms.some((ms) => ms !== null && ms > 0 && ms < 10_000));

  assert.equal((await admin.call('GET', '/traffic?window=2d')).status, 422);
  assert.equal((await admin.call('GET', '/upstreams/nobody/traffic')).status, 404);
  await ask(gateway, '/dead');
  await admin.call('POST', '/tokens/live/revoke');
  await listening;
  assert.match(heard, /event: end\ndata: \{"reason":"the session or token is no longer valid"\}\n\n$/);
});
