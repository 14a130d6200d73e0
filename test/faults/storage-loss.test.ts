import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';
import { mustRun, unlessInstalled } from '../support/foreign-program.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw } from '../support/raw-client.ts';
import { localEnvironment, plainEnvironment, runApigate } from '../support/run-apigate.ts';
import { mountSmallDisk, noSmallDisk } from '../support/small-disk.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const harness = useGateway({ admin: true, workers: 2, concurrent: true });
const writer = fileURLToPath(new URL('../../src/main/acknowledged-writes-fixture.ts', import.meta.url));

/** What must hold in a database whenever nothing is being written: no change is there by half. */
function checkConsistent(directory: string): { readonly revision: number; readonly names: ReadonlySet<string> } {
  using database = new DatabaseSync(join(directory, 'apigate.db'), { readOnly: true, timeout: 5_000 });
  const number = (query: string): number => Object.values(database.prepare(query).get() ?? {})[0] as number;
  database.exec('BEGIN');
  const revision = number('SELECT revision FROM gateway_state');
  for (const table of ['upstreams', 'routes', 'api_keys', 'removed'])
    assert.ok(number(`SELECT coalesce(max(revision), 0) FROM ${table}`) <= revision, `${table} is ahead of the revision`);
  assert.equal(number('SELECT max(revision) FROM audit'), revision, 'each revision has its audit rows');
  assert.equal(number('SELECT count(DISTINCT revision) FROM audit WHERE revision IS NOT NULL'), revision);
  assert.equal(number('SELECT count(*) FROM routes WHERE upstream_id NOT IN (SELECT id FROM upstreams)'), 0);
  assert.equal(
    number(
      'SELECT count(*) FROM upstreams u WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.resource_id = u.id AND a.revision = u.revision)',
    ),
    0,
    'each row has the audit row of its revision',
  );
  assert.equal(number('PRAGMA foreign_key_check') ?? 0, 0);
  const names = new Set(
    database
      .prepare('SELECT name FROM upstreams')
      .all()
      .map(({ name }) => String(name)),
  );
  database.exec('COMMIT');
  return { revision, names };
}

/** Keeps requests going through a gateway until the test is over; stopping it answers how many there were, and fails if one went wrong. */
function steadyTraffic(context: TestContext, port: number): () => Promise<number> {
  const problems: string[] = [];
  const stop = new AbortController();
  let count = 0;
  const loop = (async () => {
    while (!stop.signal.aborted) {
      const answer = await fetchRaw(port, 'GET', { target: '/traffic' }).then(
        ({ status }) => (status === 200 ? '' : String(status)),
        (error: unknown) => String(error),
      );
      if (answer !== '' && !stop.signal.aborted) problems.push(answer);
      count += 1;
    }
  })();
  context.after(() => stop.abort());
  return async () => {
    stop.abort();
    await loop;
    assert.deepEqual(problems, [], 'traffic noticed');
    return count;
  };
}

describe('kill -9', () => {
  test('of a process that changes the gateway config, many times at random: nothing acknowledged is lost, nothing is half, traffic never notices', async (context) => {
    const { directory, port } = harness.gateway;
    const stopTraffic = steadyTraffic(context, port);
    const acknowledged: string[] = [];
    const rounds = process.env['APIGATE_TEST_LONG'] === '1' ? 60 : 10;
    for (let round = 0; round < rounds; round += 1) {
      const child = spawn(process.execPath, [writer, `round-${round}`], {
        env: plainEnvironment(localEnvironment(harness.gateway)),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const goal = 1 + Math.floor(Math.random() * 12);
      let seen = 0;
      createInterface({ input: child.stdout }).on('line', (name) => {
        acknowledged.push(name);
        // Somewhere in the next change, not always at its beginning.
        if ((seen += 1) === goal) setTimeout(() => child.kill('SIGKILL'), Math.random() * 4);
      });
      await once(child, 'close');
      const { names } = checkConsistent(directory);
      for (const name of acknowledged) assert.ok(names.has(name), `${name} was acknowledged and is gone`);
    }
    assert.ok(acknowledged.length >= rounds);
    assert.ok((await stopTraffic()) > rounds);
    await harness.gateway.admin.must('PUT', `/upstreams/${acknowledged[0]}`, { description: 'and it goes on' });
  });

  test('of the gateway itself under acknowledged writes: all of them are there at the next start', async (context) => {
    const directory = await temporaryDirectory(context);
    const acknowledged: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const gateway = await startGateway({ admin: true, directory });
      const listed = await gateway.admin.must('GET', '/upstreams?limit=500');
      const names = new Set((listed['data'] as { name: string }[]).map(({ name }) => name));
      for (const name of acknowledged) assert.ok(names.has(name), `${name} was acknowledged and is gone`);
      const goal = acknowledged.length + 3 + Math.floor(Math.random() * 10);
      const writes = [0, 1, 2].map(async (lane) => {
        for (let number = 0; ; number += 1) {
          const name = `r${round}-${lane}-${number}`;
          const answer = await gateway.admin.call('POST', '/upstreams', { name, base_url: 'http://127.0.0.1:9' });
          if (answer.status === 201) acknowledged.push(name);
        }
      });
      const ends = Promise.allSettled(writes);
      await eventually(() => acknowledged.length >= goal, 'writes');
      gateway.process.kill('SIGKILL');
      await gateway.exited;
      await ends;
      checkConsistent(directory);
    }
  });
});

/** Writes until one is refused; answers the names that were acknowledged, and the refusal. */
async function writeUntilRefused(
  gateway: Gateway,
  prefix: string,
): Promise<{ names: string[]; refusal: Record<string, unknown>; retryAfter: unknown }> {
  const names: string[] = [];
  for (let number = 0; number < 3_000; number += 1) {
    const name = `${prefix}-${number}`;
    const answer = await gateway.admin.call('POST', '/upstreams', { name, base_url: 'http://127.0.0.1:9', description: 'x'.repeat(900) });
    if (answer.status !== 201) return { names, refusal: answer.body, retryAfter: answer.headers['retry-after'] };
    names.push(name);
  }
  return assert.fail('no write was refused');
}

async function recovers(gateway: Gateway, directory: string, names: readonly string[]): Promise<void> {
  await eventually(
    async () => (await gateway.admin.call('POST', '/upstreams', { name: 'again', base_url: 'http://127.0.0.1:9' })).status === 201,
    'writes after the trouble is over',
    10_000,
  );
  const found = checkConsistent(directory).names;
  for (const name of [...names, 'again']) assert.ok(found.has(name), name);
}

describe('a disk that gives out while the gateway runs', () => {
  test(
    'full: the write that does not fit is 503 with nothing changed, traffic and reading go on, and it recovers by itself',
    { skip: noSmallDisk },
    async (context) => {
      const disk = mountSmallDisk(2 * 1024 * 1024);
      const gateway = await startGateway({ admin: true, workers: 2, directory: disk.path, upstream: harness.upstream.url });
      try {
        const ballast = join(disk.path, 'ballast');
        writeFileSync(ballast, Buffer.alloc(900 * 1024));
        const stopTraffic = steadyTraffic(context, gateway.port);
        const { names, refusal, retryAfter } = await writeUntilRefused(gateway, 'full');
        assert.deepEqual([refusal['status'], refusal['code'], retryAfter], [503, 'storage_unavailable', '1']);
        assert.match(String(refusal['detail']), /disk is full.*nothing was changed/);
        assert.ok(names.length > 0);
        assert.equal((await gateway.admin.call('GET', '/upstreams')).status, 200);
        assert.equal(await gateway.status('/readyz'), 200);
        rmSync(ballast);
        await recovers(gateway, disk.path, names);
        assert.ok((await stopTraffic()) > 0);
      } finally {
        await gateway.stop();
        disk.unmount();
      }
    },
  );

  for (const [what, room] of [
    ['in the middle of a write', 200_000],
    ['at once, as on a disk that has become read-only', null],
  ] as const) {
    test(
      `unable to take more, which shows ${what}: the write is refused whole, traffic goes on, and it recovers`,
      { skip: unlessInstalled('prlimit') },
      async (context) => {
        const directory = await temporaryDirectory(context);
        const gateway = await startGateway({ admin: true, directory, upstream: harness.upstream.url });
        const limit = (bytes: number | 'unlimited') => mustRun('prlimit', [`--pid=${gateway.pid}`, `--fsize=${bytes}:`]);
        try {
          const stopTraffic = steadyTraffic(context, gateway.port);
          await gateway.admin.must('POST', '/upstreams', { name: 'first', base_url: 'http://127.0.0.1:9' });
          await limit(room === null ? 0 : statSync(join(directory, 'apigate.db-wal')).size + room);
          const { names, refusal } = await writeUntilRefused(gateway, 'limited');
          assert.deepEqual([refusal['status'], refusal['code']], [503, 'storage_unavailable'], JSON.stringify(refusal));
          assert.equal(names.length > 0, room !== null);
          assert.equal((await gateway.admin.call('GET', '/upstreams')).status, 200);
          await limit('unlimited');
          await recovers(gateway, directory, ['first', ...names]);
          assert.ok((await stopTraffic()) > 0);
        } finally {
          await gateway.stop();
        }
      },
    );
  }
});

describe('a database that others hold', () => {
  test('J05 locked for longer than a write may wait: 503 with Retry-After, and meanwhile the admin API reads and traffic flows', async (context) => {
    const { directory, admin } = harness.gateway;
    const stopTraffic = steadyTraffic(context, harness.port);
    const locker = new DatabaseSync(join(directory, 'apigate.db'), { timeout: 1_000 });
    locker.exec('BEGIN IMMEDIATE');
    try {
      const started = performance.now();
      const writing = admin.call('POST', '/upstreams', { name: 'locked-out', base_url: 'http://127.0.0.1:9' });
      for (let read = 0; read < 20; read += 1) {
        const before = performance.now();
        assert.equal((await admin.call('GET', '/upstreams?limit=1')).status, 200);
        // A write waits for 5 s.
        assert.ok(performance.now() - before < 3_000, 'reading waits for the lock');
      }
      const answer = await writing;
      assert.deepEqual([answer.status, answer.body['code'], answer.headers['retry-after']], [503, 'storage_unavailable', '1']);
      assert.ok(performance.now() - started > 4_000, 'it was not given up at once');
    } finally {
      locker.exec('ROLLBACK');
      locker.close();
    }
    await admin.must('POST', '/upstreams', { name: 'let-in', base_url: 'http://127.0.0.1:9' });
    assert.ok((await stopTraffic()) > 0);
  });

  test('J03 J08 what cannot be opened ends the start within 5 s, in one line that names the path', async (context) => {
    const directory = await temporaryDirectory(context);
    const path = join(directory, 'apigate.db');
    const start = async (): Promise<string> => {
      const started = performance.now();
      const { code, stderr } = await runApigate(['serve', '--port', '65431', '--database', path]);
      assert.notEqual(code, 0);
      assert.ok(performance.now() - started < 15_000);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
      assert.ok(stderr.includes(path), stderr);
      return stderr;
    };
    const made = new DatabaseSync(path);
    made.exec('PRAGMA application_id = 0x41504947; PRAGMA user_version = 999; CREATE TABLE gateway_state (id)');
    made.close();
    assert.match(await start(), /schema version 999, but this APIGate knows versions up to \d+/);
    writeFileSync(path, Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(4_096, 0xff)]));
    assert.match(await start(), /damaged or not an SQLite database.*left as it is.*backup/);
    rmSync(path);
    rmSync(directory, { recursive: true });
    assert.match(await start(), /the directory .* does not exist/);
  });
});
