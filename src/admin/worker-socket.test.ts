import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { firstSignIn } from './admin-app-fixture.ts';
import type { AdminBindings } from './admin-env.ts';
import { ask, asWorker, json, localToken, serveWorkers, workerToken, type Reply, type Served } from './admin-server-fixture.ts';
import { listenForWorkers } from './admin-server.ts';

describe("the admin server on the workers' socket", () => {
  it('refuses everybody without the token of this start', async () => {
    await using served = await serveWorkers();
    const { 'x-apigate-worker-token': _, ...without } = asWorker;
    const cases: Record<string, string | string[]>[] = [
      without,
      { ...asWorker, 'x-apigate-worker-token': '' },
      { ...asWorker, 'x-apigate-worker-token': 'b'.repeat(64) },
      { ...asWorker, 'x-apigate-worker-token': workerToken.slice(1) },
      { ...asWorker, 'x-apigate-worker-token': [workerToken, workerToken] },
      { ...asWorker, 'x-apigate-scheme': 'gopher' },
      { ...without, 'x-apigate-worker-token': workerToken, 'x-apigate-client': ['127.0.0.1', '127.0.0.1'] },
    ];
    for (const headers of cases) {
      const reply = await ask(served, 'GET', '/version', headers);
      assert.deepEqual([reply.status, reply.body.code], [403, 'forbidden'], JSON.stringify(headers));
      assert.equal(reply.headers['cache-control'], 'no-store');
    }
    assert.equal((await ask(served, 'GET', '/version', asWorker)).status, 200);
  });

  it('lets commands on this machine look, and change nothing', async () => {
    await using served = await serveWorkers();
    const asCommand = { ...json, 'x-apigate-local-token': localToken, host: 'localhost' };
    const statusOf = async (method: string, path: string, headers: Record<string, string> = asCommand): Promise<number> =>
      (await ask(served, method, path, headers, method === 'POST' || method === 'PUT' ? '{}' : '')).status;
    assert.equal(await statusOf('GET', '/admin/upstreams'), 200);
    assert.equal(await statusOf('POST', '/admin/apply?dry_run=true'), 200);
    // It gets so far as to be told what is wrong.
    assert.equal(await statusOf('POST', '/admin/explain'), 422);
    for (const [method, path] of [
      ['POST', '/admin/apply'],
      ['POST', '/admin/apply?dry_run=false'],
      ['POST', '/admin/apply?prune=true'],
      ['POST', '/admin/%61pply?dry_run=true'],
      ['POST', '/admin/upstreams?dry_run=true'],
      ['POST', '/admin/routes/preview'],
      ['PUT', '/admin/explain'],
      ['DELETE', '/admin/upstreams/x'],
    ] as const)
      assert.equal(await statusOf(method, path), 403, `${method} ${path}`);
    // Which of the two would count must not be left to chance.
    assert.equal(await statusOf('POST', '/admin/apply?dry_run=true&dry_run=false'), 422);
    for (const wrong of ['', localToken.slice(1), workerToken])
      assert.equal(await statusOf('GET', '/admin/upstreams', { ...asCommand, 'x-apigate-local-token': wrong }), 403);
  });

  it("believes the worker about the client's address, scheme and request id", async () => {
    await using served = await serveWorkers();
    const from = (client: string): Promise<Reply> => ask(served, 'GET', '/version', { ...asWorker, 'x-apigate-client': client });
    assert.equal((await from('8.8.8.8')).status, 403);
    assert.equal((await from('::ffff:8.8.8.8')).status, 403);
    assert.equal((await from('::ffff:10.0.0.1')).status, 200);
    const headers = {
      ...json,
      ...asWorker,
      'x-apigate-scheme': 'https',
      'x-apigate-client': '10.9.8.7',
      'x-request-id': 'from-the-worker',
    };
    const login = await ask(served, 'POST', '/admin/login', headers, JSON.stringify(firstSignIn));
    assert.match(login.headers['set-cookie']?.[0] ?? '', /; Secure$/);
    assert.equal(login.headers['x-request-id'], 'from-the-worker');
    const signedIn = (await served.fixture.access.audit()).at(-1);
    assert.deepEqual([signedIn?.remote_address, signedIn?.request_id], ['10.9.8.7', 'from-the-worker']);
    const unreadable = await ask(served, 'GET', '/version', { ...asWorker, 'x-request-id': 'with space' });
    assert.match(String(unreadable.headers['x-request-id']), /^[0-9a-f]{32}$/);
  });

  it('lets no handler see what passes between worker and control plane', async () => {
    const seen: { headers: Headers; env: AdminBindings }[] = [];
    const directory = await mkdtemp(join(tmpdir(), 'apigate-admin-'));
    const socketPath = join(directory, 'admin.sock');
    const app = {
      fetch(request: Request, env: AdminBindings) {
        seen.push({ headers: request.headers, env });
        return new Response('{}');
      },
    };
    const listener = await listenForWorkers({
      app: app as never,
      log: { warn: () => undefined, error: () => undefined },
      socketPath,
      token: workerToken,
    });
    const served = { target: { path: socketPath, socketPath } } as unknown as Served;
    await ask(served, 'POST', '/admin/login', { ...asWorker, 'X-APIGate-Other': 'x', 'x-request-id': 'r', 'x-kept': 'y' });
    const [first] = seen;
    assert.deepEqual(
      [...(first?.headers.keys() ?? [])].filter((name) => name.startsWith('x-')),
      ['x-kept'],
    );
    for (const name of ['x-apigate-worker-token', 'x-apigate-client', 'x-request-id', 'x-apigate-other'])
      assert.equal(first?.headers.get(name), null);
    assert.deepEqual(first?.env, { remoteAddress: '127.0.0.1', scheme: 'http', requestId: 'r', isDirectLoopback: false });
    await listener.close(100);
    await rm(directory, { recursive: true });
  });
});
