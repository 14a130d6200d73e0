// Longer than 300 lines: every rule of an upstream's fields has its case here.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterEach, beforeEach, test } from 'node:test';
import { ann, contentOf, type ControlFixture, errorOf, fieldErrorsOf, openControl } from './control-fixture.ts';
import { etagOf } from './etag.ts';
import { createRoute } from './routes.ts';
import { createUpstream, deleteUpstream, getUpstream, listUpstreams, updateUpstream } from './upstreams.ts';

let control: ControlFixture;

beforeEach(async () => {
  control = await openControl();
});

afterEach(async () => await control.close());

const minimal = { name: 'my-api', base_url: 'https://api.example.com' };
const bearer = { ...minimal, auth_type: 'bearer', auth_value: 'canary-token' };

test('an upstream with a name and a URL gets the defaults of the documentation', async () => {
  const { value, revision, warnings } = await createUpstream(control.context, ann, minimal);
  const { id, ...rest } = value;
  assert.match(id, /^up_[0-9a-f]{16}$/);
  assert.deepEqual(rest, {
    name: 'my-api',
    description: '',
    base_url: 'https://api.example.com',
    timeout_ms: 30_000,
    max_idle_conns: 100,
    idle_conn_timeout_ms: 90_000,
    max_conns: 0,
    auth_type: 'none',
    auth_header: null,
    auth_value_set: false,
    auth_value_updated_at: null,
    preserve_host: false,
    tls_ca: null,
    tls_server_name: null,
    health_check_path: null,
    health_check_interval_ms: 10_000,
    health_check_timeout_ms: 5_000,
    health_check_status: '200-399',
    enabled: true,
    managed: false,
    created_at: '2026-11-23T05:00:00.000Z',
    updated_at: '2026-11-23T05:00:00.000Z',
  });
  assert.equal(revision, 1);
  assert.deepEqual(warnings, []);
  assert.deepEqual(await getUpstream(control.context, 'my-api'), value);
  assert.deepEqual(await getUpstream(control.context, id), value);
});

test('a create or update is served by the workers when it answers, and is in the audit log', async () => {
  const created = await createUpstream(control.context, ann, minimal);
  assert.equal(control.workers.revision, created.revision);
  await updateUpstream(control.context, ann, 'my-api', { timeout_ms: 60_000 });
  assert.equal(control.workers.upstreamNamed('my-api').timeout_ms, 60_000);
  const [update, create] = await control.audit();
  assert.equal(create?.action, 'upstream.create');
  assert.equal(update?.action, 'upstream.update');
  assert.deepEqual(update?.detail, { changed: { timeout_ms: { from: 30_000, to: 60_000 } } });
  assert.deepEqual(
    [update?.actor_label, update?.request_id, update?.resource_name, update?.revision],
    ['ann@example.com', 'request-1', 'my-api', 2],
  );
});

test('an update changes just the fields given, and null means the default', async () => {
  await createUpstream(control.context, ann, { ...minimal, timeout_ms: 5, description: 'x', preserve_host: true, max_conns: 3 });
  const { value } = await updateUpstream(control.context, ann, 'my-api', { timeout_ms: null, description: null });
  assert.deepEqual([value.timeout_ms, value.description, value.preserve_host, value.max_conns], [30_000, '', true, 3]);
});

test('an update that changes nothing makes no revision', async () => {
  const created = await createUpstream(control.context, ann, bearer);
  const before = await contentOf(control.store);
  for (const same of [{}, { timeout_ms: 30_000 }, { name: 'my-api', enabled: null }, created.value]) {
    const { value, revision } = await updateUpstream(control.context, ann, 'my-api', same);
    assert.deepEqual([value, revision], [created.value, 1]);
  }
  assert.equal(await contentOf(control.store), before);
  assert.equal((await control.audit()).length, 1);
});

test('every field at fault is named at once, and nothing is stored', async () => {
  const before = await contentOf(control.store);
  const errors = await fieldErrorsOf(
    createUpstream(control.context, ann, {
      base_url: 'ftp://x',
      timeout_ms: '30s',
      max_idle_conns: -1,
      max_conns: 1.5,
      auth_type: 'oauth',
      preserve_host: 'yes',
      enabled: 1,
      tls_ca: 'x',
      descripton: 'x',
      protocol: 'http',
    }),
  );
  assert.deepEqual(errors, {
    name: 'is required',
    base_url: 'must start with http:// or https://, not ftp://',
    timeout_ms: 'must be a whole number from 1 to 86400000',
    max_idle_conns: 'must be a whole number from 0 to 100000',
    max_conns: 'must be a whole number from 0 to 100000',
    auth_type: 'must be one of none, bearer, header, basic',
    preserve_host: 'must be true or false, not a string',
    enabled: 'must be true or false, not a number',
    tls_ca: 'must hold at least one certificate in PEM form (-----BEGIN CERTIFICATE-----)',
    descripton: 'is not a known field; did you mean description?',
    protocol: 'is not a known field',
  });
  assert.equal(await contentOf(control.store), before);
});

test('findings across fields come together with the others', async () => {
  const errors = await fieldErrorsOf(
    createUpstream(control.context, ann, { name: '', base_url: 'http://a', auth_type: 'header', timeout_ms: 0 }),
  );
  assert.deepEqual(Object.keys(errors).toSorted(), ['auth_header', 'auth_value', 'name', 'timeout_ms']);
});

test('an input that is no object is refused', async () => {
  for (const input of [null, [], 'x', 5, undefined]) await errorOf(createUpstream(control.context, ann, input), 'validation_failed');
});

const timeouts: unknown[] = [0, -1, 86_400_001, 2 ** 31, 1e9, 1.5, '30s', '30000', Number.NaN, Number.POSITIVE_INFINITY, true, [], {}];
for (const timeout of timeouts) {
  test(`timeout_ms ${String(timeout)} (${typeof timeout}) is refused`, async () => {
    const errors = await fieldErrorsOf(
      createUpstream(control.context, ann, { ...minimal, timeout_ms: timeout, idle_conn_timeout_ms: timeout }),
    );
    assert.deepEqual(errors, {
      timeout_ms: 'must be a whole number from 1 to 86400000',
      idle_conn_timeout_ms: 'must be a whole number from 1 to 86400000',
    });
  });
}

test('the ends of the ranges are accepted', async () => {
  const ends = { timeout_ms: 1, idle_conn_timeout_ms: 86_400_000, max_idle_conns: 0, max_conns: 100_000 };
  const { value } = await createUpstream(control.context, ann, { ...minimal, ...ends });
  assert.deepEqual({ ...value, ...ends }, value);
});

const names: [unknown, RegExp][] = [
  ['', /empty/],
  ['x'.repeat(101), /100 characters/],
  ['a\nb', /control/],
  ['a\u0085b', /control/],
  ['\ud800', /control/],
  [' a', /space/],
  ['a ', /space/],
  ['up_0123456789abcdef', /look like an id/],
  ['rt_0123456789abcdef', /look like an id/],
  [null, /a string, not null/],
  [5, /a string, not a number/],
];
for (const [name, reason] of names) {
  test(`the name ${JSON.stringify(name)?.slice(0, 30)} is refused`, async () => {
    assert.match((await fieldErrorsOf(createUpstream(control.context, ann, { ...minimal, name }))).name ?? '', reason);
  });
}

test('names may hold whatever people write, and are unique', async () => {
  for (const name of ['x'.repeat(100), '😀'.repeat(100), "'; DROP TABLE upstreams; --", '<script>', '=cmd', 'up_1', 'a/b?c', '__proto__']) {
    const { value } = await createUpstream(control.context, ann, { ...minimal, name });
    assert.equal((await getUpstream(control.context, name)).id, value.id);
  }
  const error = await errorOf(createUpstream(control.context, ann, { ...minimal, name: '<script>' }), 'conflict');
  assert.deepEqual(
    error.errors.map(({ field }) => field),
    ['name'],
  );
  await errorOf(updateUpstream(control.context, ann, 'up_1', { name: '<script>' }), 'conflict');
  await updateUpstream(control.context, ann, 'up_1', { name: 'up_1', timeout_ms: 1 });
});

const refusedUrls: [string, RegExp][] = [
  ['http://169.254.169.254/latest', /link-local/],
  ['http://[::ffff:169.254.169.254]', /IPv6 form of a link-local/],
  ['http://[fd00:ec2::254]', /AWS/],
  ['http://0.0.0.0:8080', /unspecified/],
  ['http://224.0.0.1', /multicast/],
  ['http://2852039166', /unusual spelling/],
  ['http://0xa9fea9fe', /unusual spelling/],
  ['http://0251.0376.0251.0376', /unusual spelling/],
  ['http://user:pw@a', /user name or password/],
];
for (const [base_url, reason] of refusedUrls) {
  test(`base_url ${base_url} is refused`, async () => {
    assert.match((await fieldErrorsOf(createUpstream(control.context, ann, { ...minimal, base_url }))).base_url ?? '', reason);
    await createUpstream(control.context, ann, minimal);
    assert.match((await fieldErrorsOf(updateUpstream(control.context, ann, 'my-api', { base_url }))).base_url ?? '', reason);
  });
}

test('our own listeners are refused in every spelling of this machine; other ports and machines are not', async () => {
  control.ownListeners.push({ host: '0.0.0.0', port: 8080 }, { host: '127.0.0.1', port: 8081 });
  for (const own of [
    'http://127.0.0.1:8080',
    'http://localhost:8080/x',
    'http://LOCALHOST:8080',
    'http://[::1]:8080',
    'http://[::ffff:127.0.0.1]:8080',
    'http://127.9.9.9:8080',
    'http://localhost:8081',
    'http://127.0.0.1:8081',
    'http://localhost.:8080',
  ]) {
    assert.match(
      (await fieldErrorsOf(createUpstream(control.context, ann, { ...minimal, base_url: own }))).base_url ?? '',
      /back to this gateway/,
      own,
    );
  }
  for (const [index, other] of [
    'http://127.0.0.1:9000',
    'http://10.1.2.3:8080',
    'http://example.com:8080',
    'http://127.0.0.2:8081',
  ].entries()) {
    await createUpstream(control.context, ann, { name: `other-${index}`, base_url: other });
  }
});

test('a credential goes in and never comes out, but reaches the workers', async () => {
  const { value } = await createUpstream(control.context, ann, bearer);
  assert.deepEqual([value.auth_value_set, value.auth_value_updated_at], [true, '2026-11-23T05:00:00.000Z']);
  assert.deepEqual(control.workers.upstreamNamed('my-api').credential, { kind: 'value', value: 'canary-token' });
  const shown = JSON.stringify([value, await listUpstreams(control.context, {}), await control.audit(), control.logged]);
  assert.equal(shown.includes('canary'), false);
  await control.store.write(async (tx) => await tx.meta.set('checkpoint', '1'));
  for (const file of ['', '-wal']) {
    const bytes = readFileSync(`${control.store.path}${file}`);
    for (const form of ['canary-token', Buffer.from('canary-token').toString('base64').slice(0, 15)])
      assert.equal(bytes.includes(form), false);
  }
});

test('an update without auth_value keeps it; null and auth_type none clear it', async () => {
  await createUpstream(control.context, ann, bearer);
  control.clock.now += 1000;
  const kept = await updateUpstream(control.context, ann, 'my-api', { timeout_ms: 1 });
  assert.equal(kept.value.auth_value_updated_at, '2026-11-23T05:00:00.000Z');
  assert.deepEqual(control.workers.upstreamNamed('my-api').credential, { kind: 'value', value: 'canary-token' });

  control.clock.now += 1000;
  const changed = await updateUpstream(control.context, ann, 'my-api', { auth_value: 'second' });
  assert.equal(changed.value.auth_value_updated_at, '2026-11-23T05:00:02.000Z');
  assert.deepEqual(control.workers.upstreamNamed('my-api').credential, { kind: 'value', value: 'second' });

  const cleared = await updateUpstream(control.context, ann, 'my-api', { auth_value: null });
  assert.deepEqual([cleared.value.auth_type, cleared.value.auth_value_set, cleared.value.auth_value_updated_at], ['bearer', false, null]);
  assert.match(cleared.warnings[0] ?? '', /503/);
  assert.equal(control.workers.upstreamNamed('my-api').credential.kind, 'unavailable');

  await updateUpstream(control.context, ann, 'my-api', { auth_value: 'third' });
  const none = await updateUpstream(control.context, ann, 'my-api', { auth_type: 'none' });
  assert.deepEqual([none.value.auth_value_set, none.warnings], [false, []]);
  assert.deepEqual(control.workers.upstreamNamed('my-api').credential, { kind: 'none' });
  const back = await fieldErrorsOf(updateUpstream(control.context, ann, 'my-api', { auth_type: 'bearer' }));
  assert.deepEqual(back, { auth_value: 'is required with auth_type bearer' });
});

test('two updates of a credential within one millisecond have different ETags', async () => {
  const first = await createUpstream(control.context, ann, bearer);
  const second = await updateUpstream(control.context, ann, 'my-api', { auth_value: 'second' });
  const third = await updateUpstream(control.context, ann, 'my-api', { auth_value: 'third' });
  assert.equal(new Set([first, second, third].map(({ value }) => etagOf(value))).size, 3);
});

const authErrors: [object, Record<string, RegExp>][] = [
  [{ auth_type: 'bearer' }, { auth_value: /required with auth_type bearer/ }],
  [{ auth_type: 'bearer', auth_value: null }, { auth_value: /required/ }],
  [{ auth_type: 'header', auth_value: 'x' }, { auth_header: /required with auth_type header/ }],
  [{ auth_type: 'header', auth_value: 'x', auth_header: null }, { auth_header: /required/ }],
  [{ auth_type: 'header', auth_value: 'x', auth_header: 'a b' }, { auth_header: /not a header name/ }],
  [{ auth_type: 'header', auth_value: 'x', auth_header: 'Host' }, { auth_header: /frames or routes/ }],
  [{ auth_type: 'header', auth_value: 'x', auth_header: 'content_length' }, { auth_header: /frames or routes/ }],
  [{ auth_type: 'bearer', auth_value: 'x', auth_header: 'X-A' }, { auth_header: /auth_type header only/ }],
  [{ auth_value: 'x' }, { auth_value: /auth_type none/ }],
  [{ auth_type: 'none', auth_value: 'x' }, { auth_value: /auth_type none/ }],
  [{ auth_type: 'basic', auth_value: 'userpass' }, { auth_value: /colon/ }],
  [{ auth_type: 'bearer', auth_value: 'a\r\nX: y' }, { auth_value: /line ends/ }],
  [{ auth_type: 'bearer', auth_value: 'a\0' }, { auth_value: /NUL/ }],
  [{ auth_type: 'bearer', auth_value: 'Łódź' }, { auth_value: /Latin-1/ }],
  [{ auth_type: 'bearer', auth_value: 'x'.repeat(102_400) }, { auth_value: /16384/ }],
  [{ auth_type: 'bearer', auth_value: '' }, { auth_value: /empty/ }],
  [{ auth_type: 'bearer', auth_value: 5 }, { auth_value: /a string, not a number/ }],
  [{ auth_type: 'bearer', auth_value: 'Bearer ${env.X}' }, { auth_value: /nothing but the reference/ }],
  [{ auth_type: 'bearer', auth_value: '${file:rel}' }, { auth_value: /full path/ }],
  [{ auth_type: 'bearer', auth_value: '${env.APIGATE_SECRET_KEY}' }, { auth_value: /own settings/ }],
];
for (const [fields, expected] of authErrors) {
  test(`${JSON.stringify(fields).slice(0, 60)} is refused`, async () => {
    const errors = await fieldErrorsOf(createUpstream(control.context, ann, { ...minimal, ...fields }));
    assert.deepEqual(Object.keys(errors), Object.keys(expected));
    for (const [field, reason] of Object.entries(expected)) assert.match(errors[field] ?? '', reason);
    const text = JSON.stringify(errors);
    assert.equal(text.includes('userpass') || text.includes('Łódź'), false);
  });
}

test('write access is not read access: a credential is not sent elsewhere without being given again', async () => {
  await createUpstream(control.context, ann, { ...bearer, base_url: 'https://api.example.com/v1' });
  for (const base_url of ['https://evil.example.com/v1', 'http://api.example.com/v1', 'https://api.example.com:8443/v1']) {
    assert.match(
      (await fieldErrorsOf(updateUpstream(control.context, ann, 'my-api', { base_url }))).auth_value ?? '',
      /given again/,
      base_url,
    );
  }
  const typeChange = { auth_type: 'header', auth_header: 'X-Echo' };
  assert.match((await fieldErrorsOf(updateUpstream(control.context, ann, 'my-api', typeChange))).auth_value ?? '', /given again/);
  for (const base_url of ['https://api.example.com/v2', 'https://API.example.com:443/v3'])
    await updateUpstream(control.context, ann, 'my-api', { base_url });
  await updateUpstream(control.context, ann, 'my-api', { base_url: 'https://other.example.com', auth_value: 'for-other' });
  await updateUpstream(control.context, ann, 'my-api', { ...typeChange, auth_value: 'for-header' });
  await updateUpstream(control.context, ann, 'my-api', { base_url: 'https://third.example.com', auth_type: 'none' });
  await updateUpstream(control.context, ann, 'my-api', { base_url: 'https://fourth.example.com' });
});

test('leaving auth_type header forgets the header', async () => {
  await createUpstream(control.context, ann, { ...minimal, auth_type: 'header', auth_header: 'X-API-Key', auth_value: 'k' });
  assert.equal(control.workers.upstreamNamed('my-api').auth_header, 'X-API-Key');
  const { value } = await updateUpstream(control.context, ann, 'my-api', { auth_type: 'bearer', auth_value: 'k' });
  assert.equal(value.auth_header, null);
});

test('a reference is stored as it is, and only what it refers to reaches the workers', async () => {
  control.environment['UPSTREAM_TOKEN'] = 'canary-from-env';
  const { value, warnings } = await createUpstream(control.context, ann, { ...bearer, auth_value: '${env.UPSTREAM_TOKEN}' });
  assert.deepEqual([value.auth_value_set, warnings], [true, []]);
  assert.deepEqual(control.workers.upstreamNamed('my-api').credential, { kind: 'value', value: 'canary-from-env' });
  assert.equal((await contentOf(control.store)).includes('canary'), false);
});

test('a reference that leads nowhere saves, warns and means unavailable', async () => {
  const { warnings } = await createUpstream(control.context, ann, { ...bearer, auth_value: '${env.NOT_THERE}' });
  assert.match(warnings[0] ?? '', /503.*NOT_THERE is not set/);
  const { credential } = control.workers.upstreamNamed('my-api');
  assert.ok(credential.kind === 'unavailable');
  assert.match(credential.reason, /NOT_THERE is not set/);
  assert.match(control.logged.map(({ message }) => message).join('\n'), /"my-api" answers 503.*NOT_THERE is not set/);
});

test('a referred value that cannot be sent means unavailable, without showing it', async () => {
  control.environment['TWO_LINES'] = 'canary\r\nX: y';
  control.environment['NO_COLON'] = 'canary';
  const path = join(dirname(control.store.path), 'token');
  writeFileSync(path, 'x'.repeat(16_385));
  for (const [index, [auth_type, auth_value, reason]] of (
    [
      ['bearer', '${env.TWO_LINES}', /TWO_LINES must not contain line ends/],
      ['basic', '${env.NO_COLON}', /NO_COLON must be username:password/],
      ['bearer', `\${file:${path}}`, /must not be longer/],
      ['bearer', `\${file:${control.store.path}}`, /gateway's own/],
    ] as const
  ).entries()) {
    await createUpstream(control.context, ann, { name: `u${index}`, base_url: 'http://a', auth_type, auth_value });
    const { credential } = control.workers.upstreamNamed(`u${index}`);
    assert.ok(credential.kind === 'unavailable');
    assert.match(credential.reason, reason);
  }
  assert.equal(JSON.stringify(control.logged).includes('canary'), false);
});

test('a sealed credential that is moved to another row is unavailable there, and reported', async () => {
  const one = await createUpstream(control.context, ann, { ...bearer, name: 'one' });
  const two = await createUpstream(control.context, ann, { ...bearer, name: 'two', auth_value: 'other' });
  await control.store.write(async (tx) => {
    const from = await tx.upstreams.get(one.value.id);
    const to = await tx.upstreams.get(two.value.id);
    await tx.upstreams.put({ ...to!, auth_value_sealed: from!.auth_value_sealed, revision: await tx.nextRevision() });
  });
  await control.context.publishing.reach(3);
  const { credential } = control.workers.upstreamNamed('two');
  assert.ok(credential.kind === 'unavailable');
  assert.match(credential.reason, /copied from another place/);
  assert.match(control.logged.at(-1)?.message ?? '', /"two" answers 503/);
  assert.deepEqual(control.workers.upstreamNamed('one').credential, { kind: 'value', value: 'canary-token' });
});

test('tls_ca takes certificates and nothing else', async () => {
  const [first = '', second = ''] = rootCertificates;
  const good = await createUpstream(control.context, ann, { ...minimal, tls_ca: `# ours\n${first}\n${second}\n` });
  assert.equal(control.workers.upstreamNamed('my-api').tls_ca, good.value.tls_ca);
  for (const [pem, reason] of [
    ['', /at least one/],
    ['not pem', /at least one/],
    [first.replace('END', 'ENDE'), /at least one/],
    [first.slice(0, -60), /at least one/],
    [`${first}\n${second.slice(0, 500)}`, /whole certificates/],
    [first.replace('MII', 'AAA'), /certificate 1 of 1 is damaged/],
    [`${first}\n-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----`, /private key/],
    ['x'.repeat(300_000), /262144/],
  ] as const) {
    const error = await errorOf(updateUpstream(control.context, ann, 'my-api', { tls_ca: pem }), 'validation_failed');
    assert.match(error.errors[0]?.message ?? '', reason);
  }
});

test('tls_server_name takes a host name', async () => {
  await createUpstream(control.context, ann, { ...minimal, tls_server_name: 'internal.example.com' });
  for (const name of ['', '10.0.0.1', '::1', 'a b', 'a.', 'a:443', 'http://a', 'bücher']) {
    assert.match(
      (await fieldErrorsOf(updateUpstream(control.context, ann, 'my-api', { tls_server_name: name }))).tls_server_name ?? '',
      /host name/,
      name,
    );
  }
});

test('TLS settings on an http upstream are a warning', async () => {
  const { warnings } = await createUpstream(control.context, ann, { name: 'a', base_url: 'http://a', tls_server_name: 'b' });
  assert.match(warnings[0] ?? '', /no effect/);
});

test("what the gateway's own compiler refuses is not stored", async () => {
  control.trial.errors = [{ field: 'base_url', message: 'cannot be compiled' }];
  const before = await contentOf(control.store);
  assert.deepEqual(await fieldErrorsOf(createUpstream(control.context, ann, bearer)), { base_url: 'cannot be compiled' });
  assert.equal(await contentOf(control.store), before);
  assert.equal(JSON.stringify(control.trial.upstreams).includes('canary'), false);
});

test('what was read can be sent back; read-only fields cannot be given other values', async () => {
  const { value } = await createUpstream(control.context, ann, bearer);
  const changed = await updateUpstream(control.context, ann, 'my-api', { ...value, timeout_ms: 7 });
  assert.equal(changed.value.timeout_ms, 7);
  assert.deepEqual(control.workers.upstreamNamed('my-api').credential, { kind: 'value', value: 'canary-token' });
  const errors = await fieldErrorsOf(
    updateUpstream(control.context, ann, 'my-api', { id: 'up_0000000000000000', managed: true, auth_value_set: false }),
  );
  assert.deepEqual(Object.keys(errors), ['id', 'managed', 'auth_value_set']);
  assert.match(errors['id'] ?? '', /cannot be changed/);
  assert.match((await fieldErrorsOf(createUpstream(control.context, ann, { ...minimal, id: value.id })))['id'] ?? '', /not a known field/);
});

test('If-Match holds a change back when the upstream has changed meanwhile', async () => {
  const { value } = await createUpstream(control.context, ann, minimal);
  const seen = etagOf(value);
  const { value: next } = await updateUpstream(control.context, ann, 'my-api', { timeout_ms: 1 }, { ifMatch: seen });
  await errorOf(updateUpstream(control.context, ann, 'my-api', { timeout_ms: 2 }, { ifMatch: seen }), 'precondition_failed');
  await errorOf(deleteUpstream(control.context, ann, 'my-api', { ifMatch: `W/${etagOf(next)}` }), 'precondition_failed');
  await updateUpstream(control.context, ann, 'my-api', { timeout_ms: 3 }, { ifMatch: `"other", ${etagOf(next)}` });
  await deleteUpstream(control.context, ann, 'my-api', { ifMatch: '*' });
});

test('of two who update the same state, one succeeds', async () => {
  const { value } = await createUpstream(control.context, ann, minimal);
  const options = { ifMatch: etagOf(value) };
  const outcomes = await Promise.allSettled(
    [1, 2, 3].map(async (timeout_ms) => await updateUpstream(control.context, ann, 'my-api', { timeout_ms }, options)),
  );
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('deleting an upstream that routes use is refused with their names; cascade deletes them too', async () => {
  await createUpstream(control.context, ann, minimal);
  for (const name of ['users', 'orders'])
    await createRoute(control.context, ann, { name, path_pattern: `/${name}`, upstream_id: 'my-api' });
  const error = await errorOf(deleteUpstream(control.context, ann, 'my-api'), 'conflict');
  assert.match(error.message, /2 routes: "orders", "users"/);
  assert.deepEqual(
    error.errors.map(({ field }) => field),
    ['routes', 'routes'],
  );
  assert.equal(control.workers.routes.size, 2);

  const { revision } = await deleteUpstream(control.context, ann, 'my-api', { cascade: true });
  assert.equal(revision, 4);
  assert.deepEqual([control.workers.routes.size, control.workers.upstreams.size], [0, 0]);
  assert.deepEqual(
    (await control.audit())
      .slice(0, 3)
      .map(({ action }) => action)
      .toSorted(),
    ['route.delete', 'route.delete', 'upstream.delete'],
  );
  await errorOf(getUpstream(control.context, 'my-api'), 'not_found');
});

test('unknown ids and names are not_found, whatever they look like', async () => {
  for (const idOrName of ['up_0000000000000000', 'rt_0000000000000000', 'nobody', '../x', 'x'.repeat(10_000), '']) {
    const get = await errorOf(getUpstream(control.context, idOrName), 'not_found');
    const update = await errorOf(updateUpstream(control.context, ann, idOrName, { timeout_ms: 1 }), 'not_found');
    const remove = await errorOf(deleteUpstream(control.context, ann, idOrName), 'not_found');
    assert.equal(new Set([get, update, remove].map(({ message }) => message)).size, 1);
  }
});

test('lists are paged, searched and filtered; every page is whole', async () => {
  for (let number = 0; number < 7; number += 1) {
    await createUpstream(control.context, ann, { name: `Api-${number}`, base_url: 'http://a', enabled: number % 2 === 0 });
  }
  const seen: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await listUpstreams(control.context, { limit: 3, ...(cursor === null || cursor === undefined ? {} : { cursor }) });
    assert.equal(page.total, 7);
    seen.push(...page.data.map(({ name }) => name));
    cursor = page.next_cursor;
  } while (cursor !== null);
  assert.deepEqual(
    seen,
    Array.from({ length: 7 }, (_, number) => `Api-${number}`),
  );
  assert.equal((await listUpstreams(control.context, { q: 'API-3' })).data[0]?.name, 'Api-3');
  assert.equal((await listUpstreams(control.context, { enabled: false })).total, 3);
  assert.deepEqual((await listUpstreams(control.context, { q: 'nothing' })).data, []);
  const errors = await fieldErrorsOf(listUpstreams(control.context, { limit: 501, cursor: '!!', q: 'x'.repeat(201) }));
  assert.deepEqual(Object.keys(errors), ['limit', 'cursor', 'q']);
});
