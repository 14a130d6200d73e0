import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { openApp } from './admin-app-fixture.ts';
import { askRaw, serveTcp } from './admin-server-fixture.ts';
import { readUiFiles, type UiFiles } from './ui-files.ts';

const scratch = mkdtempSync(join(tmpdir(), 'apigate-ui-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const script = 'export const page = "a script that is long enough to become smaller";\n'.repeat(20);
const built = join(scratch, 'dist');
mkdirSync(join(built, 'assets'), { recursive: true });
writeFileSync(join(scratch, 'secret.js'), 'canary');
writeFileSync(
  join(built, 'index.html'),
  '<html><meta property="csp-nonce" nonce="__CSP_NONCE__"><style nonce="__CSP_NONCE__"></style>the page</html>',
);
writeFileSync(join(built, 'manifest.json'), '{}');
writeFileSync(join(built, 'favicon.svg'), '<svg/>');
writeFileSync(join(built, 'assets/main-B1x.js'), script);
writeFileSync(join(built, 'assets/main-B1x.js.br'), brotliCompressSync(script));
writeFileSync(join(built, 'assets/main-B1x.js.gz'), gzipSync(script));
const ui = (await readUiFiles(built)) as UiFiles;

async function openUi(options: Parameters<typeof openApp>[0] = {}) {
  const fixture = await openApp({ ui, ...options });
  return {
    ask: async (path: string, headers: Record<string, string> = {}, method = 'GET', remoteAddress = '127.0.0.1') => {
      const request = new Request(`http://localhost:8080${path}`, { method, headers: { host: 'localhost:8080', ...headers } });
      return await fixture.app.fetch(request, { remoteAddress, scheme: 'http', requestId: 'r' });
    },
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}

test('every path of the UI answers the page, under a policy with a nonce that is never the same', async () => {
  await using app = await openUi();
  const nonces = new Set<string>();
  for (const path of ['/ui/', '/ui/upstreams', '/ui/upstreams/my.api/settings', '/ui/setup', '/ui/index.html']) {
    const answer = await app.ask(path);
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'text/html; charset=utf-8'], path);
    assert.equal(answer.headers.get('cache-control'), 'no-cache');
    assert.equal(answer.headers.get('etag'), null, 'a kept page would have the nonce of an earlier policy');
    assert.equal(answer.headers.get('x-frame-options'), 'DENY');
    const policy = answer.headers.get('content-security-policy') ?? '';
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[\w+/=]{24}'; /);
    assert.doesNotMatch(policy, /unsafe|\*|data:|https?:/);
    const nonce = /'nonce-([^']+)'/.exec(policy)![1]!;
    const html = await answer.text();
    assert.equal(html.split(`nonce="${nonce}"`).length, 3);
    assert.ok(!html.includes('__CSP_NONCE__'));
    nonces.add(nonce);
  }
  assert.equal(nonces.size, 5);
});

test('files whose names change with their content are kept for good, in the smallest form that the client takes', async () => {
  await using app = await openUi();
  for (const [accepted, encoding, unpack] of [
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0, *;q=0.5', 'gzip', gunzipSync],
    ['', null, (bytes: Buffer) => bytes],
    ['br;q=0, gzip;q=0.0', null, (bytes: Buffer) => bytes],
  ] as const) {
    const answer = await app.ask('/ui/assets/main-B1x.js', accepted === '' ? {} : { 'accept-encoding': accepted });
    assert.deepEqual([answer.status, answer.headers.get('content-encoding')], [200, encoding], accepted);
    assert.equal(answer.headers.get('content-type'), 'text/javascript; charset=utf-8');
    assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.equal(answer.headers.get('vary'), 'Accept-Encoding');
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    const bytes = Buffer.from(await answer.arrayBuffer());
    assert.equal(Number(answer.headers.get('content-length')), bytes.length);
    assert.equal(unpack(bytes).toString(), script);
  }
});

test('other files are asked for anew each time, and not sent again when they are the same', async () => {
  await using app = await openUi();
  const first = await app.ask('/ui/favicon.svg');
  const etag = first.headers.get('etag') ?? '';
  assert.match(etag, /^"[\w-]{22}"$/);
  assert.equal(first.headers.get('cache-control'), 'no-cache');
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const answer = await app.ask('/ui/favicon.svg', { 'if-none-match': known });
    assert.deepEqual([answer.status, await answer.text(), answer.headers.get('etag')], [304, '', etag], known);
  }
  assert.equal((await app.ask('/ui/favicon.svg', { 'if-none-match': '"other"' })).status, 200);
  const packed = await app.ask('/ui/assets/main-B1x.js', { 'accept-encoding': 'br' });
  assert.notEqual(packed.headers.get('etag'), (await app.ask('/ui/assets/main-B1x.js')).headers.get('etag'));
});

test('HEAD tells as much as GET; other methods are refused', async () => {
  await using app = await openUi();
  for (const path of ['/ui/', '/ui/assets/main-B1x.js', '/ui/favicon.svg']) {
    const head = await app.ask(path, {}, 'HEAD');
    const get = await app.ask(path);
    assert.deepEqual([head.status, await head.text()], [200, ''], path);
    for (const name of ['content-length', 'content-type', 'etag', 'cache-control']) {
      assert.equal(head.headers.get(name), get.headers.get(name), `${path} ${name}`);
    }
  }
  assert.equal((await app.ask('/ui/', { 'sec-fetch-site': 'same-origin' }, 'POST')).status, 405);
});

test('nothing but the files of the list can be read, however the path is spelt', async () => {
  await using served = await serveTcp({ ui });
  for (const path of [
    '/ui/../secret.js',
    '/ui/assets/../../secret.js',
    '/ui/%2e%2e/secret.js',
    '/ui/..%2fsecret.js',
    '/ui/assets/..%2f..%2fsecret.js',
    '/ui/assets/%2e%2e%5c%2e%2e%5csecret.js',
    '/ui/assets/main-B1x.js%00.svg',
    '/ui/assets/',
    '/ui/assets',
    '/ui//etc/passwd',
    '/ui/manifest.json',
    '/ui/assets/main-B1x.js.br',
    '/ui/__proto__',
    '/ui/constructor',
  ]) {
    const answer = await askRaw(served, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    assert.doesNotMatch(answer, /canary|root:/, path);
    assert.match(answer, /^HTTP\/1\.1 (?:404|400) |the page/, `${path}\n${answer.slice(0, 400)}`);
  }
});

test('the UI is for the same peers and host names as the admin API', async () => {
  await using app = await openUi({ allow: ['127.0.0.1'] });
  for (const path of ['/ui/', '/ui/assets/main-B1x.js']) {
    assert.equal((await app.ask(path, {}, 'GET', '203.0.113.9')).status, 403);
    assert.equal((await app.ask(path, { host: 'rebound.example' })).status, 403);
  }
});

test('/ leads to the UI; to others than the admin plane is for it is a path without a route', async () => {
  await using app = await openUi({ allow: ['127.0.0.1'] });
  for (const path of ['/', '/ui']) {
    const answer = await app.ask(path);
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/ui/'], path);
  }
  for (const answer of [await app.ask('/', {}, 'GET', '203.0.113.9'), await app.ask('/', { host: 'rebound.example' })]) {
    assert.equal(answer.status, 404);
    assert.equal(((await answer.json()) as { code: string }).code, 'route_not_found');
  }
});

test('where the UI is not built, it says what to run', async () => {
  assert.equal(await readUiFiles(join(scratch, 'nowhere')), undefined);
  const fixture = await openApp();
  await using _ = fixture;
  const answer = await fixture.app.fetch(new Request('http://localhost/ui/', { headers: { host: 'localhost' } }), {
    remoteAddress: '127.0.0.1',
    scheme: 'http',
    requestId: 'r',
  });
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /npm run setup/);
});
