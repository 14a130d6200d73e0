import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { useGateway } from '../support/harness.ts';
import { fetchRaw } from '../support/raw-client.ts';
import { localEnvironment, runApigate } from '../support/run-apigate.ts';
import { answerOk } from '../support/scripted-upstream.ts';
import { mountSmallDisk, noSmallDisk } from '../support/small-disk.ts';
import { startGateway } from '../support/start-gateway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const harness = useGateway({ admin: true, script: false, concurrent: true });

/** Every row of every table but the single values, in which a running gateway notes how far it is. */
function rowsOf(file: string): unknown {
  using database = new DatabaseSync(file, { readOnly: true });
  const tables = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('meta', 'sessions') ORDER BY name")
    .all();
  return tables.map(({ name }) => [name, database.prepare(`SELECT * FROM "${String(name)}" ORDER BY 1`).all()]);
}

describe('apigate backup', () => {
  test('J09 a backup of a running gateway that is being changed restores on a new host, with the key alone', async (context) => {
    const { gateway } = harness;
    const env = localEnvironment(gateway);
    const exposed = await harness.exposed({ auth_type: 'bearer', auth_value: 'canary-backed-up' }, answerOk);
    const done = new AbortController();
    context.after(() => done.abort());
    const writes = (async () => {
      for (let round = 0; !done.signal.aborted; round += 1)
        await gateway.admin.must('PUT', `/upstreams/${exposed.upstreamId}`, { description: `${round}` });
    })();
    const directory = await temporaryDirectory(context);
    const copy = join(directory, 'copy.db');
    const made = await runApigate(['backup', copy, '-o', 'json'], { env });
    done.abort();
    await writes;
    assert.equal(made.code, 0, made.stderr);
    const report = JSON.parse(made.stdout) as Record<string, unknown>;
    assert.deepEqual([report['path'], report['bytes']], [copy, statSync(copy).size]);
    assert.match(made.stderr, /sealed with key [0-9a-f]{8}, which is NOT in this file/);
    assert.match(made.stderr, new RegExp(`That key is in ${gateway.directory}/apigate.db.key`));
    assert.equal(statSync(copy).mode & 0o777, 0o600);

    // The steps of docs/backup-and-keys.md, on another host.
    const host = await temporaryDirectory(context);
    copyFileSync(copy, join(host, 'apigate.db'));
    await assert.rejects(
      startGateway({ directory: host }),
      new RegExp(
        `sealed with secret key ${String(report['key_id'])}, and no key is given: set APIGATE_SECRET_KEY, or put the key file back`,
      ),
    );
    assert.equal(existsSync(join(host, 'apigate.db.key')), false, 'no new key is made in its place');
    assert.deepEqual(rowsOf(join(host, 'apigate.db')), rowsOf(copy), 'and nothing is changed');
    await assert.rejects(startGateway({ directory: host, env: { APIGATE_SECRET_KEY: 'a'.repeat(64) } }), /sealed with secret key/);
    const restored = await startGateway({
      directory: host,
      env: { APIGATE_SECRET_KEY: readFileSync(join(gateway.directory, 'apigate.db.key'), 'utf8').trim() },
    });
    try {
      assert.equal((await fetchRaw(restored.port, 'GET', { target: exposed.path })).status, 200);
      assert.equal(exposed.upstream.requests.at(-1)!.value('authorization'), 'Bearer canary-backed-up');
    } finally {
      await restored.stop();
    }
    using database = new DatabaseSync(join(host, 'apigate.db'), { readOnly: true });
    assert.ok((database.prepare('SELECT revision FROM gateway_state').get()?.['revision'] as number) >= Number(report['revision']));
  });

  test('restored over a database that was in use, with its log removed, it is the state of the backup', async (context) => {
    const directory = await temporaryDirectory(context);
    let gateway = await startGateway({ admin: true, directory });
    const env = localEnvironment(gateway);
    const upstream = await harness.scripted(answerOk);
    const kept = await gateway.admin.expose({ base_url: upstream.url });
    const copy = join(directory, 'copy.db');
    assert.equal((await runApigate(['backup', copy], { env })).code, 0);
    const later = await gateway.admin.expose({ base_url: upstream.url });
    gateway.process.kill('SIGKILL');
    await gateway.exited;
    assert.ok(existsSync(`${directory}/apigate.db-wal`), 'what it had not yet brought into the database lies beside it');
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${directory}/apigate.db${suffix}`, { force: true });
    copyFileSync(copy, `${directory}/apigate.db`);
    gateway = await startGateway({ admin: true, directory });
    assert.equal((await fetchRaw(gateway.port, 'GET', { target: kept.path })).status, 200);
    assert.equal((await fetchRaw(gateway.port, 'GET', { target: later.path })).status, 404);
    await gateway.stop();
  });

  test('a name that is taken is refused with exit code 5; --force replaces it; the key file is never written over', async (context) => {
    const env = localEnvironment(harness.gateway);
    const copy = join(await temporaryDirectory(context), 'copy.db');
    assert.equal((await runApigate(['backup', copy], { env })).code, 0);
    const before = readFileSync(copy);
    const again = await runApigate(['backup', copy], { env });
    assert.deepEqual([again.code, again.stdout], [5, '']);
    assert.match(again.stderr, /There is a file .*copy\.db already/);
    assert.ok(readFileSync(copy).equals(before));
    assert.equal((await runApigate(['backup', copy, '--force'], { env })).code, 0);
    const key = await runApigate(['backup', `${harness.gateway.directory}/apigate.db.key`, '--force'], { env });
    assert.equal(key.code, 5);
    const remote = await runApigate(['backup', copy, '--server', harness.gateway.url], { env: {} });
    assert.equal(remote.code, 2);
    assert.match(remote.stderr, /on the gateway's machine only/);
  });

  test('a disk that is full ends in one clear line, leaves no file, and the gateway goes on', { skip: noSmallDisk }, async () => {
    const disk = mountSmallDisk(64 * 1024);
    try {
      const copy = join(disk.path, 'copy.db');
      const { code, stdout, stderr } = await runApigate(['backup', copy], { env: localEnvironment(harness.gateway) });
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /^Error: The backup .*copy\.db could not be written: the disk is full\. No file was left behind\.\n$/);
      assert.deepEqual(readdirSync(disk.path), []);
    } finally {
      disk.unmount();
    }
    const exposed = await harness.exposed({}, answerOk);
    assert.equal((await fetchRaw(harness.port, 'GET', { target: exposed.path })).status, 200);
  });
});
