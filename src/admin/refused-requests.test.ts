import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { GatewayError } from '../errors/gateway-error.ts';
import { fieldsOf, firstAdmin, openApp, signedIn } from './admin-app-fixture.ts';
import { bodyLimitAt } from './read-json.ts';

const upstream = { name: 'my-api', base_url: 'https://api.example.com' };

describe('what is wrong with a request', () => {
  it('as JSON is 400, and says what', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    const headers = { 'content-type': 'application/json' };
    const cases: [string | Uint8Array<ArrayBuffer>, RegExp][] = [
      ['{"name":', /not valid JSON/],
      ['', /empty/],
      ['{"name":"a","name":"b"}', /"name" twice/],
      ['{"name":"a"} trailing', /not valid JSON/],
      [Buffer.from('\ufeff{}'), /byte order mark/],
      ['['.repeat(10_000) + ']'.repeat(10_000), /nested/],
      [new Uint8Array([0x7b, 0xff]), /UTF-8/],
    ];
    for (const [body, detail] of cases) {
      const answer = await call('POST', '/admin/upstreams', { body, headers });
      assert.deepEqual([answer.status, answer.body.code], [400, 'malformed_json']);
      assert.match(answer.body.detail, detail);
    }
  });

  it('as field __proto__ is 422 with its place, at any depth of any body', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    await call('POST', '/admin/upstreams', { json: upstream });
    await call('POST', '/admin/routes', { json: { name: 'r', path_pattern: '/', upstream_id: 'my-api' } });
    await call('POST', '/admin/keys', { json: { name: 'k' } });
    await call('POST', '/admin/tokens', { json: { name: 't', scope: 'read' } });
    const ids: Record<string, string> = { upstreams: 'my-api', routes: 'r', keys: 'k', tokens: 't', admins: firstAdmin };
    const document = (await call('GET', '/admin/openapi.json')).body as { paths: Record<string, Record<string, { requestBody?: object }>> };
    const headers = { 'content-type': 'application/json', 'content-length': '99' };
    let tried = 0;
    for (const [template, operations] of Object.entries(document.paths)) {
      const [, , resource = ''] = template.split('/');
      const path = template.replace('{id}', ids[resource] ?? 'x').replace('{revision}', '0');
      for (const [method, { requestBody }] of Object.entries(operations)) {
        if (requestBody === undefined || template === '/admin/setup') continue;
        const refused = async (body: string): Promise<string[]> => fieldsOf(await call(method.toUpperCase(), path, { body, headers }));
        const at = `${method} ${path}`;
        assert.ok((await refused('{"__proto__":{"name":"x"}}')).includes('__proto__'), at);
        assert.deepEqual(await refused('{"a":[{"__proto__":1}],"config":{"__proto__":{}}}'), ['a.0.__proto__', 'config.__proto__'], at);
        tried += 1;
      }
    }
    assert.ok(tried >= 18, `${tried} operations with a body`);
    for (const [path, body, field] of [
      ['/admin/explain', '{"url":"/","config":{"__proto__":{"routes":[]}}}', 'config.__proto__'],
      ['/admin/routes/preview', '{"request":{"url":"/"},"route":{"headers":{"__proto__":"x"}}}', 'route.headers.__proto__'],
      ['/admin/routes/preview', '{"request":{"url":"/","headers":{"__proto__":"x"}},"route":{}}', 'request.headers.__proto__'],
    ] as const) {
      assert.deepEqual(fieldsOf(await call('POST', path, { body, headers })), [field]);
    }
    assert.equal(({} as { name?: string }).name, undefined);
  });

  it('M06 as media type is 415', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonx',
      'application/json; charset=latin1',
      'text/json',
    ]) {
      const answer = await call('POST', '/admin/upstreams', { body: '{}', headers: { 'content-type': type } });
      assert.deepEqual([answer.status, answer.body.code], [415, 'unsupported_media_type'], type);
    }
    assert.equal((await call('POST', '/admin/upstreams', { body: new Uint8Array([0x7b, 0x7d]) })).status, 415, 'no type at all');
    assert.equal((await call('POST', '/admin/upstreams', { json: {}, headers: { 'content-encoding': 'gzip' } })).status, 415);
    for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"']) {
      assert.equal((await call('POST', '/admin/upstreams', { body: '{}', headers: { 'content-type': type } })).status, 422, type);
    }
  });

  it('M06 as size is 413, announced or not', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    const headers = { 'content-type': 'application/json' };
    const body = `"${'x'.repeat(bodyLimitAt('') - 2)}"`;
    assert.equal((await call('POST', '/admin/upstreams', { body, headers })).status, 422, 'at the limit');
    const over = await call('POST', '/admin/upstreams', { body: `${body} `, headers });
    assert.deepEqual([over.status, over.body.code], [413, 'payload_too_large']);
    const announced = await call('POST', '/admin/upstreams', { body: '{}', headers: { ...headers, 'content-length': '10485760' } });
    assert.equal(announced.status, 413);
  });

  it('as query is 422, wherever a parameter is not read', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    for (const [method, path] of [
      ['GET', '/admin/me'],
      ['DELETE', '/admin/routes/x'],
      ['POST', '/admin/upstreams'],
      ['GET', '/version'],
    ] as const) {
      assert.deepEqual(fieldsOf(await call(method, `${path}?cascade=true`)), ['cascade'], path);
    }
  });

  it('as body is 422, wherever none is read: what it asks for must not be passed over', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    const { id } = (await call('POST', '/admin/keys', { json: { name: 'kept' } })).body;
    for (const path of ['/admin/history/0/rollback', `/admin/keys/${id}/revoke`]) {
      assert.deepEqual(
        fieldsOf(await call('POST', path, { json: { dry_run: true }, headers: { 'content-length': '16' } })),
        ['dry_run'],
        path,
      );
      assert.equal((await call('POST', path, { body: 'dry_run=true', headers: { 'transfer-encoding': 'chunked' } })).status, 415, path);
    }
    assert.equal((await call('GET', `/admin/keys/${id}`)).body.revoked_at, null);
    assert.equal(
      (await call('POST', `/admin/keys/${id}/revoke`, { json: {}, headers: { 'content-length': '2' } })).status,
      200,
      'an empty one says nothing',
    );
    assert.equal(
      (await call('POST', `/admin/keys/${id}/revoke`, { headers: { 'content-type': 'application/json' } })).status,
      200,
      'nor does none',
    );
  });

  it('costs little, however many fields are wrong, also without signing in', async () => {
    await using fixture = await openApp();
    const members = Array.from({ length: 80_000 }, (_, index) => `"passwort${index}":1`).join(',');
    const headers = { 'content-type': 'application/json' };
    const start = process.cpuUsage();
    const answer = await fixture.call('POST', '/admin/login', { body: `{${members.slice(0, 1_000_000)}}`, headers });
    const used = process.cpuUsage(start);
    assert.equal(answer.status, 400);
    assert.ok(used.user + used.system < 250_000, `${used.user + used.system} microseconds`);
  });

  it('as path is 404, as method 405 with Allow, signed in or not', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    for (const path of [
      '/admin',
      '/admin/',
      '/admin/nowhere',
      '/admin/upstreams/',
      '/admin/upstreams/x/y',
      '/adminx',
      '/ADMIN/me',
      '//admin/me',
      '/version/',
    ]) {
      for (const answer of [await call('GET', path), await fixture.call('GET', path)]) {
        assert.deepEqual([answer.status, answer.body.code], [404, 'not_found'], path);
      }
    }
    const cases: [string, string, string][] = [
      ['DELETE', '/admin/upstreams', 'GET, HEAD, POST'],
      ['POST', '/admin/upstreams/x', 'DELETE, GET, HEAD, PATCH, PUT'],
      ['GET', '/admin/login', 'POST'],
      ['OPTIONS', '/admin/me', 'GET, HEAD'],
      ['GET', '/admin/keys/x/revoke', 'POST'],
      ['POST', '/version', 'GET, HEAD'],
    ];
    for (const [method, path, allow] of cases) {
      const answer = await call(method, path);
      assert.deepEqual(
        [answer.status, answer.body.code, answer.headers.get('allow')],
        [405, 'method_not_allowed', allow],
        `${method} ${path}`,
      );
    }
    assert.equal((await call('HEAD', '/admin/me')).status, 200);
  });

  it('M08 as id is 404 of one shape, whatever is tried', async () => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    const made = await call('POST', '/admin/upstreams', { json: upstream });
    const ids = [
      'nobody',
      'up_0000000000000000',
      made.body.id.toUpperCase(),
      made.body.id.replace('up_', 'rt_'),
      '..%2f..%2fetc%2fpasswd',
      '%00',
      '%ff',
      'x'.repeat(10_000),
      "'%20OR%201=1--",
    ];
    for (const resource of ['upstreams', 'routes', 'keys', 'tokens', 'admins', 'sessions']) {
      const shapes = new Set<string>();
      for (const id of ids) {
        const answer = await call('GET', `/admin/${resource}/${id}`);
        assert.deepEqual([answer.status, answer.body.code], [404, 'not_found'], `${resource} ${id}`);
        shapes.add(Object.keys(answer.body).join());
      }
      assert.equal(shapes.size, 1);
    }
  });

  it('on our side is 500 without a word of the cause, which goes to the log; a database out of reach is 503', async (t) => {
    await using fixture = await openApp();
    const call = await signedIn(fixture);
    const { store } = fixture.access.access;
    const read = t.mock.method(store, 'read', () => Promise.reject(new Error('canary: the disk is on fire')));
    const broken = await call('GET', '/admin/upstreams?q=not-for-the-log');
    assert.deepEqual([broken.status, broken.body.code], [500, 'internal_error']);
    assert.doesNotMatch(broken.text, /canary/);
    const [entry] = fixture.logged;
    assert.match(inspect(entry), /canary: the disk is on fire/);
    assert.match(inspect(entry), new RegExp(`request_id: '${broken.body.request_id}'.*path: '/admin/upstreams'`, 's'));
    assert.doesNotMatch(inspect(entry), /not-for-the-log|session=/);

    read.mock.mockImplementation(() =>
      Promise.reject(new GatewayError('storage_unavailable', { retryAfter: 2, cause: new Error('database is locked') })),
    );
    const locked = await call('GET', '/admin/upstreams');
    assert.deepEqual([locked.status, locked.body.code, locked.headers.get('retry-after')], [503, 'storage_unavailable', '2']);
    assert.match(inspect(fixture.logged[1]), /database is locked/);
    read.mock.restore();
    assert.equal((await call('GET', '/admin/upstreams')).status, 200);
  });
});
