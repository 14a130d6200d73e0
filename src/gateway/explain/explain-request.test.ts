import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import type { AskedRequest, ExplainInput } from '../../model/explanation.ts';
import type { UpstreamConfig } from '../../model/gateway-config.ts';
import { upstreamDefaults } from '../../model/upstream.ts';
import { route } from '../match/route-fixture.ts';
import { explainRequest, type ExplainSettings, upstreamAsked } from './explain-request.ts';

const settings: ExplainSettings = {
  limits: { maxTarget: 8_192, maxHead: 16_384, maxFields: 100 },
  maxBody: 10,
  trustedProxies: ['10.0.0.0/8'],
  viaToken: 'apigate-1',
  hasAdmin: true,
  transforms: { bodyLimit: 1_000, environment: new Map([['LINES', 'canary\r\nX: y']]) },
  ports: { http: 8_080, https: 0 },
};
const upstream: UpstreamConfig = {
  ...upstreamDefaults,
  id: 'up_0000000000000000',
  name: 'u',
  base_url: 'http://u.test/base',
  max_conns: 0,
  auth_type: 'basic',
  auth_header: null,
  credential: { kind: 'value', value: '***' },
  preserve_host: false,
  tls_ca: null,
  tls_server_name: null,
  enabled: true,
};
const open = route({ path_pattern: '/', auth_required: false });

async function explain(request: Partial<AskedRequest>, input: Partial<ExplainInput> = {}, changed: Partial<ExplainSettings> = {}) {
  return await explainRequest(
    { ...settings, ...changed },
    {
      routes: [open],
      upstream,
      keys: [],
      usesEnvironment: true,
      ...input,
      request: { method: 'GET', url: 'http://a.test/x', headers: [], body: null, clientAddress: '192.0.2.1', ...request },
    },
  );
}

function sentFields({ request }: Awaited<ReturnType<typeof explain>>): Record<string, string> {
  return Object.fromEntries(request!.headers.map(({ name, value }) => [name, value]));
}

test('what is told of the client is what the data plane would tell, of trusted proxies and listeners too', async () => {
  const direct = sentFields(await explain({ headers: [{ name: 'X-Forwarded-For', value: '203.0.113.9' }] }));
  assert.deepEqual([direct['X-Forwarded-For'], direct['X-Forwarded-Port'], direct['Authorization']], ['192.0.2.1', '8080', '***']);
  const proxied = sentFields(await explain({ clientAddress: '10.1.2.3', headers: [{ name: 'X-Forwarded-For', value: '203.0.113.9' }] }));
  assert.equal(proxied['X-Forwarded-For'], '203.0.113.9, 10.1.2.3');
  const behind = await explain({ url: 'https://a.test/x' });
  assert.equal(sentFields(behind)['X-Forwarded-Proto'], 'http');
  assert.match(behind.notes[0]!, /no HTTPS listener/);
  const secure = await explain({ url: 'https://a.test/x' }, {}, { ports: { http: 0, https: 8_443 } });
  assert.deepEqual([sentFields(secure)['X-Forwarded-Proto'], sentFields(secure)['X-Forwarded-Port']], ['https', '8443']);
  const plain = await explain({}, {}, { ports: { http: 0, https: 8_443 } });
  assert.match(plain.notes[0]!, /no plain HTTP listener/);
});

test('limits, loops and reserved paths are those of the process', async () => {
  const tooLarge = await explain({ method: 'POST', body: 'x'.repeat(11) });
  assert.deepEqual([tooLarge.stage, tooLarge.status, tooLarge.code], ['head', 413, 'body_too_large']);
  const looped = await explain({ headers: [{ name: 'Via', value: '1.1 apigate-1' }] });
  assert.deepEqual([looped.stage, looped.status, looped.code], ['head', 508, 'loop_detected']);
  assert.equal((await explain({ url: '/admin/x' })).stage, 'own');
  assert.equal((await explain({ url: '/admin/x' }, {}, { hasAdmin: false })).stage, 'sent');
  // Longer than one read, with a fault at the end: as on the wire, its length is found first.
  const long = await explain({
    headers: [
      { name: 'X-A', value: 'a'.repeat(100_000) },
      { name: 'Bad Name', value: '' },
    ],
  });
  assert.equal(long.code, 'headers_too_large');
});

test('a value of the environment that fails the request fails it here, and is not shown', async () => {
  const reads = route({ path_pattern: '/', auth_required: false, request_transform: { headers: { set: { 'X-Env': '${env.LINES}' } } } });
  const real = await explain({}, { routes: [reads] });
  assert.deepEqual([real.stage, real.code, real.status, real.request], ['transform', 'transform_error', 500, null]);
  assert.doesNotMatch(JSON.stringify(real), /canary/);
  const draft = await explain({}, { routes: [reads], usesEnvironment: false });
  assert.equal(sentFields(draft)['X-Env'], '***');
  assert.match(draft.notes[0]!, /not looked at for a draft/);
});

test('a key within its limit is let through without drawing from it, and a limit says nothing that was not looked at', async () => {
  const secret = `ak_${'1'.repeat(64)}`;
  const key = {
    id: 'key_1',
    name: 'k',
    prefix: 'ak_111111111',
    hash: hash('sha256', secret),
    routes: [],
    rate_limit_per_minute: 1,
    expires_at: null,
    revoked: false,
  } as const;
  const keyed = route({ path_pattern: '/', path_rewrite: '/${header.X-Where}' });
  const input = { routes: [keyed], keys: [key] };
  for (let times = 0; times < 3; times += 1)
    assert.equal((await explain({ headers: [{ name: 'X-API-Key', value: secret }] }, input)).stage, 'sent');
  const failing = await explain(
    {
      headers: [
        { name: 'X-API-Key', value: secret },
        { name: 'X-Where', value: '..' },
      ],
    },
    input,
  );
  assert.deepEqual([failing.code, failing.key, failing.rate_limit_per_minute], ['transform_error', 'k', 1]);
  assert.deepEqual(
    failing.response_headers.filter(({ name }) => /ratelimit/i.test(name)),
    [],
  );
});

test('a chunked body goes on as it is, a compressed one is not taken for JSON that is not there', async () => {
  const masks = route({ path_pattern: '/', auth_required: false, request_transform: { body: { json: { mask: ['a'] } } } });
  const json = [{ name: 'Content-Type', value: 'application/json' }];
  const chunked = await explain({ method: 'POST', body: '{"a":"b"}', headers: [{ name: 'Transfer-Encoding', value: 'chunked' }] });
  assert.deepEqual([chunked.request?.body, sentFields(chunked)['Transfer-Encoding']], ['{"a":"b"}', 'chunked']);
  const masked = await explain({ method: 'POST', body: '{"a":"b"}', headers: json }, { routes: [masks] });
  assert.deepEqual([masked.request?.body, sentFields(masked)['Content-Length']], ['{"a":"***"}', '11']);
  const coded = await explain(
    { method: 'POST', body: '{"a":"b"}', headers: [...json, { name: 'Content-Encoding', value: 'gzip' }] },
    { routes: [masks] },
  );
  assert.deepEqual([coded.stage, coded.status, coded.code], ['transform', 400, 'transform_error']);
  assert.match(coded.reason!, /is not valid gzip/);
});

test('the upstream that is asked for is that of the route that wins, and none where nothing is sent', async () => {
  const request = { method: 'GET', url: 'http://a.test/x', headers: [], body: null, clientAddress: '192.0.2.1' };
  const other = route({ path_pattern: '/x', upstream_id: 'up_1111111111111111' });
  assert.equal(await upstreamAsked(settings, [open, other], request), other.upstream_id);
  assert.equal(await upstreamAsked(settings, [], request), undefined);
  assert.equal(await upstreamAsked(settings, [open], { ...request, url: '/healthz' }), undefined);
});
