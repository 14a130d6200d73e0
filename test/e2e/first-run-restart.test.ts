import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { revisionIn } from '../support/database-reader.ts';
import { eventually } from '../support/eventually.ts';
import { fetchRaw } from '../support/raw-client.ts';
import { scopedGateway } from '../support/scoped-gateway.ts';
import { answerOk, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

type Resource = Readonly<Record<string, unknown>>;

describe('kill -9 in the middle of writes', () => {
  test('what was acknowledged is there after the next start, whole and served; what was not is there whole or not at all', async (context) => {
    const directory = await temporaryDirectory(context);
    const upstream = await startScriptedUpstream(answerOk);
    context.after(() => upstream.close());
    /** By path, as last acknowledged. */
    const acknowledged = new Map<string, Resource>();
    const keys = new Map<string, string>();
    const removed = new Set<string>();
    let revision = 0;

    for (let life = 0; life < 3; life += 1) {
      const gateway = await scopedGateway(context, { directory, admin: true });
      const session = await AdminSession.signIn(gateway);
      const note = async (path: string, call: ReturnType<AdminSession['call']>): Promise<Resource> => {
        const { status, headers, body } = await call;
        assert.ok(status === 200 || status === 201, JSON.stringify(body));
        revision = Math.max(revision, Number(headers['x-apigate-revision']));
        const { key, ...rest } = body;
        if (typeof key === 'string') keys.set(path, key);
        acknowledged.set(path, rest);
        return body;
      };
      let writes = 0;
      const writers = Promise.allSettled(
        Array.from({ length: 4 }, async (_, writer) => {
          // Until the gateway is no more.
          for (let round = 0; ; round += 1) {
            const name = `w${life}-${writer}-${round}`;
            const fields = { base_url: `${upstream.url}/${name}`, auth_type: 'bearer', auth_value: `secret of ${name}` };
            await note(`/upstreams/${name}`, session.call('POST', '/upstreams', { body: { name, ...fields } }));
            await note(`/routes/${name}`, session.call('POST', '/routes', { body: { name, path_pattern: `/${name}`, upstream_id: name } }));
            await note(`/keys/${name}`, session.call('POST', '/keys', { body: { name, routes: [name] } }));
            await note(
              `/upstreams/${name}`,
              session.call('PUT', `/upstreams/${name}`, { body: { timeout_ms: 1_000 + round, description: `round ${round}` } }),
            );
            if (round % 4 === 3) {
              acknowledged.delete(`/keys/${name}`);
              await session.must('DELETE', `/keys/${name}`);
              removed.add(`/keys/${name}`);
            }
            writes += 4;
          }
        }),
      );
      await eventually(() => writes > 60, 'enough writes', 20_000);
      gateway.process.kill('SIGKILL');
      await gateway.exited;
      for (const { reason } of (await writers) as PromiseRejectedResult[])
        assert.match(String(reason), /ECONNRESET|ECONNREFUSED|socket hang up|ended without/);
    }

    const gateway = await scopedGateway(context, { directory });
    const session = await AdminSession.signIn(gateway);
    assert.ok(revisionIn(directory) >= revision, `revision ${revisionIn(directory)} after ${revision} was acknowledged`);
    const stored = new Map<string, Resource>();
    for (const kind of ['upstreams', 'routes', 'keys']) {
      for (let cursor = ''; ;) {
        const { data, next_cursor } = await session.must('GET', `/${kind}?limit=500${cursor}`);
        for (const resource of data as Resource[]) stored.set(`/${kind}/${String(resource['name'])}`, resource);
        if (next_cursor === null) break;
        cursor = `&cursor=${next_cursor as string}`;
      }
    }
    for (const [path, resource] of acknowledged) {
      const now = stored.get(path);
      assert.ok(now !== undefined, `${path} was acknowledged and is gone`);
      // A last change that nobody heard of may be there too.
      if (now['updated_at'] === resource['updated_at']) assert.deepEqual(now, resource);
      else assert.deepEqual([now['description'] !== '', Number(now['timeout_ms']) >= 1_000], [true, true], path);
    }
    for (const path of removed) assert.ok(!stored.has(path), `${path} is back`);

    const names = [...keys].filter(([path]) => acknowledged.has(path)).map(([path, key]) => [path.slice('/keys/'.length), key] as const);
    assert.ok(names.length > 20);
    for (const [name, key] of names.filter((_, index) => index % 5 === 0)) {
      const response = await fetchRaw(gateway.port, 'GET', { target: `/${name}`, fields: [['X-API-Key', key]] });
      assert.equal(response.status, 200, response.body.toString());
      const request = upstream.requests.at(-1)!;
      assert.deepEqual([request.target, request.value('authorization')], [`/${name}/${name}`, `Bearer secret of ${name}`]);
    }
    assert.equal(await gateway.stop(), 0);
    assert.deepEqual(upstream.violations, []);
  });

  test('a gateway that was killed leaves no lock behind: the next one serves its database and its port', async (context) => {
    const directory = await temporaryDirectory(context);
    const killed = await scopedGateway(context, { directory, admin: true });
    const session = await AdminSession.signIn(killed);
    killed.process.kill('SIGKILL');
    await killed.exited;
    const next = await scopedGateway(context, { directory, port: killed.port });
    assert.equal((await new AdminSession(next, { cookie: session.cookie }).call('GET', '/me')).status, 200);
    assert.equal(await next.stop(), 0);
  });
});
