import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import { createApiKey, deleteApiKey, getApiKey, listApiKeys, recordKeyUsage, revokeApiKey, updateApiKey } from './api-keys.ts';
import { ann, contentOf, type ControlFixture, errorOf, fieldErrorsOf, openControl } from './control-fixture.ts';
import { etagOf } from './etag.ts';
import { createRoute, deleteRoute } from './routes.ts';
import { createUpstream } from './upstreams.ts';

let control: ControlFixture;

beforeEach(async () => {
  control = await openControl();
  await createUpstream(control.context, ann, { name: 'my-api', base_url: 'http://a' });
  for (const name of ['users', 'orders'])
    await createRoute(control.context, ann, { name, path_pattern: `/${name}`, upstream_id: 'my-api' });
});

afterEach(async () => await control.close());

test('a key is shown once, stored as its hash, and known to the workers by it', async () => {
  const { value, secret } = await createApiKey(control.context, ann, { name: 'mobile' });
  assert.match(secret, /^ak_[0-9a-f]{64}$/);
  assert.match(value.id, /^key_[0-9a-f]{16}$/);
  assert.equal(value.prefix, secret.slice(0, 12));
  assert.deepEqual(
    [value.routes, value.rate_limit_per_minute, value.expires_at, value.revoked_at, value.last_used_at],
    [[], null, null, null, null],
  );
  const [served] = [...control.workers.keys.values()];
  assert.equal(served?.hash, createHash('sha256').update(secret).digest('hex'));
  const stored = JSON.stringify([await contentOf(control.store), await control.audit(), await getApiKey(control.context, 'mobile')]);
  assert.equal(stored.includes(secret.slice(12)), false);
});

test('routes are given by id or name and kept by id', async () => {
  const { value } = await createApiKey(control.context, ann, {
    name: 'mobile',
    routes: ['users', 'orders', 'users'],
    rate_limit_per_minute: 60,
    expires_at: '2027-01-01T02:00:00+02:00',
  });
  assert.equal(value.routes.length, 2);
  assert.equal(value.expires_at, '2027-01-01T00:00:00.000Z');
  const served = control.workers.keys.get(value.id);
  assert.deepEqual(
    [served?.routes, served?.rate_limit_per_minute, served?.expires_at, served?.revoked],
    [value.routes, 60, Date.parse('2027-01-01'), false],
  );
});

test('every field at fault is named at once', async () => {
  const before = await contentOf(control.store);
  const errors = await fieldErrorsOf(
    createApiKey(control.context, ann, { routes: ['nobody', 5], rate_limit_per_minute: 0, expires_at: 'tomorrow', rate_limit: 5 }),
  );
  assert.deepEqual(Object.keys(errors).toSorted(), ['expires_at', 'name', 'rate_limit', 'rate_limit_per_minute', 'routes.1']);
  assert.match(errors['rate_limit'] ?? '', /did you mean rate_limit_per_minute/);
  const unknown = await fieldErrorsOf(
    createApiKey(control.context, ann, { name: 'a', routes: ['users', 'nobody'], expires_at: '2020-01-01T00:00:00Z' }),
  );
  assert.deepEqual(Object.keys(unknown), ['routes.1', 'expires_at']);
  for (const expires_at of ['2027-02-30T00:00:00Z', '2027-01-01', '2027-01-01T00:00:00', '2027-01-01T00:00:60Z', 5]) {
    assert.match(
      (await fieldErrorsOf(createApiKey(control.context, ann, { name: 'a', expires_at }))).expires_at ?? '',
      /must be a time/,
      String(expires_at),
    );
  }
  assert.equal(await contentOf(control.store), before);
});

test('a deleted route never widens a key', async () => {
  const { value } = await createApiKey(control.context, ann, { name: 'mobile', routes: ['users'] });
  await deleteRoute(control.context, ann, 'users');
  assert.deepEqual(control.workers.keys.get(value.id)?.routes, value.routes);
  const kept = await updateApiKey(control.context, ann, 'mobile', { routes: value.routes, rate_limit_per_minute: 5 });
  assert.deepEqual(kept.value.routes, value.routes);
});

test('an update changes just the fields given; null means the default', async () => {
  await createApiKey(control.context, ann, {
    name: 'mobile',
    routes: ['users'],
    rate_limit_per_minute: 5,
    expires_at: '2027-01-01T00:00:00Z',
  });
  const { value } = await updateApiKey(control.context, ann, 'mobile', { rate_limit_per_minute: null });
  assert.deepEqual([value.rate_limit_per_minute, value.routes.length, value.expires_at], [null, 1, '2027-01-01T00:00:00.000Z']);
  const opened = await updateApiKey(control.context, ann, 'mobile', { routes: null, expires_at: null });
  assert.deepEqual([opened.value.routes, opened.value.expires_at], [[], null]);
  await errorOf(createApiKey(control.context, ann, { name: 'mobile' }), 'conflict');
  assert.match(
    (await fieldErrorsOf(updateApiKey(control.context, ann, 'mobile', { prefix: 'ak_x' })))['prefix'] ?? '',
    /cannot be changed/,
  );
});

test('a revoked key is refused everywhere when the answer comes, and revoking again changes nothing', async () => {
  await createApiKey(control.context, ann, { name: 'mobile' });
  const first = await revokeApiKey(control.context, ann, 'mobile');
  assert.equal(first.value.revoked_at, '2026-11-23T05:00:00.000Z');
  assert.equal(control.workers.keys.get(first.value.id)?.revoked, true);
  control.clock.now += 1000;
  const second = await revokeApiKey(control.context, ann, 'mobile');
  assert.deepEqual([second.value, second.revision], [first.value, first.revision]);
  assert.equal((await control.audit())[0]?.action, 'key.revoke');
  assert.equal((await listApiKeys(control.context, { enabled: true })).total, 0);
  assert.equal((await listApiKeys(control.context, { enabled: false })).total, 1);
});

test('a deleted key is gone', async () => {
  const { value } = await createApiKey(control.context, ann, { name: 'mobile' });
  await deleteApiKey(control.context, ann, value.id);
  assert.equal(control.workers.keys.size, 0);
  await errorOf(getApiKey(control.context, 'mobile'), 'not_found');
});

test('when keys were used is kept without a revision or a publish, and leaves ETags alone', async () => {
  const { value, revision } = await createApiKey(control.context, ann, { name: 'mobile' });
  const publishes = control.workers.changes.length;
  await recordKeyUsage(
    control.context,
    new Map([
      [value.id, Date.parse('2026-11-23T06:00:00Z')],
      ['key_0000000000000000', 1],
    ]),
  );
  await recordKeyUsage(control.context, new Map());
  const used = await getApiKey(control.context, 'mobile');
  assert.equal(used.last_used_at, '2026-11-23T06:00:00.000Z');
  assert.equal(etagOf(used), etagOf(value));
  assert.equal(await control.store.read(async (tx) => await tx.revision()), revision);
  assert.equal(control.workers.changes.length, publishes);
});
