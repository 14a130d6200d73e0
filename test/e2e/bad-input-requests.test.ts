import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { AdminSession } from '../support/admin-session.ts';
import { RawClient } from '../support/raw-client.ts';
import { useRefusals } from '../support/refused-input.ts';

const refusals = useRefusals();
const good = '{"name": "new", "base_url": "http://backend.test"}';

describe('a body that is not JSON is 400 malformed_json', () => {
  for (const [what, body, detail] of [
    ['an empty body', '', /empty/],
    ['white space', '  \r\n\t', /empty/],
    ['half an object', '{"name": "new"', /not valid JSON/],
    ['no JSON at all', 'name=new&base_url=http://backend.test', /not valid JSON/],
    ['something after the object', `${good} {}`, /not valid JSON/],
    ['a comma too many', '{"name": "new",}', /not valid JSON/],
    ['single quotes', "{'name': 'new'}", /not valid JSON/],
    ['a comment', `${good} // new`, /not valid JSON/],
    ['NaN', '{"name": "new", "base_url": "http://backend.test", "timeout_ms": NaN}', /not valid JSON/],
    ['a number with a plus', '{"timeout_ms": +1}', /not valid JSON/],
    ['a bare line end in a string', '{"name": "new\nline"}', /not valid JSON/],
    ['a byte order mark', `\ufeff${good}`, /byte order mark/],
    ['bytes that are not UTF-8', Buffer.from('{"name": "\xe4"}', 'latin1'), /UTF-8/],
    ['half a surrogate pair', '{"name": "\\ud800", "base_url": "http://backend.test"}', /surrogate/],
    ['the same name twice', '{"name": "new", "base_url": "http://backend.test", "name": "newer"}', /"name" twice/],
    ['the same name twice, once escaped', '{"name": "new", "base_url": "http://backend.test", "na\\u006de": "newer"}', /"name" twice/],
    ['the same name twice, deep inside', '{"headers": {"A": "1", "A": "2"}}', /"A" twice/],
    ['70 levels', `${'['.repeat(70)}${']'.repeat(70)}`, /nested deeper/],
    ['100,000 levels', '['.repeat(100_000), /nested deeper/],
    [
      'an object with 1,001 members',
      JSON.stringify(Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`f${index}`, 1]))),
      /members/,
    ],
    ['what it says of a secret in it', '{"auth_value": "canary-x" "name"}', /not valid JSON/],
  ] as const) {
    test(what, async () => {
      for (const [method, path] of [
        ['POST', '/upstreams'],
        ['PUT', '/upstreams/existing'],
        ['PATCH', '/routes/existing'],
        ['POST', '/keys'],
      ] as const) {
        const answer = await refusals.refused(method, path, 400, { body });
        assert.equal(answer.body['code'], 'malformed_json');
        assert.match(answer.body['detail'] as string, detail);
      }
    });
  }
});

describe('a body of another kind is 415, a body too large is 413', () => {
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=iso-8859-1',
    'application/jsonp',
    'text/json',
    'application/problem+json',
    null,
  ]) {
    test(`Content-Type ${type ?? 'left out'}`, async () => {
      const answer = await refusals.refused('POST', '/upstreams', 415, { body: good, type });
      assert.equal(answer.body['code'], 'unsupported_media_type');
    });
  }

  test('a compressed body', async () => {
    const answer = await refusals.refused('POST', '/upstreams', 415, { body: gzipSync(good), headers: { 'content-encoding': 'gzip' } });
    assert.match(answer.body['detail'] as string, /Content-Encoding/);
  });

  test('Content-Type in another spelling is fine', async () => {
    for (const type of ['Application/JSON', 'application/json;charset=UTF-8', 'application/json; charset="utf-8"']) {
      const { status, body } = await refusals.session.call('PUT', '/upstreams/existing', { body: '{}', type });
      assert.equal(status, 200, JSON.stringify(body));
    }
  });

  test('over 1 MiB, with its length and chunked; 1 MiB itself is read', async () => {
    const large = `{"name": "${'x'.repeat(1024 * 1024)}"}`;
    assert.equal((await refusals.refused('POST', '/upstreams', 413, { body: large })).body['code'], 'payload_too_large');
    using client = await RawClient.connect(refusals.gateway.port);
    await client.send(
      `POST /admin/upstreams HTTP/1.1\r\nHost: localhost\r\nCookie: ${refusals.session.cookie}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${large.length.toString(16)}\r\n`,
    );
    const [response] = await Promise.all([client.response(), client.send(`${large}\r\n0\r\n\r\n`).catch(() => undefined)]);
    assert.deepEqual([response.status, response.json()['code']], [413, 'payload_too_large']);
    const exactly = `{"name": "${'x'.repeat(1024 * 1024 - 12)}"}`;
    assert.equal((await refusals.refused('POST', '/upstreams', 422, { body: exactly })).body['code'], 'validation_failed');
  });
});

describe('what does not exist is 404 not_found', () => {
  const nobody = [
    'nobody',
    'up_0123456789abcdef',
    'UP_0123456789ABCDEF',
    'existing%2Fmore',
    `x${'y'.repeat(1_000)}`,
    '%F0%9F%A6%80',
    '__proto__',
    "'%20OR%201=1--",
  ];
  for (const resource of ['upstreams', 'routes', 'keys', 'tokens', 'admins'] as const) {
    test(`/${resource}/…`, async () => {
      for (const id of [...nobody, refusals.ids[resource === 'upstreams' ? 'route' : 'upstream']]) {
        for (const method of ['GET', 'PUT', 'DELETE']) {
          const answer = await refusals.refused(method, `/${resource}/${id}`, 404, method === 'PUT' ? { body: {} } : {});
          assert.deepEqual([answer.body['code'], answer.body['errors']], ['not_found', undefined]);
        }
      }
    });
  }

  test('paths that climb or hide control bytes are refused before anybody looks for anything', async () => {
    for (const path of [
      '/upstreams/../admins',
      '/upstreams/%2e%2e%2fadmins',
      '/upstreams/..;/admins',
      '/upstreams/%00',
      '/upstreams/%01',
      '/upstreams/a%5Cb',
    ]) {
      const answer = await refusals.refused('GET', path, 400, {});
      assert.equal(answer.body['code'], 'request_malformed');
    }
  });

  test('actions on what does not exist, and paths that lead nowhere', async () => {
    for (const path of [
      '/keys/nobody/revoke',
      '/tokens/nobody/revoke',
      '/keys/existing/explode',
      '/nowhere',
      '/upstream',
      '/upstreams/existing/more',
    ]) {
      assert.equal((await refusals.refused('POST', path, 404, { body: {} })).body['code'], 'not_found');
    }
  });

  test('an identifier as long as a request target may be', async () => {
    await refusals.refused('GET', `/upstreams/${'z'.repeat(7_000)}`, 404, {});
  });
});

describe('methods, queries and conditions', () => {
  test('a method that a path does not take is 405, with those that it takes', async () => {
    for (const [method, path, allow] of [
      ['DELETE', '/upstreams', 'GET, HEAD, POST'],
      ['POST', '/upstreams/existing', 'DELETE, GET, HEAD, PATCH, PUT'],
      ['GET', '/keys/existing/revoke', 'POST'],
      ['PUT', '/login', 'POST'],
    ] as const) {
      const answer = await refusals.refused(method, path, 405, {});
      assert.deepEqual([answer.body['code'], answer.headers['allow']], ['method_not_allowed', allow]);
    }
  });

  test('query parameters that mean nothing or nothing good are 422 by name', async () => {
    for (const [query, fields] of [
      ['limit=0', ['limit']],
      ['limit=501', ['limit']],
      ['limit=ten', ['limit']],
      ['limit=1&limit=2', ['limit']],
      ['page=2', ['page']],
      ['enabled=yes', ['enabled']],
      ['cursor=%00', ['cursor']],
      [`q=${'x'.repeat(300)}`, ['q']],
      ['limit=0&enabled=maybe&offset=3', ['enabled', 'limit', 'offset']],
    ] as const) {
      const answer = await refusals.refused('GET', `/upstreams?${query}`, 422, {});
      assert.deepEqual(
        (answer.body['errors'] as { field: string }[]).map(({ field }) => field).toSorted((one, other) => one.localeCompare(other)),
        fields,
        query,
      );
    }
    await refusals.refused('DELETE', '/upstreams/existing?cascade=please', 422, {});
    await refusals.refused('DELETE', '/routes/existing?cascade=true', 422, {});
  });

  test('a stale or meaningless If-Match is 412 for every resource', async () => {
    for (const [resource, id] of [
      ['upstreams', 'existing'],
      ['routes', 'existing'],
      ['keys', 'existing'],
      ['tokens', 'existing'],
      ['admins', 'existing@example.test'],
    ] as const) {
      const path = `/${resource}/${id}`;
      const { headers } = await refusals.session.call('GET', path);
      const etag = headers['etag']!;
      assert.match(etag, /^"[\w-]+"$/);
      for (const stale of ['"stale"', `W/${etag}`, etag.replaceAll('"', ''), '""', `${etag.slice(0, -2)}"`]) {
        for (const method of ['PUT', 'PATCH', 'DELETE']) {
          const answer = await refusals.refused(method, path, 412, {
            headers: { 'if-match': stale },
            ...(method === 'DELETE' ? {} : { body: {} }),
          });
          assert.equal(answer.body['code'], 'precondition_failed');
        }
      }
      // Well-formed but of another state comes before what else is wrong with the change.
      await refusals.refused('PUT', path, 412, { headers: { 'if-match': '"stale"' }, body: { nonsense: 1 } });
      for (const fresh of [etag, '*', `"stale", ${etag}`])
        assert.equal((await refusals.session.call('PUT', path, { headers: { 'if-match': fresh }, body: {} })).status, 200, fresh);
    }
  });

  test('an upstream with routes is 409, and the routes are named', async () => {
    const answer = await refusals.refused('DELETE', '/upstreams/existing', 409, {});
    assert.match(answer.body['detail'] as string, /is used by the route "existing"/);
    assert.deepEqual(
      (answer.body['errors'] as { field: string }[]).map(({ field }) => field),
      ['routes'],
    );
    assert.match(JSON.stringify(answer.body['errors']), new RegExp(refusals.ids.route));
  });
});

describe('who may not, changes nothing', () => {
  const writes = [
    ['POST', '/upstreams', JSON.parse(good) as object],
    ['PUT', '/upstreams/existing', { timeout_ms: 1 }],
    ['PATCH', '/routes/existing', { enabled: false }],
    ['DELETE', '/routes/existing', undefined],
    ['POST', '/keys/existing/revoke', undefined],
    ['POST', '/tokens', { name: 'mine', scope: 'admin' }],
    ['DELETE', '/admins/existing@example.test', undefined],
  ] as const;
  let readToken: string;

  before(async () => {
    readToken = (await refusals.session.must('POST', '/tokens', { name: 'reader', scope: 'read' }))['token'] as string;
    await refusals.state();
  });

  test('without a session, with a wrong one, with a token that is none: 401', async () => {
    const { gateway } = refusals;
    for (const authority of [
      {},
      { cookie: `session=${'0'.repeat(64)}` },
      { cookie: `${refusals.session.cookie}x` },
      { authorization: `Bearer agt_${'0'.repeat(64)}` },
      { authorization: 'Basic YTpi' },
    ]) {
      const stranger = new AdminSession(gateway, authority);
      for (const [method, path, body] of writes) {
        const answer = await refusals.refused(method, path, 401, { body }, stranger);
        assert.deepEqual([answer.body['code'], answer.headers['www-authenticate']], ['unauthenticated', 'Bearer realm="apigate"']);
      }
    }
  });

  test('a bad token does not fall back to a good cookie, and a token in the URL is none', async () => {
    const both = new AdminSession(refusals.gateway, { cookie: refusals.session.cookie, authorization: 'Bearer agt_wrong' });
    await refusals.refused('PUT', '/upstreams/existing', 401, { body: {} }, both);
    const nobody = new AdminSession(refusals.gateway, {});
    await refusals.refused('GET', `/upstreams?token=${readToken}`, 401, {}, nobody);
  });

  test('a token of scope read: 403', async () => {
    const reader = AdminSession.withToken(refusals.gateway, readToken);
    assert.equal((await reader.call('GET', '/upstreams')).status, 200);
    for (const [method, path, body] of writes)
      assert.equal((await refusals.refused(method, path, 403, { body }, reader)).body['code'], 'forbidden');
  });

  test('from another site: 403', async () => {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'http://evil.test' },
      { origin: 'null' },
      { host: 'evil.test' },
    ] as Record<string, string>[]) {
      assert.equal((await refusals.refused('POST', '/upstreams', 403, { body: good, headers })).body['code'], 'forbidden');
    }
  });
});
