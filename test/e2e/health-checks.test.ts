import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { readExposition, sampleValue } from '../support/exposition.ts';
import { freePort } from '../support/free-port.ts';
import { startNodeServer } from '../support/node-server.ts';
import { runApigate } from '../support/run-apigate.ts';
import { ask, watchedGateway } from '../support/watched-gateway.ts';

interface Health {
  readonly state: string;
  readonly source: string | null;
  readonly cause: string;
  readonly problem: { readonly source: string; readonly title: string; readonly cause: string; readonly next: readonly string[] } | null;
  readonly requests: number;
  readonly check: { readonly status: number | null; readonly checks: number } | null;
}

test('health checks see an upstream die and come back without a request of anybody; they inform and take nothing out of service', async (context) => {
  const { gateway, admin } = await watchedGateway(context, { workers: 2 });
  const port = await freePort();
  const checks: { readonly headers: Record<string, unknown>; readonly at: number }[] = [];
  let status = 204;
  const start = () =>
    startNodeServer((request, response) => {
      if (request.url === '/base/up?deep=1') checks.push({ headers: request.headers, at: performance.now() });
      response.writeHead(request.url === '/base/up?deep=1' ? status : 200).end();
    }, port);
  let server = await start();
  context.after(() => server[Symbol.asyncDispose]());
  const health = async (name = 'watched'): Promise<Health> => {
    const answer = await admin.call('GET', `/upstreams/${name}/health`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body as unknown as Health;
  };
  const become = async (state: string): Promise<Health> => {
    await eventually(
      async () => (await health()).state === state,
      () => `${state}; ${gateway.output.slice(-1_000)}`,
      20_000,
    );
    return await health();
  };

  const run = async (args: string[]) => await runApigate(args, { cwd: gateway.directory });
  const url = `http://127.0.0.1:${port}/base`;
  const flags = ['--health-check', '/up?deep=1', '--health-check-interval', '1000', '--health-check-timeout', '800'];
  const credential = ['--auth-type', 'bearer', '--auth-value', 'canary-credential-of-checks'];
  const made = await run(['upstreams', 'create', '--name', 'watched', '--url', url, ...flags, ...credential]);
  assert.equal(made.code, 0, made.stderr);
  await admin.call('POST', '/routes', { body: { name: 'watched', path_pattern: '/w', upstream_id: 'watched', auth_required: false } });

  const well = await become('healthy');
  assert.deepEqual([well.source, well.requests, well.check?.status], ['check', 0, 204]);
  const before = checks.length;
  await eventually(() => checks.length >= before + 3, 'three more checks', 20_000);
  const times = checks.map(({ at }) => at);
  // One checker, and not one for each worker: three intervals hold three checks.
  assert.ok(times.at(-1)! - times.at(-4)! >= 2_000, times.join(' '));
  assert.deepEqual(
    [checks[0]!.headers['authorization'], checks[0]!.headers['host']],
    ['Bearer canary-credential-of-checks', `127.0.0.1:${port}`],
  );
  assert.match(String(checks[0]!.headers['user-agent']), /^APIGate\/\S+ \(health check\)$/);

  await server[Symbol.asyncDispose]();
  const dead = await become('failing');
  assert.equal(dead.source, 'check');
  assert.match(dead.cause, /\d health checks in a row failed: Connection refused/i);
  assert.deepEqual(
    [dead.problem!.title, dead.problem!.cause],
    ['Connection refused', `Connection refused: nothing listens on 127.0.0.1:${port}.`],
  );
  status = 503;
  server = await start();
  await eventually(async () => (await health()).check?.status === 503, 'an answer, but none as expected', 20_000);
  const ill = await health();
  assert.equal(ill.state, 'failing');
  assert.match(ill.cause, /health checks in a row failed: It answered \/up\?deep=1 with 503, which is not among 200-399/);
  assert.deepEqual(
    [ill.problem!.source, ill.problem!.title, ill.problem!.cause],
    ['check', 'Answers with an error', 'It answered /up?deep=1 with 503, which is not among 200-399.'],
  );
  assert.match(ill.problem!.next.join('\n'), /own log[\s\S]*let its status count as good/);
  const answered = await fetch(`${gateway.url}/w`);
  assert.equal(answered.status, 200, 'still in service');
  assert.equal((await health()).state, 'failing', 'what traffic says does not take it back');
  const metrics = readExposition(await (await fetch(`${gateway.url}/metrics`)).text());
  assert.equal(sampleValue(metrics, 'apigate_upstream_healthy', { upstream: 'watched' }), 0);
  assert.ok(sampleValue(metrics, 'apigate_upstream_checks_total', { upstream: 'watched', result: 'ok' }) >= 3);
  assert.ok(sampleValue(metrics, 'apigate_upstream_checks_total', { upstream: 'watched', result: 'failed' }) >= 4);
  assert.equal(metrics.get('apigate_upstream_checks_total')?.samples.length ?? 2, 2, 'none of an upstream without checks');

  assert.equal((await run(['upstreams', 'update', 'watched', '--health-check-status', '200-399,503'])).code, 0);
  await become('healthy');
  let flips: string[] = [];
  await eventually(
    async () => {
      const events = await admin.call('GET', '/events?upstream=watched&kind=health');
      const { data } = events.body as unknown as { data: readonly { to: string; source: string }[] };
      flips = data.map(({ to, source }) => `${to} ${source}`);
      return flips.length === 3;
    },
    () => `three flips: ${flips.join()}`,
    10_000,
  );
  assert.deepEqual(flips.slice(1), ['failing check', 'healthy check']);
  assert.ok(gateway.lines.some((line) => line['msg'] === 'an upstream is failing' && line['source'] === 'check'));

  assert.equal((await run(['upstreams', 'disable', 'watched'])).code, 0);
  const atEnd = checks.length;
  assert.equal((await health()).check, null);
  assert.equal((await run(['upstreams', 'update', 'watched', '--enabled', '--health-check', ''])).code, 0);
  await ask(gateway, '/w');
  assert.deepEqual([(await health()).state, (await health()).source, (await health()).check], ['healthy', 'traffic', null]);
  assert.ok(checks.length <= atEnd + 1, 'the one that was under way, at most');
  assert.ok(!gateway.output.includes('canary-credential-of-checks'));
});

test('the fields of health checks are told what is wrong with them, and go through files, history and export', async (context) => {
  const { gateway, admin } = await watchedGateway(context);
  const refused = await admin.call('POST', '/upstreams', {
    body: {
      name: 'x',
      base_url: 'http://127.0.0.1:9',
      health_check_path: 'up',
      health_check_interval_ms: 999,
      health_check_timeout_ms: 30_001,
      health_check_status: '2xx',
    },
  });
  assert.equal(refused.status, 422);
  assert.deepEqual(
    (refused.body as unknown as { errors: { field: string; message: string }[] }).errors.map(({ field, message }) => `${field} ${message}`),
    [
      'health_check_path must begin with /',
      'health_check_interval_ms must be a whole number from 1000 to 86400000',
      'health_check_timeout_ms must be a whole number from 1 to 30000',
      'health_check_status must be statuses from 200 to 599 and ranges of them, such as 200-399 or 200-299,401',
    ],
  );
  const run = async (args: string[]) => await runApigate(args, { cwd: gateway.directory });
  const file = join(gateway.directory, 'checked.yaml');
  await writeFile(
    file,
    'upstreams:\n  - name: filed\n    base_url: http://127.0.0.1:9\n    health_check_path: /up\n    health_check_interval_ms: 60000\n',
  );
  assert.equal((await run(['apply', '-f', file])).code, 0);
  const exported = await run(['export']);
  assert.match(exported.stdout, /name: filed\n[\s\S]*health_check_path: \/up\n[\s\S]*health_check_interval_ms: 60000/);
  assert.doesNotMatch(exported.stdout, /health_check_(?:timeout_ms|status)/, 'defaults are left out');
  await writeFile(file, (await readFile(file, 'utf8')).replace('/up', '/ready'));
  assert.equal((await run(['apply', '-f', file])).code, 0);
  const history = await admin.call('GET', '/history?resource=filed');
  const [latest, first] = (history.body as unknown as { data: { revision: number }[] }).data;
  const detail = await admin.call('GET', `/history/${latest!.revision}`);
  assert.deepEqual((detail.body as unknown as { changes: { fields: object }[] }).changes[0]!.fields, {
    health_check_path: { from: '/up', to: '/ready' },
  });
  assert.equal((await run(['rollback', String(first!.revision), '--yes'])).code, 0);
  const back = await admin.call('GET', '/upstreams/filed');
  assert.equal((back.body as unknown as { health_check_path: string }).health_check_path, '/up');
});
