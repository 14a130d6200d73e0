import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startNodeServer } from '../support/node-server.ts';
import { adminEmail } from '../support/start-gateway.ts';
import { runApigate } from '../support/run-apigate.ts';
import { ask, watchedGateway } from '../support/watched-gateway.ts';

interface Health {
  readonly upstream: string;
  readonly state: string;
  readonly cause: string;
  readonly last_ok_at: string | null;
  readonly problem: {
    readonly code: string;
    readonly cause: string;
    readonly consecutive_failures: number;
    readonly next: readonly string[];
  } | null;
  readonly requests: number;
  readonly failures: Readonly<Record<string, number>>;
}

test("an upstream's health follows its traffic over all workers: down, back, disabled; each flip is an event", async (context) => {
  const { gateway, admin } = await watchedGateway(context, { workers: 2 });
  const port = await freePort();
  const made = await admin.call('POST', '/upstreams', { body: { name: 'shaky', base_url: `http://127.0.0.1:${port}` } });
  const { id } = made.body as unknown as { id: string };
  await admin.call('POST', '/routes', { body: { name: 'shaky', path_pattern: '/shaky', upstream_id: 'shaky', auth_required: false } });
  const health = async (): Promise<Health> => {
    const answer = await admin.call('GET', '/upstreams/shaky/health');
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body as unknown as Health;
  };
  const events = async (): Promise<string[]> => {
    const answer = await admin.call('GET', '/events?upstream=shaky&kind=health');
    return (answer.body as unknown as { data: readonly { from: string; to: string }[] }).data.map(({ from, to }) => `${from} ${to}`);
  };
  assert.deepEqual([(await health()).state, (await health()).last_ok_at], ['unknown', null]);
  // Connections of their own, so that both workers have a part in it.
  for (let at = 0; at < 8; at++) await ask(gateway, '/shaky', { connection: 'close' });
  const down = await health();
  assert.deepEqual([down.state, down.requests, down.failures['connect']], ['failing', 8, 8]);
  assert.match(down.cause, /8 requests in a row failed.*connection refused/);
  assert.deepEqual(
    [down.problem!.code, down.problem!.cause, down.problem!.consecutive_failures],
    ['upstream_connection_refused', 'The upstream refused the connection.', 8],
    'cause and count apart',
  );
  assert.match(down.problem!.next[0]!, /^Is the service running/);
  const traffic = await admin.call('GET', '/traffic?window=5m');
  const rows = (traffic.body as unknown as { upstreams: readonly Health[] }).upstreams;
  assert.deepEqual(rows.find(({ upstream }) => upstream === 'shaky')!.problem, down.problem);
  const shown = await runApigate(['upstreams', 'health'], { cwd: gateway.directory });
  assert.match(shown.stdout, / IN A ROW +CAUSE$[\s\S]*^shaky +failing .* 8 +The upstream refused the connection\.$/m);
  const advice = await runApigate(['upstreams', 'health', 'shaky'], { cwd: gateway.directory });
  assert.match(advice.stdout, /^problem +Connection refused: The upstream refused the connection\.$/m);
  assert.match(advice.stderr, /^→ Is the service running/m);
  await eventually(async () => (await events()).length === 1, 'the flip as an event', 10_000);

  await using _server = await startNodeServer((_request, response) => response.writeHead(500).end('broken'), port);
  await ask(gateway, '/shaky');
  const back = await health();
  assert.deepEqual([back.state, back.requests], ['healthy', 9]);
  assert.ok(back.last_ok_at !== null);
  await eventually(async () => (await events())[0] === 'failing healthy', 'the way back as an event', 10_000);
  await admin.call('PATCH', `/upstreams/${id}`, { body: { enabled: false } });
  await ask(gateway, '/shaky');
  assert.deepEqual([(await health()).state, (await health()).requests], ['disabled', 9]);
  await eventually(async () => (await events())[0] === 'healthy disabled', 'the switch as an event', 10_000);
  assert.deepEqual(await events(), ['healthy disabled', 'failing healthy', 'unknown failing']);
  const timeline = await admin.call('GET', '/events?upstream=shaky');
  const happened = timeline.body as unknown as {
    total: number;
    data: readonly { kind: string; to?: string; actor?: { label: string }; changes?: readonly { action: string; name: string }[] }[];
  };
  assert.deepEqual(
    happened.data.map(({ kind, to, changes }) => `${kind} ${to ?? changes!.map(({ action, name }) => `${action} ${name}`).join()}`),
    ['health disabled', 'revision update shaky', 'health healthy', 'health failing', 'revision create shaky'],
    'on one line with what was changed',
  );
  assert.equal(happened.data[1]!.actor!.label, adminEmail);
  assert.equal(happened.total, 5);
  const told = await runApigate(['events', '--upstream', 'shaky'], { cwd: gateway.directory });
  assert.match(told.stdout, /shaky: healthy → failing|shaky: unknown → failing/, told.stderr);
  assert.match(told.stdout, /revision \d+: update upstream shaky +conformance@example\.test/);
  assert.equal((await runApigate(['events', '--kind', 'nonsense'], { cwd: gateway.directory })).code, 2);
  assert.ok(gateway.lines.some((line) => line['msg'] === 'an upstream is failing' && line['upstream'] === 'shaky'));

  const all = await admin.call('GET', '/health');
  assert.deepEqual(
    (all.body as unknown as { data: readonly Health[] }).data.map(({ upstream, state }) => `${upstream} ${state}`),
    ['default unknown', 'shaky disabled'],
  );
  const table = await runApigate(['upstreams', 'health'], { cwd: gateway.directory });
  assert.match(table.stdout, /^NAME .*STATE[\s\S]*^shaky +disabled .* 9 +8 +1 /m);
  const one = await runApigate(['upstreams', 'health', 'shaky', '-o', 'json'], { cwd: gateway.directory });
  assert.equal((JSON.parse(one.stdout) as Health).state, 'disabled');
  assert.equal((await runApigate(['upstreams', 'health', 'nobody'], { cwd: gateway.directory })).code, 3);
  await admin.call('DELETE', '/upstreams/shaky?cascade=true');
  assert.equal((await admin.call('GET', '/upstreams/shaky/health')).status, 404);
});
