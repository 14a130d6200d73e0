import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { RawClient } from '../support/raw-client.ts';
import { ask, listRequests, type Shown, shownRequest, watchedGateway } from '../support/watched-gateway.ts';

test('what happened to a request can be looked up by its id, with names, and without anything that it carried', async (context) => {
  const { gateway, admin } = await watchedGateway(context);
  const id = await ask(gateway, '/users/7?api_key=ak_canary', { authorization: 'Bearer canary', cookie: 'canary=1' });
  const request = await shownRequest(admin, id);
  const { time, duration_ms, upstream_ms, route_id, upstream_id, ...rest } = request;
  assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
  assert.ok(Number(duration_ms) > 0 && Number(upstream_ms) > 0 && Number(upstream_ms) <= Number(duration_ms));
  assert.match(String(route_id), /^rt_/);
  assert.match(String(upstream_id), /^up_/);
  assert.deepEqual(rest, {
    id,
    method: 'GET',
    host: '127.0.0.1',
    path: '/users/7',
    status: 200,
    outcome: 'ok',
    failed: false,
    code: null,
    fault: null,
    phase: null,
    reason: null,
    hint: null,
    route: 'default',
    upstream: 'default',
    key_id: null,
    key: null,
    client_address: '127.0.0.1',
    attempts: 1,
    bytes_in: 0,
    // What the upstream makes of the target, from which the key was cut.
    bytes_out: 'GET /users/7 0'.length,
    frames_in: null,
    frames_out: null,
    events: null,
  });
  assert.doesNotMatch(JSON.stringify(request), /canary/);
  assert.equal((await admin.call('GET', `/requests/${'0'.repeat(32)}`)).status, 404);
});

test('requests are listed whatever the log is told to leave out', async (context) => {
  const { gateway, admin } = await watchedGateway(context, { workers: 2, flags: ['--log-level', 'error', '--log-format', 'text'] });
  const ids = [];
  for (let at = 0; at < 6; at++) ids.push(await ask(gateway, `/quiet/${at}`));
  for (const id of ids) await shownRequest(admin, id);
  const paths = (await listRequests(admin, '?path=/quiet')).map(({ path }) => path);
  assert.deepEqual(
    paths.toSorted(),
    ids.map((_, at) => `/quiet/${at}`),
  );
  assert.doesNotMatch(gateway.output, /quiet/);
});

test('a failure is kept with its cause, phase and remedy, however much traffic comes after it', async (context) => {
  const { gateway, admin } = await watchedGateway(context);
  const dead = await freePort();
  const made = await admin.call('POST', '/upstreams', { body: { name: 'dead', base_url: `http://127.0.0.1:${dead}` } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  await admin.call('POST', '/routes', { body: { name: 'dead', path_pattern: '/dead', upstream_id: 'dead', auth_required: false } });
  const id = await ask(gateway, '/dead/x');
  await shownRequest(admin, id);
  const client = await RawClient.connect(gateway.port);
  const flood = 5_200;
  for (let sent = 0; sent < flood; sent += 100) {
    await client.send('GET /flood HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(100));
    for (let at = 0; at < 100; at++) assert.equal((await client.response()).status, 200);
  }
  client.destroy();
  await eventually(async () => {
    const answer = await admin.call('GET', '/requests?path=/flood&limit=1');
    return (answer.body as unknown as { total: number }).total >= 5_000;
  }, 'the flood in the list');
  const { fault, phase, code, reason, hint, upstream, status, outcome } = await shownRequest(admin, id);
  assert.deepEqual(
    { fault, phase, code, upstream, status, outcome },
    {
      fault: 'upstream',
      phase: 'connect',
      code: 'upstream_connection_refused',
      upstream: 'dead',
      status: 502,
      outcome: 'upstream_connect',
    },
  );
  assert.match(String(reason), /refused/);
  assert.match(String(hint), /base_url/);
  assert.deepEqual(
    (await listRequests(admin, '?failed=true')).map((each) => each.id),
    [id],
  );
  assert.deepEqual(
    (await listRequests(admin, '?upstream=dead&status=5xx&code=upstream_connection_refused&method=GET&path=/dead')).map((each) => each.id),
    [id],
  );
});

test('pages go on from where the last one ended, and what is asked wrongly is refused by name', async (context) => {
  const { gateway, admin } = await watchedGateway(context);
  let last = '';
  for (let at = 0; at < 7; at++) last = await ask(gateway, `/page/${at}`);
  await shownRequest(admin, last);
  const seen: string[] = [];
  let cursor = '';
  do {
    const answer = await admin.call('GET', `/requests?path=/page&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
    const page = answer.body as unknown as { data: readonly Shown[]; total: number; next_cursor: string | null };
    assert.equal(page.total, 7);
    seen.push(...page.data.map(({ path }) => path));
    cursor = page.next_cursor ?? '';
  } while (cursor !== '');
  assert.deepEqual(
    seen,
    [6, 5, 4, 3, 2, 1, 0].map((at) => `/page/${at}`),
  );
  const refused = await admin.call('GET', '/requests?status=600&outcome=bad&route=nowhere&since=yesterday&cursor=x&limit=0&what=1');
  assert.equal(refused.status, 422);
  const { errors } = refused.body as unknown as { errors: readonly { field: string }[] };
  assert.deepEqual(errors.map(({ field }) => field).toSorted(), ['limit', 'outcome', 'since', 'status', 'what']);
  for (const query of ['route=nowhere', 'upstream=nowhere', 'cursor=x']) {
    const answer = await admin.call('GET', `/requests?${query}`);
    const [error] = (answer.body as unknown as { errors: readonly { field: string }[] }).errors;
    assert.deepEqual([answer.status, error?.field], [422, query.split('=')[0]]);
  }
});

test("the gateway's own paths are shown only to those who ask for them", async (context) => {
  const { gateway, admin } = await watchedGateway(context);
  const probe = await ask(gateway, '/healthz');
  await shownRequest(admin, probe);
  assert.deepEqual(await listRequests(admin), []);
  assert.ok((await listRequests(admin, '?own=true')).some(({ id }) => id === probe));
});

test('no more than twenty follow at once, and one that leaves makes room', async (context) => {
  const { gateway, admin } = await watchedGateway(context);
  const streams = await Promise.all(
    Array.from({ length: 20 }, () => fetch(`${gateway.url}/admin/requests/stream`, { headers: { cookie: admin.cookie } })),
  );
  assert.ok(streams.every(({ status }) => status === 200));
  const refused = await admin.call('GET', '/requests/stream');
  assert.deepEqual([refused.status, (refused.body as { code?: string }).code], [429, 'too_many_listeners']);
  for (const stream of streams) await stream.body?.cancel();
  await eventually(async () => {
    const next = await fetch(`${gateway.url}/admin/requests/stream`, { headers: { cookie: admin.cookie } });
    await next.body?.cancel();
    return next.status === 200;
  }, 'room for another one');
});

test('nothing that a client sends makes it a command on this machine', async (context) => {
  const { gateway } = await watchedGateway(context);
  const forged = await RawClient.connect(gateway.port);
  await forged.send(
    `GET /admin/requests HTTP/1.1\r\nHost: localhost\r\nX-APIGate-Local-Token: ${'a'.repeat(64)}\r\nX-APIGate-Direct: 1\r\n\r\n`,
  );
  assert.equal((await forged.response()).status, 401);
  forged.destroy();
});
