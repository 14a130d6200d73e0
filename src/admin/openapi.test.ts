import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { hc } from 'hono/client';
import { openApp } from './admin-app-fixture.ts';
import type { AdminApp } from './admin-app.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
}

describe('/admin/openapi.json', () => {
  it('is OpenAPI 3.1 and describes every route of the router, with what it asks of its caller and its errors', async () => {
    await using fixture = await openApp();
    const { body } = await fixture.call('GET', '/admin/openapi.json', { authorization: await fixture.token('read') });
    assert.equal(body.openapi, '3.1.0');
    const paths = body.paths as Record<string, Record<string, Operation>>;
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    assert.deepEqual(described.toSorted(), fixture.app.access.map(({ method, path }) => `${method} ${path}`).toSorted());
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
    for (const { method, path, access } of fixture.app.access) {
      const operation = paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
      assert.ok(operation);
      assert.equal(operation.security.length, { public: 0, session: 1, scrape: 2, read: 2, write: 2, admin: 2 }[access]);
      assert.equal('401' in operation.responses, access !== 'public' || method === 'POST', `${method} ${path}`);
      if (operation.requestBody !== undefined) for (const status of ['400', '413', '415', '422']) assert.ok(status in operation.responses);
    }
  });

  it('has no reference that leads nowhere, and the very fields that validation knows', async () => {
    await using fixture = await openApp();
    const authorization = await fixture.token('write');
    const { body, text } = await fixture.call('GET', '/admin/openapi.json', { authorization });
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g))
      assert.ok(name !== undefined && name in body.components.schemas, name);
    for (const [path, schema] of [
      ['/admin/upstreams', 'UpstreamCreate'],
      ['/admin/routes', 'RouteCreate'],
      ['/admin/keys', 'ApiKeyCreate'],
    ] as const) {
      const { properties, required, additionalProperties } = body.components.schemas[schema];
      assert.equal(additionalProperties, false);
      const everyField = Object.fromEntries(Object.keys(properties).map((field) => [field, []]));
      const refused = await fixture.call('POST', path, { authorization, json: { ...everyField, unheard_of: 1 } });
      const unknown = refused.body.errors.filter(({ message }: { message: string }) => message.includes('not a known field'));
      assert.deepEqual(
        unknown.map(({ field }: { field: string }) => field),
        ['unheard_of'],
        'what is described is known',
      );
      const missing = await fixture.call('POST', path, { authorization, json: {} });
      assert.deepEqual(
        missing.body.errors.map(({ field }: { field: string }) => field).toSorted(),
        required.toSorted(),
        'what is required is required',
      );
    }
  });

  it('types a client', async () => {
    await using fixture = await openApp();
    const authorization = await fixture.token('admin');
    const env = { remoteAddress: '127.0.0.1', scheme: 'http', requestId: 'r' } as const;
    const client = hc<AdminApp>('http://localhost:8080', {
      headers: { authorization, host: 'localhost' },
      fetch: async (input: string | URL | Request, init?: RequestInit) => fixture.app.fetch(new Request(input, init), env),
    });
    const made = await client.admin.upstreams.$post({ json: { name: 'typed', base_url: 'http://127.0.0.1:9' } });
    assert.equal(made.status, 201);
    const { id } = await made.json();
    const read = await client.admin.upstreams[':id'].$get({ param: { id } });
    const { timeout_ms, auth_value_set } = await read.json();
    assert.deepEqual([timeout_ms satisfies number, auth_value_set satisfies boolean], [30_000, false]);
    const list = await (await client.admin.upstreams.$get({ query: { q: 'type', limit: '1' } })).json();
    assert.equal(list.data[0]?.name, 'typed');
    // @ts-expect-error -- an upstream has no such field
    await client.admin.upstreams.$post({ json: { name: 'typed', base_ulr: 'http://127.0.0.1:9' } });
    assert.equal((await client.admin.me.$get()).status, 200);
  });
});

describe('/admin/docs', () => {
  it('is one static page about every route, that loads nothing and runs nothing', async () => {
    await using fixture = await openApp();
    const page = await fixture.call('GET', '/admin/docs', { authorization: await fixture.token('read') });
    assert.match(page.headers.get('content-type') ?? '', /^text\/html; charset=utf-8$/i);
    for (const { path } of fixture.app.access) assert.ok(page.text.includes(` ${path.replaceAll(/:(\w+)/g, '{$1}')}</code>`), path);
    for (const field of ['base_url', 'timeout_ms', 'auth_value', 'rate_limit_per_minute', 'path_pattern'])
      assert.ok(page.text.includes(`<code>${field}</code>`), field);
    assert.doesNotMatch(page.text, /<script|<img|<link|<iframe|\son\w+=|\ssrc=|\sstyle=|https?:\/\//i);
    const style = /<style>(.*)<\/style>/s.exec(page.text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    assert.equal(
      page.headers.get('content-security-policy'),
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
  });
});
