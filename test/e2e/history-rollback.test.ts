// Over 300 lines: history and rollback as their users meet them, with one gateway that runs meanwhile.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { revisionIn } from '../support/database-reader.ts';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw } from '../support/raw-client.ts';
import { localEnvironment, remoteEnvironment, runApigate } from '../support/run-apigate.ts';
import { answerOk } from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';

const harness = useGateway({ admin: true, workers: 2, script: false, concurrent: true });

let session: AdminSession;

async function prepare(): Promise<void> {
  session = await AdminSession.signIn(harness.gateway);
}

function local(...args: string[]) {
  return runApigate(args, { env: localEnvironment(harness.gateway), cwd: harness.gateway.directory });
}

async function status(path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  return (await fetchRaw(harness.port, 'GET', { target: path, fields: Object.entries(headers) })).status;
}

function revision(): number {
  return revisionIn(harness.gateway.directory);
}

describe('a rollback while requests are on their way', () => {
  before(prepare);

  test('brings the old credential back: the upstream gets it as soon as the answer is there, and no request fails', async () => {
    harness.invariants.canaries.push('credential-of-then', 'credential-of-now');
    const upstream = await harness.scripted(answerOk);
    const fields = { name: 'cred', base_url: upstream.url, auth_type: 'bearer', auth_value: 'credential-of-then' };
    await session.must('POST', '/upstreams', fields);
    await session.must('POST', '/routes', { name: 'cred', path_pattern: '/cred', upstream_id: 'cred', auth_required: false });
    const to = revision();

    const state = { running: true };
    const statuses = new Set<number>();
    let answered = 0;
    const pumps = Array.from({ length: 4 }, async () => {
      while (state.running) {
        statuses.add(await status('/cred'));
        answered += 1;
      }
    });
    const credentialNow = async (): Promise<string | undefined> => {
      const mark = `m${answered}-${Math.random()}`;
      assert.equal(await status(`/cred?${mark}`), 200);
      return upstream.requests.find(({ target }) => target.includes(mark))?.value('authorization');
    };
    await session.must('PATCH', '/upstreams/cred', { auth_value: 'credential-of-now' });
    assert.equal(await credentialNow(), 'Bearer credential-of-now');

    const dry = await session.must('POST', `/history/${to}/rollback?dry_run=true`);
    assert.equal(await credentialNow(), 'Bearer credential-of-now');
    const done = await session.must('POST', `/history/${to}/rollback`);
    assert.deepEqual(done['changes'], dry['changes']);
    for (let round = 0; round < 8; round += 1) assert.equal(await credentialNow(), 'Bearer credential-of-then');
    const more = answered + 20;
    await eventually(() => answered >= more, 'further requests', 20_000);
    state.running = false;
    await Promise.all(pumps);
    assert.deepEqual([...statuses], [200]);
    const told = JSON.stringify([
      done,
      await session.must('GET', '/history?limit=5'),
      await session.must('GET', `/history/diff?from=${to}`),
    ]);
    assert.doesNotMatch(told, /credential-of/);
  });

  test('what was deleted is served again under its ids; a key that was revoked since stays refused', async () => {
    const upstream = await harness.scripted(answerOk);
    await session.must('POST', '/upstreams', { name: 'back', base_url: upstream.url });
    const route = await session.must('POST', '/routes', { name: 'back', path_pattern: '/back', upstream_id: 'back' });
    const keys: string[] = [];
    for (const name of ['stays', 'falls']) {
      const made = await session.must('POST', '/keys', { name, routes: ['back'] });
      keys.push(made['key'] as string);
    }
    harness.invariants.canaries.push(...keys);
    const [stays = '', falls = ''] = keys;
    const to = revision();
    assert.deepEqual([await status('/back', { 'X-API-Key': stays }), await status('/back', { 'X-API-Key': falls })], [200, 200]);

    await session.must('POST', '/keys/falls/revoke');
    await session.must('PATCH', '/keys/stays', { rate_limit_per_minute: 100 });
    await session.must('DELETE', '/upstreams/back?cascade=true');
    assert.equal(await status('/back', { 'X-API-Key': stays }), 404);

    const done = await session.must('POST', `/history/${to}/rollback`);
    assert.deepEqual(done['warnings'], [{ field: 'keys.falls', message: 'was revoked since and stays so' }]);
    for (let round = 0; round < 4; round += 1) {
      assert.deepEqual([await status('/back', { 'X-API-Key': stays }), await status('/back', { 'X-API-Key': falls })], [200, 401]);
    }
    assert.equal((await session.must('GET', '/routes/back'))['id'], route['id']);
    assert.equal((await session.must('GET', '/keys/stays'))['rate_limit_per_minute'], null);
  });
});

describe('with the CLI', () => {
  before(prepare);

  test('beside a running gateway: what it did is listed, compared, undone, and served when the command returns', async () => {
    const upstream = await harness.scripted(answerOk);
    const env = localEnvironment(harness.gateway);
    assert.equal((await local('upstreams', 'create', '--name', 'cli', '--url', upstream.url)).code, 0);
    assert.equal((await local('routes', 'create', '--name', 'cli', '--path', '/cli', '--upstream', 'cli', '--no-auth')).code, 0);
    const to = revision();
    assert.equal(await status('/cli'), 200);
    assert.equal((await local('routes', 'update', 'cli', '--path', '/moved')).code, 0);
    assert.deepEqual([await status('/cli'), await status('/moved')], [404, 200]);

    const history = await local('history', '--actor', 'cli', '-o', 'json');
    const [latest] = JSON.parse(history.stdout) as { revision: number; actor: { kind: string }; changes: object[] }[];
    assert.deepEqual(
      [latest?.revision, latest?.actor.kind, latest?.changes],
      [to + 1, 'cli', [{ action: 'update', type: 'route', name: 'cli' }]],
    );
    const shown = await local('history', String(to + 1));
    assert.match(shown.stdout, /\(cli\)\nupdated route cli\n {2}path_pattern: \/cli → \/moved\n$/);
    const diff = await local('diff', String(to));
    assert.equal(diff.stdout, 'update route cli\n  path_pattern: /cli → /moved\n', diff.stderr);

    assert.equal((await local('rollback', String(to))).code, 2, 'no terminal to ask on');
    assert.equal((await local('rollback', String(to), '--yes', '--expect-revision', String(to))).code, 5);
    const done = await local('rollback', String(to), '--yes');
    assert.equal(done.code, 0, done.stderr);
    assert.equal(done.stdout, 'updated route cli\n  path_pattern: /moved → /cli\n');
    assert.deepEqual([await status('/cli'), await status('/moved')], [200, 404]);
    assert.equal(revision(), to + 2);

    for (const text of [String(to + 3), 'x']) {
      const unknown = await runApigate(['rollback', text, '--yes'], { env, cwd: harness.gateway.directory });
      assert.equal(unknown.code, text === 'x' ? 2 : 3);
    }
  });

  test('over REST a token that may read compares and does not go back', async () => {
    const { token } = (await session.must('POST', '/tokens', { name: 'history reader', scope: 'read' })) as { token: string };
    harness.invariants.canaries.push(token);
    const env = remoteEnvironment(harness.gateway, token);
    const to = revision() - 1;
    assert.equal((await runApigate(['history'], { env })).code, 0);
    assert.equal((await runApigate(['diff', String(to)], { env })).code, 0);
    assert.equal((await runApigate(['rollback', String(to), '--yes'], { env })).code, 4);
  });
});

describe('two admins at once', () => {
  before(prepare);

  test('each rollback is whole, they make a revision each, and the later one holds', async () => {
    const sides = ['left', 'right'];
    const revisions: number[] = [];
    for (const side of sides) {
      const answer = await session.must('POST', '/apply', {
        upstreams: [{ name: 'race', base_url: `http://${side}.example.com` }],
        routes: Array.from({ length: 300 }, (_, index) => ({
          name: `race-${index}`,
          path_pattern: `/race/${index}`,
          upstream: 'race',
          description: side,
        })),
      });
      revisions.push(answer['revision'] as number);
    }
    await session.must('PATCH', '/upstreams/race', { base_url: 'http://third.example.com' });
    const start = revision();
    const others = [session, await AdminSession.signIn(harness.gateway)];
    const answers = await Promise.all(others.map((each, index) => each.call('POST', `/history/${revisions[index]}/rollback`)));
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200, 200],
    );
    const made = answers.map(({ body }) => body['revision'] as number);
    assert.deepEqual(
      made.toSorted((a, b) => a - b),
      [start + 1, start + 2],
    );
    const later = sides[made.indexOf(start + 2)];
    const exported = (await session.must('GET', '/export')) as {
      upstreams: { name: string; base_url: string }[];
      routes: { name: string; description: string }[];
    };
    const descriptions = exported.routes.filter(({ name }) => name.startsWith('race-')).map(({ description }) => description);
    assert.equal(descriptions.length, 300);
    assert.deepEqual([...new Set(descriptions)], [later]);
    assert.equal(exported.upstreams.find(({ name }) => name === 'race')?.base_url, `http://${later}.example.com`);

    // Of two who looked at the same state and say so, one has to look again.
    await session.must('PATCH', '/upstreams/race', { base_url: 'http://fourth.example.com' });
    const seen = revision();
    const careful = await Promise.all(
      others.map((each, index) => each.call('POST', `/history/${revisions[index]}/rollback?expect_revision=${seen}`)),
    );
    assert.deepEqual(
      careful.map((answer) => answer.status).toSorted((a, b) => a - b),
      [200, 412],
    );
  });
});

describe('a kill -9 in the middle of a rollback leaves all of it or nothing', () => {
  const count = 2_000;

  function body(description: string) {
    return {
      upstreams: [{ name: 'kill', base_url: 'http://10.0.0.1' }],
      routes: Array.from({ length: count }, (_, index) => ({
        name: `kill-${index}`,
        path_pattern: `/kill/${index}`,
        upstream: 'kill',
        description,
      })),
    };
  }

  async function descriptions(gateway: Gateway): Promise<string[]> {
    const result = await runApigate(['export', '-o', 'json'], { env: localEnvironment(gateway) });
    assert.equal(result.code, 0, result.stderr);
    const { routes } = JSON.parse(result.stdout) as { routes: { description: string }[] };
    assert.equal(routes.length, count);
    return [...new Set(routes.map(({ description }) => description))];
  }

  /** Resolves once another process is in a transaction that writes. */
  async function transactionBegun(directory: string): Promise<void> {
    using database = new DatabaseSync(join(directory, 'apigate.db'), { timeout: 0 });
    const isFree = (): boolean => {
      try {
        database.exec('BEGIN IMMEDIATE');
        database.exec('ROLLBACK');
        return true;
      } catch {
        return false;
      }
    };
    await eventually(() => !isFree(), 'a transaction', 20_000);
  }

  test('the gateway starts again on what was committed, and its history goes on', async () => {
    let gateway = await startGateway({ admin: true });
    const { directory } = gateway;
    try {
      let admin = await AdminSession.signIn(gateway);
      const { revision: first } = await admin.must('POST', '/apply', body('first'));
      await admin.must('POST', '/apply', body('second'));
      for (const delay of [0, 150]) {
        const before = revisionIn(directory);
        const cut = admin.call('POST', `/history/${String(first)}/rollback`).catch(() => undefined);
        await transactionBegun(directory);
        await new Promise((resolve) => setTimeout(resolve, delay));
        gateway.process.kill('SIGKILL');
        await Promise.all([cut, gateway.exited]);
        gateway = await startGateway({ directory, admin: true });
        const made = revisionIn(directory) - before;
        assert.ok(made === 0 || (made === 1 && delay > 0), `${made} revisions after a kill ${delay} ms into it`);
        assert.deepEqual(await descriptions(gateway), [made === 0 ? 'second' : 'first']);
        admin = await AdminSession.signIn(gateway);
        const { changes } = (await admin.must('GET', `/history/diff?from=${String(first)}`)) as { changes: object[] };
        assert.equal(changes.length, made === 0 ? count : 0);
        await admin.must('POST', '/apply', body('second'));
      }
      await admin.must('POST', `/history/${String(first)}/rollback`);
      assert.deepEqual(await descriptions(gateway), ['first']);
    } finally {
      await gateway.stop();
    }
  });
});

test('a revision that is not kept any more is 410 and says from where on they are', async () => {
  await prepare();
  const present = revision();
  using database = new DatabaseSync(join(harness.gateway.directory, 'apigate.db'), { timeout: 5_000 });
  const { from_revision: from } = database.prepare('SELECT from_revision FROM history_state').get() as { from_revision: number };
  database.prepare('UPDATE history_state SET from_revision = ?').run(present - 1);
  try {
    const paths = [`/history/${present - 2}`, `/history/diff?from=${present - 2}`, `/history/diff?from=${present}&to=0`];
    for (const answer of [
      ...(await Promise.all(paths.map((path) => session.call('GET', path)))),
      await session.call('POST', `/history/${present - 2}/rollback`),
    ]) {
      assert.deepEqual([answer.status, answer.body['code']], [410, 'revision_pruned']);
      assert.match(String(answer.body['detail']), new RegExp(`is not kept any more; the oldest one kept is ${present - 1}`));
    }
    assert.equal((await session.call('GET', `/history/${present + 1}`)).status, 404);
    assert.equal((await local('rollback', String(present - 2), '--yes')).code, 3);
    assert.equal((await session.must('GET', '/history'))['total'], 2);
  } finally {
    database.prepare('UPDATE history_state SET from_revision = ?').run(from);
  }
});
