import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { eventually } from '../support/eventually.ts';
import { runApigate } from '../support/run-apigate.ts';
import { scopedGateway } from '../support/scoped-gateway.ts';
import { entry, type Gateway } from '../support/start-gateway.ts';
import { ask, watchedGateway, type Shown } from '../support/watched-gateway.ts';

/** `apigate tail`, on the database of a gateway that runs. */
function tail(context: TestContext, gateway: Gateway, args: readonly string[] = [], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [entry, 'tail', ...args], {
    cwd: gateway.directory,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  context.after(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return { child, output, exited };
}

// When the listener is there can only be seen by its hearing something.
async function hears(gateway: Gateway, output: { stdout: string; stderr: string }, path: string): Promise<void> {
  await eventually(
    async () => {
      await ask(gateway, path);
      return output.stdout.includes(path);
    },
    () => `${path} in ${output.stdout}\n${output.stderr}`,
    20_000,
  );
}

test('tail on the local database follows the running gateway, takes filters, prints JSON lines, and ends at Ctrl-C', async (context) => {
  const { gateway } = await watchedGateway(context, { workers: 2 });
  const json = tail(context, gateway, ['--path', '/seen', '-o', 'json']);
  const table = tail(context, gateway);
  await hears(gateway, json.output, '/seen/first');
  await hears(gateway, table.output, '/other');
  const id = await ask(gateway, '/seen/last');
  await eventually(() => json.output.stdout.includes(id) && table.output.stdout.includes('/seen/last'), 'the last request in both');
  const lines = json.output.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Shown);
  assert.ok(
    lines.every(({ path }) => path.startsWith('/seen')),
    'only what the filter lets through',
  );
  assert.equal(lines.at(-1)?.id, id);
  assert.match(table.output.stdout, /^\d\d:\d\d:\d\d\.\d\d\d {2}200 {3}GET {6}.* ms {2}default {2}127\.0\.0\.1\/other$/m);
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(table.output.stdout, /\u001b/, 'no colours where there is no terminal');
  json.child.kill('SIGINT');
  assert.equal(await json.exited, 0, json.output.stderr);
  assert.equal(await gateway.stop(), 0);
  assert.equal(await table.exited, 0);
  assert.match(table.output.stderr, /The gateway has stopped/);
});

test('tail ends when nobody reads what it prints', async (context) => {
  const { gateway } = await watchedGateway(context);
  const { child, output, exited } = tail(context, gateway);
  await hears(gateway, output, '/read');
  child.stdout.destroy();
  let isOver = false;
  void exited.then(() => (isOver = true));
  await eventually(
    async () => {
      await ask(gateway, '/unread');
      return isOver;
    },
    'the end of tail',
    20_000,
  );
});

test('tail on a remote gateway comes back when that does, and gives up when its token is revoked', async (context) => {
  const { gateway, admin, upstream } = await watchedGateway(context);
  const made = await admin.call('POST', '/tokens', { body: { name: 'tail', scope: 'read' } });
  const { token } = made.body as unknown as { token: string };
  const { output, exited } = tail(context, gateway, ['--server', gateway.url], { APIGATE_TOKEN: token });
  await hears(gateway, output, '/before');
  gateway.process.kill('SIGKILL');
  await gateway.exited;
  const again = await scopedGateway(context, { upstream: upstream.url, admin: true, directory: gateway.directory, port: gateway.port });
  await hears(again, output, '/after');
  assert.match(output.stderr, /trying again[\s\S]*Connected again/);
  const revoked = await (await AdminSession.signIn(again)).call('POST', '/tokens/tail/revoke');
  assert.equal(revoked.status, 200);
  assert.equal(await exited, 4, output.stderr);
  assert.match(output.stderr, /no longer valid/);
});

test('commands that only a running gateway can answer say so where none runs, and where it cannot be reached', async (context) => {
  const temporary = await mkdtemp(join(tmpdir(), 'apigate-test-'));
  context.after(() => rm(temporary, { recursive: true }));
  const { gateway } = await watchedGateway(context, { env: { TMPDIR: temporary } });
  const run = (...args: string[]) => runApigate(args, { cwd: gateway.directory });
  const id = await ask(gateway, '/found');
  await eventually(async () => (await run('requests', 'show', id)).code === 0, 'the request', 20_000);
  const shownJson = await run('requests', 'show', id, '-o', 'json');
  assert.equal((JSON.parse(shownJson.stdout) as Shown).path, '/found');
  const listed = await run('requests', 'list', '--since', '10m', '--limit', '5');
  assert.match(listed.stdout, /^TIME .*PATH[\s\S]*\/found/);
  assert.equal((await run('requests', 'show', 'nothing')).code, 3);
  assert.equal((await run('requests', 'list', '--since', 'yesterday')).code, 2);
  // As from another container: the database is shared, the socket is not.
  await rename(temporary, `${temporary}-elsewhere`);
  const apart = await run('requests', 'list');
  await rename(`${temporary}-elsewhere`, temporary);
  assert.equal(apart.code, 1);
  assert.match(apart.stderr, /cannot be asked from here[\s\S]*--server URL/);
  gateway.process.kill('SIGKILL');
  await gateway.exited;
  const alone = await run('requests', 'list');
  assert.equal(alone.code, 1);
  assert.match(alone.stderr, /No gateway runs on this database/);
});
