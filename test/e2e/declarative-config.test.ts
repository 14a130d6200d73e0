// Over 300 lines: export and apply as their users meet them, with one gateway that runs meanwhile.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { revisionIn } from '../support/database-reader.ts';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw } from '../support/raw-client.ts';
import { commandFile, localEnvironment, plainEnvironment, remoteEnvironment, runApigate } from '../support/run-apigate.ts';
import { answerOk } from '../support/scripted-upstream.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';

const harness = useGateway({ admin: true, workers: 2, script: false, concurrent: true, env: { E2E_TOKEN: 'token-from-the-environment' } });

let session: AdminSession;

async function prepare(): Promise<void> {
  session = await AdminSession.signIn(harness.gateway);
}

async function file(name: string, text: string): Promise<string> {
  const path = join(harness.gateway.directory, name);
  await writeFile(path, text);
  return path;
}

function local(...args: string[]) {
  return runApigate(args, { env: localEnvironment(harness.gateway), cwd: harness.gateway.directory });
}

async function status(path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  return (await fetchRaw(harness.port, 'GET', { target: path, fields: Object.entries(headers) })).status;
}

describe('the CLI on the local database, beside a running gateway', () => {
  before(prepare);

  test('what is applied is served when the command returns, with the credential that its reference leads to', async () => {
    const upstream = await harness.scripted(answerOk);
    const path = await file(
      'first.yaml',
      `upstreams:
  - {name: e2e, base_url: "${upstream.url}", auth_type: bearer, auth_value: "\${env.E2E_TOKEN}"}
---
routes:
  - {name: e2e-open, path_pattern: /e2e-open, upstream: e2e, auth_required: false}
  - {name: e2e-shut, path_pattern: /e2e-shut, upstream: e2e}
keys:
  - {name: e2e-key, routes: [e2e-shut]}
`,
    );
    const dry = await local('apply', '-f', path, '--dry-run');
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /^create upstream e2e\n/);
    assert.doesNotMatch(dry.stdout, /ak_/);
    const revision = revisionIn(harness.gateway.directory);
    assert.equal(await status('/e2e-open'), 404);

    const applied = await local('apply', '-f', path);
    assert.equal(applied.code, 0, applied.stderr);
    assert.equal(revisionIn(harness.gateway.directory), revision + 1);
    const key = /^API key e2e-key: (ak_[0-9a-f]{64})$/m.exec(applied.stdout)?.[1] ?? '';
    harness.invariants.canaries.push(key);
    assert.equal(await status('/e2e-open'), 200);
    assert.equal(upstream.requests.at(-1)?.value('authorization'), 'Bearer token-from-the-environment');
    assert.equal(await status('/e2e-shut'), 401);
    assert.equal(await status('/e2e-shut', { 'X-API-Key': key }), 200);

    const again = await local('apply', '-f', path);
    assert.match(again.stderr, /No changes/);
    assert.equal(revisionIn(harness.gateway.directory), revision + 1);
  });

  test('an export, applied to a fresh gateway, is exported there as the same text', async () => {
    const exported = await local('export');
    assert.equal(exported.code, 0, exported.stderr);
    assert.match(exported.stdout, /auth_value: \$\{env\.E2E_TOKEN\}/);
    const path = await file('exported.yaml', exported.stdout);
    const same = await local('apply', '-f', path, '--prune', '--yes');
    assert.match(same.stderr, /No changes/);
    const fresh = await startGateway();
    try {
      const applied = await runApigate(['apply', '-f', path], { env: localEnvironment(fresh) });
      assert.equal(applied.code, 0, applied.stderr);
      const text = (await runApigate(['export'], { env: localEnvironment(fresh) })).stdout;
      assert.equal(text, exported.stdout);
    } finally {
      await fresh.stop();
    }
  });

  test('a mistake anywhere changes nothing, is told with its line, and exits with 2', async () => {
    const path = await file(
      'wrong.yaml',
      'routes:\n  - name: fine\n    path_pattern: /fine\n    upstream: e2e\n  - name: wrong\n    path_pattern: "("\n    match_type: regex\n    upstream: e2e\n',
    );
    const revision = revisionIn(harness.gateway.directory);
    const result = await local('apply', '-f', path);
    assert.equal(result.code, 2);
    assert.match(result.stderr, /wrong\.yaml:6: routes\[1\]\.path_pattern: /);
    assert.equal(revisionIn(harness.gateway.directory), revision);
    assert.equal(await status('/fine'), 404);
  });

  test('--prune without a terminal wants --yes, and refuses to take an upstream from its routes', async () => {
    const path = await file('none.yaml', 'upstreams: []\n');
    const unsure = await local('apply', '-f', path, '--prune');
    assert.equal(unsure.code, 2);
    const refused = await local('apply', '-f', path, '--prune', '--yes');
    assert.equal(refused.code, 5);
    assert.match(refused.stderr, /"e2e" is used by 2 routes: "e2e-open", "e2e-shut"/);
    assert.equal(await status('/e2e-open'), 200);
  });
});

describe('over REST', () => {
  before(prepare);

  async function tokenOf(scope: string): Promise<string> {
    const { token } = (await session.must('POST', '/tokens', { name: `declarative ${scope}`, scope })) as { token: string };
    harness.invariants.canaries.push(token);
    return token;
  }

  test('a token that may read exports and does not apply; one that may write applies', async () => {
    const upstream = await harness.scripted(answerOk);
    const input = `upstreams: [{name: rest, base_url: "${upstream.url}"}]\nroutes: [{name: rest, path_pattern: /rest, upstream: rest, auth_required: false}]\n`;
    const reader = remoteEnvironment(harness.gateway, await tokenOf('read'));
    const writer = remoteEnvironment(harness.gateway, await tokenOf('write'));
    assert.equal((await runApigate(['export'], { env: reader })).code, 0);
    for (const args of [
      ['apply', '-f', '-'],
      ['apply', '-f', '-', '--dry-run'],
    ]) {
      assert.equal((await runApigate(args, { env: reader, input })).code, 4);
    }
    const applied = await runApigate(['apply', '-f', '-', '-o', 'json'], { env: writer, input });
    assert.equal(applied.code, 0, applied.stderr);
    assert.equal((JSON.parse(applied.stdout) as { changes: unknown[] }).changes.length, 2);
    assert.equal(await status('/rest'), 200);
  });

  test('of two applies at once each is whole: they make a revision each, and the later one holds', async () => {
    const before = revisionIn(harness.gateway.directory);
    const input = (side: string) => ({
      upstreams: [{ name: 'race', base_url: `http://${side}.example.com` }],
      routes: Array.from({ length: 200 }, (_, index) => ({
        name: `race-${index}`,
        path_pattern: `/race/${index}`,
        upstream: 'race',
        description: side,
      })),
    });
    const answers = await Promise.all(['left', 'right'].map((side) => session.call('POST', '/apply', { body: input(side) })));
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200, 200],
    );
    const revisions = answers.map(({ body }) => body['revision'] as number);
    assert.deepEqual(
      revisions.toSorted((a, b) => a - b),
      [before + 1, before + 2],
    );
    const later = revisions[0] === before + 2 ? 'left' : 'right';
    const exported = (await session.must('GET', '/export')) as {
      upstreams: { name: string; base_url: string }[];
      routes: { name: string; description: string }[];
    };
    const sides = exported.routes.filter(({ name }) => name.startsWith('race-')).map(({ description }) => description);
    assert.deepEqual(
      sides,
      Array.from({ length: 200 }, () => later),
    );
    assert.equal(exported.upstreams.find(({ name }) => name === 'race')?.base_url, `http://${later}.example.com`);
  });

  test('10,000 routes are applied in seconds, while requests are answered all the time', async () => {
    const upstream = await harness.scripted(answerOk);
    const routes = Array.from({ length: 10_000 }, (_, index) => ({
      name: `many-${index}`,
      path_pattern: `/many/${index % 100}/${index}`,
      upstream: 'many',
      auth_required: false,
    }));
    const state = { running: true };
    const statuses = new Set<number>();
    let answered = 0;
    const pump = (async () => {
      while (state.running) {
        statuses.add(await status('/e2e-open'));
        answered += 1;
      }
    })();
    const started = performance.now();
    const answer = await session.call('POST', '/apply', { body: { upstreams: [{ name: 'many', base_url: upstream.url }], routes } });
    const took = performance.now() - started;
    state.running = false;
    await pump;
    assert.equal(answer.status, 200, JSON.stringify(answer.body).slice(0, 500));
    // Ten times what it takes: it catches work that grows with the square, not slowness.
    assert.ok(took < 30_000, `${took} ms`);
    assert.deepEqual([...statuses], [200]);
    assert.ok(answered > 20, `${answered} requests were answered meanwhile`);
    assert.equal(await status('/many/99/9999'), 200);
    const pruned = await session.call('POST', '/apply?prune=true', { body: { routes: [], upstreams: [], keys: [] } });
    assert.equal(pruned.status, 200);
    assert.equal((pruned.body['changes'] as unknown[]).length > 10_000, true);
    assert.equal(await status('/many/99/9999'), 404);
  });
});

describe('a kill -9 in the middle of an apply leaves all of it or nothing', () => {
  const count = 2_000;
  const body = {
    upstreams: [{ name: 'kill', base_url: 'http://10.0.0.1' }],
    routes: Array.from({ length: count }, (_, index) => ({ name: `kill-${index}`, path_pattern: `/kill/${index}`, upstream: 'kill' })),
  };
  const nothing = { upstreams: [], routes: [] };

  async function exportedCount(gateway: Gateway): Promise<number> {
    const result = await runApigate(['export', '-o', 'json'], { env: localEnvironment(gateway) });
    assert.equal(result.code, 0, result.stderr);
    const { upstreams, routes } = JSON.parse(result.stdout) as { upstreams: unknown[]; routes: unknown[] };
    assert.equal(upstreams.length, routes.length === 0 ? 0 : 1);
    return routes.length;
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

  test('of the CLI, and the gateway beside it goes on', async () => {
    const gateway = await startGateway({ admin: true });
    try {
      const path = join(gateway.directory, 'kill.json');
      await writeFile(path, JSON.stringify(body));
      const admin = await AdminSession.signIn(gateway);
      // From the beginning of the transaction to about its end.
      for (const delay of [0, 100, 300]) {
        const child = spawn(process.execPath, [commandFile, 'apply', '-f', path], {
          env: plainEnvironment(localEnvironment(gateway)),
          stdio: 'ignore',
        });
        const ended = once(child, 'exit');
        await transactionBegun(gateway.directory);
        await new Promise((resolve) => setTimeout(resolve, delay));
        child.kill('SIGKILL');
        await ended;
        const found = await exportedCount(gateway);
        assert.ok(found === 0 || (found === count && delay > 0), `${found} routes after a kill ${delay} ms into it`);
        assert.equal((await admin.call('POST', '/apply?prune=true', { body: nothing })).status, 200);
      }
      // The lock went with the process: the next apply goes through.
      assert.equal((await admin.call('POST', '/apply', { body })).status, 200);
      assert.equal(await exportedCount(gateway), count);
    } finally {
      await gateway.stop();
    }
  });

  test('of the gateway, which starts again on what was committed', async () => {
    const killed = await startGateway({ admin: true });
    const { directory } = killed;
    try {
      const admin = await AdminSession.signIn(killed);
      const revision = revisionIn(directory);
      const cut = admin.call('POST', '/apply', { body }).catch(() => undefined);
      await transactionBegun(directory);
      killed.process.kill('SIGKILL');
      await Promise.all([cut, killed.exited]);
      const restarted = await startGateway({ directory });
      try {
        assert.equal(await exportedCount(restarted), 0);
        assert.equal(revisionIn(directory), revision);
      } finally {
        await restarted.stop();
      }
    } finally {
      await killed.stop();
    }
  });
});
