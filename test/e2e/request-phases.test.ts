import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startNodeServer } from '../support/node-server.ts';
import { RawClient } from '../support/raw-client.ts';
import { runApigate } from '../support/run-apigate.ts';
import { scopedGateway } from '../support/scoped-gateway.ts';
import { ask, listRequests, type Shown, watchedGateway } from '../support/watched-gateway.ts';

test('where a request stood when it went wrong, and whose fault that was, is told as it was', async (context) => {
  const { gateway, admin } = await watchedGateway(context);
  let waiting = 0;
  await using server = await startNodeServer((request, response) => {
    if (request.url === '/odd/cut') response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy());
    else if (request.url === '/odd/close') request.socket.destroy();
    else waiting += 1;
  });
  const made = await admin.call('POST', '/upstreams', { body: { name: 'odd', base_url: server.url, timeout_ms: 300 } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  await admin.call('POST', '/routes', { body: { name: 'odd', path_pattern: '/odd', upstream_id: 'odd', auth_required: false } });

  await ask(gateway, '/odd/never');
  await fetch(`${gateway.url}/odd/cut`).then((response) => assert.rejects(response.text()));
  await ask(gateway, '/odd/close');
  // In the middle of its body: the upstream waits for the rest, and so must not be blamed.
  const before = waiting;
  const broken = await RawClient.connect(gateway.port);
  await broken.send('POST /odd/upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
  await eventually(() => waiting > before, 'the upload at the upstream');
  await broken.send('not a chunk\r\n');
  assert.equal((await broken.response()).status, 400);
  broken.destroy();
  const seen = waiting;
  await admin.call('PATCH', '/upstreams/odd', { body: { timeout_ms: 60_000 } });
  const leaver = await RawClient.connect(gateway.port);
  await leaver.send('GET /odd/left HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually(() => waiting > seen, 'the request at the upstream');
  leaver.destroy();
  const bad = await RawClient.connect(gateway.port);
  await bad.send('GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal((await bad.response()).status, 400);
  bad.destroy();

  let requests: readonly Shown[] = [];
  const wanted = {
    '/odd/never': ['wait', 'upstream_timeout', 'upstream', 504, true],
    '/odd/cut': ['body', 'upstream_reset', 'upstream', 200, true],
    '/odd/close': ['wait', 'upstream_reset', 'upstream', 502, true],
    '/odd/upload': ['send', 'request_malformed', 'client', 400, false],
    '/odd/left': ['wait', null, null, null, false],
    '/a\\b': ['request', 'request_malformed', 'client', 400, false],
  };
  await eventually(
    async () => {
      requests = await listRequests(admin);
      return Object.keys(wanted).every((path) => requests.some((request) => request.path === path));
    },
    () => JSON.stringify(requests),
  );
  for (const [path, expected] of Object.entries(wanted)) {
    const request = requests.find((each) => each.path === path)!;
    assert.deepEqual([request['phase'], request.code, request['fault'], request.status, request['failed']], expected, path);
  }
  assert.equal(requests.find(({ path }) => path === '/odd/left')?.['outcome'], 'client_abort');
});

test('commands on this machine find the gateway when management has a listener of its own', async (context) => {
  const gateway = await scopedGateway(context, { flags: ['--admin-listen', `127.0.0.1:${await freePort()}`] });
  await new Promise((resolve) => http.get(`${gateway.url}/nothing-here`, resolve));
  await eventually(
    async () => {
      const { code, stdout } = await runApigate(['requests', 'list', '-o', 'json'], { cwd: gateway.directory });
      return (
        code === 0 &&
        (JSON.parse(stdout) as Shown[]).some(({ path, code: error }) => path === '/nothing-here' && error === 'route_not_found')
      );
    },
    'the request',
    20_000,
  );
});
