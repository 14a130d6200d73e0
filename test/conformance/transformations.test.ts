// Over 300 lines: each line of what transformations do to heads, on one gateway.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useGateway } from '../support/harness.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { answerOk } from '../support/scripted-upstream.ts';
import { answering, transformedRoute } from '../support/transformed-route.ts';

const harness = useGateway({ admin: true, env: { APIGATE_TRANSFORM_ENV: 'REGION, UNSET_NAME', REGION: 'eu-1 ü', SECRET: 'canary-env' } });

describe('request headers', () => {
  test('add appends, set replaces in any case, remove removes in any case; the rest stays byte for byte', async () => {
    const route = await transformedRoute(harness, {
      request_transform: { headers: { add: { 'X-Tag': 'gateway' }, set: { 'X-Env': 'prod' }, remove: ['x-internal'] } },
    });
    const { request } = await route.send('GET', {
      fields: [
        ['X-Tag', 'mine'],
        ['x-ENV', 'dev'],
        ['X-INTERNAL', '1'],
        ['x_internal', '2'],
        ['X-Other', 'a,  b'],
        ['X-Env', 'test'],
      ],
    });
    assert.deepEqual(request.values('X-Tag'), ['mine', 'gateway']);
    assert.deepEqual(request.values('X-Env'), ['prod']);
    assert.deepEqual([...request.values('X-Internal'), ...request.values('x_internal')], []);
    assert.deepEqual(request.values('X-Other'), ['a,  b']);
  });
  test('set writes a field that was not there', async () => {
    const route = await transformedRoute(harness, { request_transform: { headers: { set: { 'X-New': 'v' } } } });
    assert.equal((await route.send('GET')).request.value('X-New'), 'v');
  });
  test('a route without transformations changes nothing', async () => {
    const route = await transformedRoute(harness, {});
    const { request } = await route.send('GET', { target: `${route.path}/a?x=1&x=2`, fields: [['X-A', '1']] });
    assert.equal(request.target, `${route.path}/a?x=1&x=2`);
    assert.equal(request.value('X-A'), '1');
  });
});

describe('trailers', () => {
  test('do not bring back what a transformation removed or replaced, in either direction', async () => {
    const route = await transformedRoute(
      harness,
      {
        request_transform: { headers: { set: { 'X-User': 'gateway' }, remove: ['X-Role'] } },
        response_transform: { headers: { remove: ['X-Secret'] } },
      },
      async (request, connection) => {
        await request.complete;
        await connection.write(
          `HTTP/1.1 200 OK\r\n${request.nonceEcho}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX_Secret: 1\r\nX-Kept: 1\r\n\r\n`,
        );
      },
    );
    using client = await RawClient.connect(harness.port);
    await client.send(
      `POST ${route.path} HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-User: evil\r\nx_role: admin\r\nX-Kept: 1\r\n\r\n`,
    );
    const response = await client.response();
    const request = await route.upstream.request(0);
    await request.ended();
    assert.deepEqual(request.trailers, [['X-Kept', '1']]);
    assert.deepEqual(response.trailers, [['X-Kept', '1']]);
  });
});

describe('response headers', () => {
  test('add, set and remove; Set-Cookie keeps its number and order', async () => {
    const route = await transformedRoute(
      harness,
      { response_transform: { headers: { add: { 'Set-Cookie': 'c=3' }, set: { Server: 'edge' }, remove: ['X-Powered-By'] } } },
      answering(
        '200 OK',
        [
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
          ['Server', 'secret/1.0'],
          ['x-powered-by', 'x'],
        ],
        'plain',
      ),
    );
    const { response } = await route.send('GET');
    assert.deepEqual(response.values('Set-Cookie'), ['a=1', 'b=2', 'c=3']);
    assert.deepEqual(response.values('Server'), ['edge']);
    assert.deepEqual(response.values('X-Powered-By'), []);
    assert.equal(response.body.toString(), 'plain');
  });
  test('steps are done where there is no body too: 204, 304 and HEAD', async () => {
    for (const [method, status] of [
      ['GET', '204 No Content'],
      ['GET', '304 Not Modified'],
      ['HEAD', '200 OK'],
    ] as const) {
      const route = await transformedRoute(
        harness,
        { response_transform: { headers: { set: { 'X-Done': 'yes' } } } },
        async (request, connection) => {
          await request.complete;
          await connection.write(
            `HTTP/1.1 ${status}\r\n${request.nonceEcho}${status.startsWith('200') ? 'Content-Length: 5\r\n' : ''}\r\n`,
          );
        },
      );
      const { response } = await route.send(method);
      assert.equal(response.value('X-Done'), 'yes', status);
    }
  });
  test('what is removed or replaced does not come early, in a 103, either', async () => {
    const route = await transformedRoute(
      harness,
      { response_transform: { headers: { set: { 'X-Set': 'ours' }, remove: ['X-Powered-By'] } } },
      async (request, connection) => {
        if (!(await request.complete)) return;
        await connection.write(
          `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX_Powered_By: secret\r\nX-Set: theirs\r\n\r\nHTTP/1.1 204 No Content\r\n${request.nonceEcho}\r\n`,
        );
      },
    );
    const { response } = await route.send('GET');
    assert.deepEqual([response.status, response.value('X-Set')], [204, 'ours']);
    assert.deepEqual(
      response.interim.map(({ status, fields }) => [status, fields]),
      [[103, [['Link', '</a>']]]],
    );
  });
  test("the gateway's own errors are not transformed", async () => {
    const route = await transformedRoute(harness, { response_transform: { headers: { set: { 'X-Done': 'yes' } } } });
    await harness.gateway.admin.must('PATCH', `/upstreams/${route.upstreamId}`, { enabled: false });
    const response = await route.refused('GET');
    assert.equal(response.status, 503);
    assert.deepEqual(response.values('X-Done'), []);
  });
});

describe('query', () => {
  const target = (path: string, query: string): { target: string } => ({ target: `${path}?${query}` });
  test('add appends, set replaces in place, remove removes all; repeated keys, order and bytes of the rest stay', async () => {
    const route = await transformedRoute(harness, {
      request_transform: { query: { add: { a: 'new one' }, set: { page: '1&2' }, remove: ['debug'] } },
    });
    const { request } = await route.send('GET', target(route.path, 'a=1&debug&page=7&a=%32&d%65bug=x&b=%7e+&page=8&=&c'));
    assert.equal(request.target, `${route.path}?a=1&page=1%262&a=%32&b=%7e+&=&c&a=new%20one`);
  });
  test('set appends where there is none; the question mark goes with the last parameter', async () => {
    const route = await transformedRoute(harness, { request_transform: { query: { set: { v: '1' }, remove: ['x'] } } });
    assert.equal((await route.send('GET')).request.target, `${route.path}?v=1`);
    const remover = await transformedRoute(harness, { request_transform: { query: { remove: ['x'] } } });
    assert.equal((await remover.send('GET', target(remover.path, 'x=1&x=2'))).request.target, remover.path);
  });
  test("the path stays the client's own bytes", async () => {
    const route = await transformedRoute(harness, { request_transform: { query: { set: { v: '1' } } } });
    const { request } = await route.send('GET', { target: `${route.path}//a%2fb%7e?z` });
    assert.equal(request.target, `${route.path}//a%2fb%7e?z&v=1`);
  });
});

describe('path_rewrite', () => {
  test('$1 of a prefix is the rest without its leading slash', async () => {
    const route = await transformedRoute(harness, { path_rewrite: '/v2/$1' });
    assert.equal((await route.send('GET', { target: `${route.path}/users/1` })).request.target, '/v2/users/1');
    assert.equal((await route.send('GET', { target: route.path })).request.target, '/v2/');
  });
  test('pathParams, groups by number and by name', async () => {
    const segments = await transformedRoute(harness, {
      path_pattern: '/seg/{id}/x/{name}',
      path_rewrite: '/u/${pathParams.name}/${pathParams.id}/$1',
    });
    assert.equal((await segments.send('GET', { target: '/seg/7/x/a%2Fb/rest' })).request.target, '/u/a%2Fb/7/rest');
    const regex = await transformedRoute(harness, {
      path_pattern: '^/re/v(?P<version>[0-9]+)/(.*)$',
      match_type: 'regex',
      path_rewrite: '/api/${pathParams.version}/$2',
    });
    assert.equal((await regex.send('GET', { target: '/re/v3/a/b' })).request.target, '/api/3/a/b');
  });
  test('the query stays unless the rewrite has one of its own', async () => {
    const keeps = await transformedRoute(harness, { path_rewrite: '/k' });
    assert.equal((await keeps.send('GET', { target: `${keeps.path}?a=1&a=2` })).request.target, '/k?a=1&a=2');
    const replaces = await transformedRoute(harness, { path_rewrite: '/r?id=$1&q=${query.q}' });
    assert.equal((await replaces.send('GET', { target: `${replaces.path}/x?q=a%26b&z=1` })).request.target, '/r?id=x&q=a%26b');
  });
  test('query steps come before the path', async () => {
    const route = await transformedRoute(harness, { path_rewrite: '/k', request_transform: { query: { set: { a: '2' } } } });
    assert.equal((await route.send('GET', { target: `${route.path}?a=1` })).request.target, '/k?a=2');
  });
  test("the transformation's overrides the route's, a condition's overrides both", async () => {
    const route = await transformedRoute(harness, {
      path_rewrite: '/route',
      request_transform: { path_rewrite: '/transform', conditions: [{ when: { method: 'POST' }, path_rewrite: '/condition' }] },
    });
    assert.equal((await route.send('GET')).request.target, '/transform');
    assert.equal((await route.send('POST')).request.target, '/condition');
  });
  test('variables: a header makes the version, a value cannot add a segment', async () => {
    const route = await transformedRoute(harness, { request_transform: { path_rewrite: '/v${header.X-API-Version}${path}' } });
    const versioned = await route.send('GET', { target: `${route.path}/a`, fields: [['X-API-Version', '2']] });
    assert.equal(versioned.request.target, `/v2${route.path}/a`);
    const slash = await route.send('GET', { fields: [['X-API-Version', 'a/b?c#d e']] });
    assert.equal(slash.request.target, `/va%2Fb%3Fc%23d%20e${route.path}`);
  });
  for (const [what, value] of [
    ['a dot-segment', '..'],
    ['an encoded slash behind a dot-segment', '../x'],
    ['a dot-segment with a parameter', '..;x'],
    ['a backslash', 'a\\b'],
    ['a control byte', 'a\tb'],
  ] as const) {
    test(`${what} from a value: 500 transform_error, nothing forwarded`, async () => {
      const route = await transformedRoute(harness, { path_rewrite: '/base/${header.X-V}/end' });
      const response = await route.refused('GET', { fields: [['X-V', value]] });
      assert.equal(response.status, 500);
      assert.equal(response.json()['code'], 'transform_error');
    });
  }
  test("base_url's path stays in front, with exactly one slash between", async () => {
    for (const [base, rewrite, expected] of [
      ['/base', '/x', '/base/x'],
      ['/base/', '/x', '/base/x'],
      ['/base', '$1', '/base/a'],
      ['', '///x', '/x'],
      ['', '/$1/', '/a/'],
    ] as const) {
      const route = await transformedRoute(harness, { path_rewrite: rewrite }, undefined, { base_path: base });
      assert.equal((await route.send('GET', { target: `${route.path}/a` })).request.target, expected, `${base} ${rewrite}`);
    }
  });
  test('//evil/x is a path like others: the host that is dialled never changes', async () => {
    const route = await transformedRoute(harness, { path_rewrite: '//${header.X-Host}/$1' });
    const { request } = await route.send('GET', { target: `${route.path}/x`, fields: [['X-Host', 'evil.test']] });
    assert.equal(request.target, '/evil.test/x');
    assert.equal(request.value('Host'), `127.0.0.1:${route.upstream.port}`);
    const path = await transformedRoute(harness, { path_pattern: '/', host_pattern: 'whole.test', path_rewrite: '${path}' });
    assert.equal((await path.send('GET', { target: '//evil.test/x', host: 'whole.test' })).request.target, '/evil.test/x');
  });
});

describe('method_override', () => {
  test('the upstream gets the method, and the body with it', async () => {
    const route = await transformedRoute(harness, { method_override: 'PUT' });
    const { request } = await route.send('POST', { body: 'hello' });
    assert.equal(request.method, 'PUT');
    assert.equal(request.body.toString(), 'hello');
  });
  test('HEAD that goes on as GET: its client gets the head alone, and the connection goes on', async () => {
    const route = await transformedRoute(harness, { method_override: 'GET' }, async (request, connection) => {
      await request.complete;
      await connection.write(`HTTP/1.1 200 OK\r\n${request.nonceEcho}Content-Length: 5\r\n\r\nhello`);
    });
    const { request, response } = await route.send('HEAD');
    assert.equal(request.method, 'GET');
    assert.equal(response.value('Content-Length'), '5');
    assert.equal(response.body.length, 0);
  });
  test('HEAD that goes on as GET, chunked', async () => {
    const route = await transformedRoute(harness, { method_override: 'GET' }, async (request, connection) => {
      await request.complete;
      await connection.write(`HTTP/1.1 200 OK\r\n${request.nonceEcho}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`);
    });
    const { response } = await route.send('HEAD');
    assert.equal(response.status, 200);
    assert.equal(response.body.length, 0);
  });
  test('a request that goes on as POST is never sent twice, though GET would be', async () => {
    for (const [fields, sent, status] of [
      [{}, 3, 200],
      [{ method_override: 'POST' }, 2, 502],
    ] as const) {
      let requests = 0;
      const route = await transformedRoute(harness, fields, async (request, connection) => {
        if ((requests += 1) === 2) connection.reset();
        else await answerOk(request, connection);
      });
      await route.send('GET');
      assert.equal((await fetchRaw(harness.port, 'GET', { target: route.path })).status, status);
      assert.equal(route.upstream.requests.length, sent);
    }
  });
});

describe('conditions', () => {
  test('are evaluated on the incoming message: a step before does not change what they see', async () => {
    const route = await transformedRoute(harness, {
      request_transform: {
        headers: { remove: ['X-Mode'], set: { 'X-Added': '1' } },
        conditions: [
          { when: { header_equals: { 'x-mode': 'a' } }, headers: { set: { 'X-Was': 'a' } } },
          { when: { header_exists: 'X-Added' }, headers: { set: { 'X-Wrong': '1' } } },
        ],
      },
    });
    const { request } = await route.send('GET', { fields: [['X-Mode', 'a']] });
    assert.equal(request.value('X-Was'), 'a');
    assert.deepEqual([...request.values('X-Mode'), ...request.values('X-Wrong')], []);
  });
  test('method, path_matches, header_exists and header_equals: all that are given must hold', async () => {
    const route = await transformedRoute(harness, {
      request_transform: {
        conditions: [
          {
            when: { method: ['POST', 'PUT'], path_matches: '/a$', header_exists: ['X-A'], header_equals: { 'X-B': 'b' } },
            headers: { set: { 'X-Hit': '1' } },
          },
        ],
      },
    });
    const fields = [
      ['X-A', ''],
      ['X-B', 'b'],
    ] as const;
    const hit = async (method: string, end: string, sent: readonly (readonly [string, string])[]): Promise<boolean> =>
      (await route.send(method, { target: route.path + end, fields: sent })).request.values('X-Hit').length > 0;
    assert.equal(await hit('POST', '/a', fields), true);
    assert.equal(await hit('PUT', '/a', fields), true);
    assert.equal(await hit('GET', '/a', fields), false);
    assert.equal(await hit('POST', '/b', fields), false);
    assert.equal(await hit('POST', '/a', [['X-B', 'b']]), false);
    assert.equal(await hit('POST', '/a', [['X-A', '1'], ['X-B', 'B']]), false); // prettier-ignore
  });
  test('status, alone, as a class and as a list', async () => {
    for (const [status, when, expected] of [
      [404, 404, true],
      [404, 500, false],
      [503, '5xx', true],
      [404, '5xx', false],
      [200, [404, '2xx'], true],
    ] as const) {
      const route = await transformedRoute(
        harness,
        { response_transform: { conditions: [{ when: { status: when }, headers: { set: { 'X-Hit': '1' } } }] } },
        answering(`${status} X`, [], 'x'),
      );
      const { response } = await route.send('GET');
      assert.equal(response.values('X-Hit').length > 0, expected, `${status} ${JSON.stringify(when)}`);
    }
  });
  test("of a response: its own headers, and the request's method and path", async () => {
    const route = await transformedRoute(
      harness,
      {
        response_transform: {
          conditions: [
            { when: { header_equals: { 'X-Kind': 'b' }, method: 'GET', path_matches: '/x$' }, headers: { set: { 'X-Hit': '1' } } },
          ],
        },
      },
      answering('200 OK', [['X-Kind', 'b']], 'x'),
    );
    const hit = (await route.send('GET', { target: `${route.path}/x`, fields: [['X-Kind', 'a']] })).response;
    assert.equal(hit.value('X-Hit'), '1');
    const missed = (await route.send('GET', { target: `${route.path}/y` })).response;
    assert.deepEqual(missed.values('X-Hit'), []);
  });
});

describe('variables', () => {
  test('each has its value; one without a value is empty; uuid and request_id do not change within a request', async () => {
    const route = await transformedRoute(
      harness,
      {
        path_pattern: '/vars/{id}',
        request_transform: {
          headers: {
            set: {
              'X-All':
                '${uuid}|${timestamp}|${iso_time}|${client_ip}|${user_id}${user_email}${plan_name}|${api_key_id}|${api_key_prefix}|${path}|${method}|${host}|${header.X-In}|${query.q}|${env.REGION}|${env.UNSET_NAME}|${pathParams.id}|$$1|$',
              'X-Uuid': '${uuid}',
              'X-Id': '${request_id}',
            },
          },
        },
        response_transform: {
          headers: { set: { 'X-Uuid': '${uuid}', 'X-Id': '${request_id}', 'X-From': '${header.X-In}|${query.q}|${pathParams.id}' } },
        },
      },
      undefined,
    );
    const { request, response } = await route.send('POST', {
      target: '/vars/7?q=a%20b+c&q=2',
      host: 'Vars.test:80',
      fields: [['X-In', 'in']],
    });
    const [uuid, timestamp, iso, ip, users, keyId, keyPrefix, ...rest] = request.value('X-All')!.split('|');
    assert.match(uuid!, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(Math.abs(Number(timestamp) - Date.now() / 1000) < 60);
    assert.ok(Math.abs(Date.parse(iso!) - Date.now()) < 60_000);
    assert.equal(ip, '127.0.0.1');
    assert.deepEqual([users, keyId, keyPrefix], ['', '', '']);
    assert.deepEqual(rest, ['/vars/7', 'POST', 'vars.test', 'in', 'a b c', Buffer.from('eu-1 ü').toString('latin1'), '', '7', '$1', '$']);
    assert.deepEqual([request.value('X-Uuid'), response.value('X-Uuid')], [uuid, uuid]);
    assert.equal(request.value('X-Id'), request.value('X-Request-Id'));
    assert.equal(response.value('X-Id'), request.value('X-Request-Id'));
    assert.equal(response.value('X-From'), 'in|a b c|7');
    const again = await route.send('GET', { target: '/vars/7' });
    assert.notEqual(again.request.value('X-Uuid'), uuid);
  });
  test('the API key that opened the route, by id and prefix, but never the key', async () => {
    const key = await harness.gateway.admin.must('POST', '/keys', { name: 'transform-key' });
    const route = await transformedRoute(harness, {
      auth_required: true,
      request_transform: {
        headers: { set: { 'X-Who': '${api_key_id} ${api_key_prefix}', 'X-Copy': '[${header.Authorization}${query.k}]' } },
      },
    });
    const { request } = await route.send('GET', {
      target: `${route.path}?k=${String(key['key'])}`,
      fields: [['Authorization', `Bearer ${String(key['key'])}`]],
    });
    assert.equal(request.value('X-Who'), `${String(key['id'])} ${String(key['prefix'])}`);
    assert.equal(request.value('X-Copy'), '[]');
  });
  test('a value with CR, LF or NUL: 500 transform_error and nothing forwarded, wherever it would stand', async () => {
    for (const fields of [
      { request_transform: { headers: { set: { 'X-V': '${query.v}' } } } },
      { request_transform: { query: { set: { w: '${query.v}' } } } },
      { path_rewrite: '/x/${query.v}' },
    ]) {
      const route = await transformedRoute(harness, fields);
      for (const bad of ['%0d', '%0A', '%00', 'a%0d%0aX-Evil:%201']) {
        const response = await route.refused('GET', { target: `${route.path}?v=${bad}` });
        assert.equal(response.status, 500, `${JSON.stringify(fields)} ${bad}`);
        assert.equal(response.json()['code'], 'transform_error');
      }
    }
  });
  test('in a response header: 500, and nothing of the response gets through', async () => {
    const route = await transformedRoute(harness, { response_transform: { headers: { set: { 'X-V': '${query.v}' } } } });
    const { response } = await route.send('GET', { target: `${route.path}?v=%0d%0aX-Evil:%201` });
    assert.equal(response.status, 500);
    assert.deepEqual(response.values('X-Evil'), []);
  });
});

describe('credentials', () => {
  test("the upstream's credential is written last, whatever a transformation says under that name", async () => {
    const route = await transformedRoute(harness, { request_transform: { headers: { set: { 'X-Backend_Auth': 'mine' } } } }, undefined, {
      auth_type: 'none',
    });
    await harness.gateway.admin.must('PATCH', `/upstreams/${route.upstreamId}`, {
      auth_type: 'header',
      auth_header: 'x-backend-auth',
      auth_value: 'canary-credential',
    });
    const { request } = await route.send('GET');
    assert.deepEqual(request.values('x-backend-auth'), ['canary-credential']);
    assert.deepEqual(request.values('X-Backend_Auth'), []);
  });
  test("the client's own Authorization may be removed", async () => {
    const route = await transformedRoute(harness, { request_transform: { headers: { remove: ['authorization'] } } });
    const { request } = await route.send('GET', { fields: [['Authorization', 'Basic eDp5']] });
    assert.deepEqual(request.values('Authorization'), []);
  });
});
