import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { useGateway } from '../support/harness.ts';
import { fetchRaw } from '../support/raw-client.ts';
import { commandFile, localEnvironment, plainEnvironment, runApigate } from '../support/run-apigate.ts';
import { answerOk } from '../support/scripted-upstream.ts';
import { startGateway } from '../support/start-gateway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const harness = useGateway({ admin: true, workers: 2, script: false, concurrent: true });

interface Status {
  readonly current: string;
  readonly rotation: { readonly from: string; readonly to: string } | null;
  readonly keys: readonly {
    readonly id: string;
    readonly held: boolean;
    readonly held_by_gateway: boolean | null;
    readonly values: number;
  }[];
}

async function statusOf(env: Readonly<Record<string, string>>): Promise<Status> {
  const { code, stdout, stderr } = await runApigate(['secrets', 'status', '-o', 'json'], { env });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Status;
}

/** Starts a rotation and kills it some milliseconds after it has begun. */
async function rotateAndKill(directory: string, env: Readonly<Record<string, string>>, afterMs: number): Promise<boolean> {
  const child: ChildProcess = spawn(process.execPath, [commandFile, 'secrets', 'rotate'], {
    env: plainEnvironment(env),
    stdio: 'ignore',
    detached: true,
  });
  const ended = once(child, 'exit');
  const runs = (): boolean => child.exitCode === null && child.signalCode === null;
  using database = new DatabaseSync(join(directory, 'apigate.db'), { readOnly: true });
  const begun = database.prepare("SELECT 1 FROM meta WHERE key = 'secret_key_rotation'");
  while (runs() && begun.get() === undefined) await sleep(1);
  await sleep(afterMs);
  // The launcher and the program that it has started, if they are two.
  if (runs()) process.kill(-child.pid!, 'SIGKILL');
  await ended;
  return begun.get() !== undefined;
}

describe('a rotation of the secret key while the gateway runs', () => {
  test('L04 killed at many points it never leaves a value that does not open, traffic keeps its credentials, and it can be finished', async () => {
    const { gateway } = harness;
    const env = localEnvironment(gateway);
    const exposed = await harness.exposed({ auth_type: 'bearer', auth_value: 'canary-rotated' }, answerOk);
    const others = Array.from({ length: 200 }, (_, number) => number);
    for (let at = 0; at < others.length; at += 20) {
      await Promise.all(
        others.slice(at, at + 20).map((number) =>
          gateway.admin.must('POST', '/upstreams', {
            name: `sealed-${number}`,
            base_url: 'http://127.0.0.1:9',
            auth_type: 'bearer',
            auth_value: `canary-sealed-${number}`,
          }),
        ),
      );
    }
    const first = await statusOf(env);
    assert.deepEqual(
      first.keys.map(({ values, held, held_by_gateway: gatewayHeld }) => [values, held, gatewayHeld]),
      // Of each what is and what the history remembers.
      [[402, true, true]],
    );
    let interrupted = 0;
    for (let round = 0; round < 8; round += 1) {
      if (await rotateAndKill(gateway.directory, env, round * 6)) interrupted += 1;
      const status = await statusOf(env);
      assert.equal(
        status.keys.reduce((sum, { values }) => sum + values, 0),
        402 + round,
      );
      for (const key of status.keys) assert.ok(key.values === 0 || (key.held && key.held_by_gateway), JSON.stringify(status));
      // Published anew, the credential is opened anew.
      await gateway.admin.must('PUT', `/upstreams/${exposed.upstreamId}`, { description: `round ${round}` });
      assert.equal((await fetchRaw(harness.port, 'GET', { target: exposed.path })).status, 200);
      assert.equal(exposed.upstream.requests.at(-1)!.value('authorization'), 'Bearer canary-rotated');
    }
    assert.ok(interrupted > 0, 'none of the rotations was interrupted');
    const { code, stdout, stderr } = await runApigate(['secrets', 'rotate'], { env });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /rotat.*: [0-9a-f]{8} → [0-9a-f]{8}; \d+ values sealed anew\./);
    // Commands on this machine still find their way to the running gateway.
    const asked = await runApigate(['requests', 'list', '-o', 'json'], { env });
    assert.equal(asked.code, 0, asked.stderr);
    const last = await statusOf(env);
    assert.equal(last.rotation, null);
    assert.notEqual(last.current, first.current);
    assert.deepEqual(
      last.keys.map(({ id, values }) => [id, values]),
      [[last.current, 402 + 8]],
    );
    assert.equal(readFileSync(`${gateway.directory}/apigate.db.key`, 'utf8').trim().split('\n').length, 1);
  });

  test('a credential that is set afterwards by the running gateway opens after a restart, and so do all others', async (context) => {
    const directory = await temporaryDirectory(context);
    let gateway = await startGateway({ admin: true, directory });
    const upstream = await harness.scripted(answerOk);
    try {
      const before = await gateway.admin.expose({ base_url: upstream.url, auth_type: 'bearer', auth_value: 'canary-before' });
      const env = localEnvironment(gateway);
      assert.equal((await runApigate(['secrets', 'rotate'], { env })).code, 0);
      const later = await gateway.admin.expose({ base_url: upstream.url, auth_type: 'bearer', auth_value: 'canary-after' });
      assert.equal((await runApigate(['secrets', 'rotate'], { env })).code, 0);
      await gateway.stop();
      gateway = await startGateway({ admin: true, directory });
      for (const [path, value] of [
        [before.path, 'canary-before'],
        [later.path, 'canary-after'],
      ] as const) {
        assert.equal((await fetchRaw(gateway.port, 'GET', { target: path })).status, 200);
        assert.equal(upstream.requests.at(-1)!.value('authorization'), `Bearer ${value}`);
      }
      const audit = await gateway.admin.must('GET', '/audit?action=secret_key');
      assert.deepEqual(
        (audit['data'] as { action: string }[]).map(({ action }) => action),
        ['secret_key.rotate', 'secret_key.rotate_start', 'secret_key.rotate', 'secret_key.rotate_start'],
      );
    } finally {
      await gateway.stop();
    }
  });

  test('with the key in the environment: refused while the gateway lacks the new key, done live once it was started with both', async (context) => {
    const directory = await temporaryDirectory(context);
    const oldKey = 'a'.repeat(64);
    const newKey = 'b'.repeat(64);
    const start = (key: string) => startGateway({ admin: true, directory, env: { APIGATE_SECRET_KEY: key } });
    let gateway = await start(oldKey);
    const upstream = await harness.scripted(answerOk);
    try {
      const { path, upstreamId } = await gateway.admin.expose({
        base_url: upstream.url,
        auth_type: 'bearer',
        auth_value: 'canary-env-key',
      });
      const env = { ...localEnvironment(gateway), APIGATE_SECRET_KEY: oldKey };
      const missing = await runApigate(['secrets', 'rotate'], { env });
      assert.deepEqual([missing.code, missing.stdout], [2, '']);
      assert.match(missing.stderr, /--new-key-file|new_key/);
      const refused = await runApigate(['secrets', 'rotate', '--new-key', '-'], { env, input: `${newKey}\n` });
      assert.equal(refused.code, 5, refused.stderr);
      assert.match(refused.stderr, /running gateway does not hold the new key .*nothing was changed.*APIGATE_SECRET_KEY.*comma.*restart/);
      await gateway.stop();
      gateway = await start(`${oldKey},${newKey}`);
      const done = await runApigate(['secrets', 'rotate', '--new-key', '-'], {
        env: { ...env, ...localEnvironment(gateway) },
        input: `${newKey}\n`,
      });
      assert.equal(done.code, 0, done.stderr);
      assert.match(done.stderr, /put the new key alone into APIGATE_SECRET_KEY before the gateway starts again/);
      for (const output of [missing, refused, done]) assert.ok(!`${output.stdout}${output.stderr}`.includes('b'.repeat(16)));
      await gateway.admin.must('PUT', `/upstreams/${upstreamId}`, { description: 'opened anew' });
      assert.equal((await fetchRaw(gateway.port, 'GET', { target: path })).status, 200);
      await gateway.stop();
      await assert.rejects(start(oldKey), /sealed with secret key [0-9a-f]{8}, but APIGATE_SECRET_KEY is key/);
      gateway = await start(newKey);
      assert.equal((await fetchRaw(gateway.port, 'GET', { target: path })).status, 200);
      assert.equal(upstream.requests.at(-1)!.value('authorization'), 'Bearer canary-env-key');
    } finally {
      await gateway.stop();
    }
  });
});

// Last: what does not open any more is nothing that a rotation could finish with.
test('L03 a credential that somebody copies to another upstream in the database does not open there: 503, nothing is sent, and the log says so', async () => {
  const { gateway } = harness;
  const first = await harness.exposed({ auth_type: 'bearer', auth_value: 'canary-of-the-first' }, answerOk);
  const second = await harness.exposed({ auth_type: 'bearer', auth_value: 'canary-of-the-second' }, answerOk);
  using database = new DatabaseSync(join(gateway.directory, 'apigate.db'), { timeout: 5_000 });
  database
    .prepare('UPDATE upstreams SET auth_value_sealed = (SELECT auth_value_sealed FROM upstreams WHERE id = ?) WHERE id = ?')
    .run(first.upstreamId, second.upstreamId);
  const from = gateway.lines.length;
  await gateway.admin.must('PATCH', `/upstreams/${second.upstreamId}`, { description: 'read anew' });
  const answer = await fetchRaw(harness.port, 'GET', { target: second.path });
  assert.deepEqual([answer.status, answer.json()['code']], [503, 'upstream_credential_unavailable']);
  assert.equal(second.upstream.requests.length, 0);
  assert.equal((await fetchRaw(harness.port, 'GET', { target: first.path })).status, 200, 'the one that it was copied from is as it was');
  const told = gateway.lines.slice(from).find((line) => line['level'] !== 'info' && JSON.stringify(line).includes(second.upstreamId));
  assert.ok(told !== undefined, JSON.stringify(gateway.lines.slice(from)));
  assert.match(JSON.stringify(told), /credential|auth_value|does not open|secret/i);
});
