import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { CliFixture } from './cli-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'apigate-cli-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'token'), 'agt_from_file\n');

describe('with --server', () => {
  it('speaks REST with the token, and leaves the local database alone', async () => {
    const cli = new CliFixture();
    await using api = cli.api;
    const server = await api.listen();
    const { code, stdout, stderr } = await cli.run(
      ['upstreams', 'create', '--name', 'ü', '--url', 'http://b', '--server', server, '-o', 'json'],
      { env: { APIGATE_TOKEN: 'agt_1' } },
    );
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { name: string }).name, 'ü');
    assert.equal((await cli.run(['--server', server, 'upstreams', 'get', 'ü'], { env: { APIGATE_TOKEN: 'agt_1' } })).code, 0);
    assert.equal((await cli.run(['upstreams', 'delete', 'ü', '--server', server], { env: { APIGATE_TOKEN: 'agt_1' } })).code, 0);
    assert.deepEqual(
      api.seen.map(({ method, path, authorization }) => [method, path, authorization]),
      [
        ['POST', '/admin/upstreams', 'Bearer agt_1'],
        ['GET', '/admin/upstreams/%C3%BC', 'Bearer agt_1'],
        ['DELETE', '/admin/upstreams/%C3%BC', 'Bearer agt_1'],
      ],
    );
    assert.deepEqual(cli.opened, []);
    assert.deepEqual(cli.awaited, []);
  });

  it('finds server and token in the environment and in files', async () => {
    const cli = new CliFixture();
    await using api = cli.api;
    const server = await api.listen();
    const list = ['keys', 'list', '-o', 'json'];
    const results = [
      await cli.run(list, { env: { APIGATE_SERVER: server, APIGATE_TOKEN: 'agt_env' } }),
      await cli.run(list, { env: { APIGATE_SERVER: server, APIGATE_TOKEN_FILE: join(folder, 'token') } }),
      await cli.run([...list, '--token-file', 'token'], { cwd: folder, env: { APIGATE_SERVER: server, APIGATE_TOKEN: 'agt_env' } }),
      await cli.run([...list, '--server', `${server.replace('http://', '')}/`], { env: { APIGATE_TOKEN: 'agt_env' } }),
      await cli.run([...list, '--server', `${server}/admin/`], { env: { APIGATE_TOKEN: 'agt_env' } }),
    ];
    assert.deepEqual(
      results.map(({ code }) => code),
      [0, 0, 0, 0, 0],
    );
    assert.deepEqual(
      api.seen.map(({ path, authorization }) => `${path} ${authorization}`),
      ['agt_env', 'agt_from_file', 'agt_from_file', 'agt_env', 'agt_env'].map((token) => `/admin/keys Bearer ${token}`),
    );
  });

  it('a database that is named beats APIGATE_SERVER, and excludes --server', async () => {
    const cli = new CliFixture();
    const env = { APIGATE_SERVER: 'http://127.0.0.1:1', APIGATE_TOKEN: 'agt_1' };
    assert.equal((await cli.run(['keys', 'list', '--database', '/d.db'], { env })).code, 0);
    assert.equal(cli.opened[0]?.database.path, '/d.db');
    assert.equal((await cli.run(['keys', 'list', '--database', '/d.db', '--server', 'http://a'], { env })).code, 2);
    assert.equal((await cli.run(['keys', 'list', '--token-file', 'x'])).code, 2);
  });

  it('without a token says how to get one, and that is "not authorised"', async () => {
    const cli = new CliFixture();
    const { code, stderr } = await cli.run(['keys', 'list', '--server', 'http://127.0.0.1:1']);
    assert.equal(code, 4);
    assert.match(stderr, /APIGATE_TOKEN[^]*apigate tokens create/);
    assert.equal((await cli.run(['keys', 'list', '--server', 'http://127.0.0.1:1'], { env: { APIGATE_TOKEN: 'a b' } })).code, 4);
    assert.equal((await cli.run(['keys', 'list', '--server', 'http://127.0.0.1:1', '--token-file', '/nowhere'])).code, 2);
  });

  it('a wrong token is explained and never repeated', async () => {
    const cli = new CliFixture();
    await using api = cli.api;
    const server = await api.listen();
    api.refuseNext({ status: 401, code: 'unauthenticated', detail: 'The token is unknown.' });
    const { code, stderr } = await cli.run(['keys', 'list', '--server', server], { env: { APIGATE_TOKEN: 'agt_canary' } });
    assert.equal(code, 4);
    assert.match(stderr, /The token is unknown\.\n {2}The API token may be mistyped, expired or revoked/);
    assert.doesNotMatch(stderr, /canary/);
  });

  it('addresses that are none are wrong usage', async () => {
    for (const server of ['', 'ftp://x', 'http://', 'http://u:p@h', 'http://h?x=1', 'http://h#f', 'http://a b']) {
      const { code, stderr } = await new CliFixture().run(['keys', 'list', '--server', server], { env: { APIGATE_TOKEN: 'agt_1' } });
      assert.equal(code, 2, server);
      assert.match(stderr, /--server/);
    }
  });

  it('a server that is something else is told so, and a redirect is not followed with the token', async () => {
    const cli = new CliFixture();
    await using api = cli.api;
    const env = { APIGATE_TOKEN: 'agt_1', APIGATE_SERVER: await api.listen() };
    for (const [answer, expected] of [
      [
        () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
        /does not answer like an APIGate admin API \(status 200, text\/html\)/,
      ],
      [() => new Response('not found', { status: 404 }), /does not answer like an APIGate/],
      [() => new Response('{"a":', { headers: { 'content-type': 'application/json' } }), /does not answer like an APIGate/],
      [
        () => new Response('{}', { status: 502, headers: { 'content-type': 'application/problem+json' } }),
        /does not answer like an APIGate/,
      ],
      [() => new Response('null', { headers: { 'content-type': 'application/json' } }), /not a list/],
      [() => new Response(null, { status: 302, headers: { location: 'http://evil.example/' } }), /redirects to http:\/\/evil\.example\//],
    ] as const) {
      api.answerNext(answer);
      const { code, stderr } = await cli.run(['keys', 'list'], { env });
      assert.equal(code, 1, stderr);
      assert.match(stderr, expected);
    }
    assert.equal(api.seen.length, 6);
  });

  it('a server that hangs up is unreachable', async () => {
    const server = createServer((socket) => socket.destroy());
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    const { code, stderr } = await new CliFixture().run(
      ['keys', 'list', '--server', `http://127.0.0.1:${(server.address() as AddressInfo).port}`],
      { env: { APIGATE_TOKEN: 'agt_1' } },
    );
    server.close();
    assert.equal(code, 6, stderr);
    assert.match(stderr, /cannot reach/);
  });
});
