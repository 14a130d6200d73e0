import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ann, contentOf, type ControlFixture, errorOf, fieldErrorsOf, openControl } from './control-fixture.ts';
import { testSavedUpstream, testUpstreamDraft } from './test-upstream.ts';
import { createUpstream } from './upstreams.ts';

let control: ControlFixture;

beforeEach(async () => {
  control = await openControl();
});
afterEach(async () => {
  await control.close();
});

const saved = { name: 'my-api', base_url: 'http://a.test', auth_type: 'bearer', auth_value: 'stored', timeout_ms: 9_000 };

test('a draft needs no name, has the defaults of a new upstream, and leaves the database as it was', async () => {
  const before = await contentOf(control.store);
  const found = await testUpstreamDraft(control.context, { upstream: { base_url: 'http://a.test' } });
  const [{ config, request }] = control.probed as [(typeof control.probed)[number]];
  assert.deepEqual([config.timeout_ms, config.auth_type, config.credential, config.enabled], [30_000, 'none', { kind: 'none' }, true]);
  assert.deepEqual(request, { method: 'GET', path: '', waitMs: 30_000 });
  assert.deepEqual([found.upstream.id, found.upstream.name, found.tested_by], [null, null, 'gateway']);
  assert.equal(await contentOf(control.store), before);
  assert.deepEqual(control.workers.changes, []);
});

test('credentials are opened for the test: given, stored, and referred to', async () => {
  control.environment['TOKEN'] = 'from the environment';
  await createUpstream(control.context, ann, saved);
  await testUpstreamDraft(control.context, { upstream: { base_url: 'http://a.test', auth_type: 'bearer', auth_value: 'given' } });
  await testSavedUpstream(control.context, 'my-api', {});
  await testSavedUpstream(control.context, 'my-api', { upstream: { auth_value: '${env.TOKEN}' } });
  await testSavedUpstream(control.context, 'my-api', { upstream: { auth_value: '${env.MISSING}' } });
  await testSavedUpstream(control.context, 'my-api', { upstream: { auth_type: 'none', base_url: 'http://b.test' } });
  assert.deepEqual(
    control.probed.map(({ config }) => config.credential),
    [
      { kind: 'value', value: 'given' },
      { kind: 'value', value: 'stored' },
      { kind: 'value', value: 'from the environment' },
      { kind: 'unavailable', reason: 'the environment variable MISSING is not set' },
      { kind: 'none' },
    ],
  );
});

test('the stored credential never goes with changes that saving would refuse', async () => {
  await createUpstream(control.context, ann, saved);
  for (const upstream of [
    { base_url: 'http://b.test' },
    { base_url: 'https://a.test' },
    { base_url: 'http://a.test:81' },
    { auth_type: 'basic' },
  ]) {
    const errors = await fieldErrorsOf(testSavedUpstream(control.context, 'my-api', { upstream }));
    assert.match(errors['upstream.auth_value'] ?? '', /^must be given again/);
  }
  await testSavedUpstream(control.context, 'my-api', { upstream: { base_url: 'http://a.test/v2' } });
  assert.equal(control.probed.length, 1);
});

test('the wait is never longer than the timeout_ms that the test is made with', async () => {
  await createUpstream(control.context, ann, saved);
  await testSavedUpstream(control.context, 'my-api', {});
  await testSavedUpstream(control.context, 'my-api', { upstream: { timeout_ms: 400 } });
  await testSavedUpstream(control.context, 'my-api', { wait_ms: 9_000, upstream: null });
  assert.deepEqual(
    control.probed.map(({ request }) => request.waitMs),
    [9_000, 400, 9_000],
  );
  const errors = await fieldErrorsOf(testSavedUpstream(control.context, 'my-api', { wait_ms: 9_001 }));
  assert.deepEqual(Object.keys(errors), ['wait_ms']);
});

test('what is no object, an upstream that is none, or none at all', async () => {
  assert.deepEqual(Object.keys(await fieldErrorsOf(testUpstreamDraft(control.context, {}))), ['upstream', 'upstream.base_url']);
  for (const input of [[], 'x', null]) await errorOf(testUpstreamDraft(control.context, input), 'validation_failed');
  assert.ok('upstream' in (await fieldErrorsOf(testUpstreamDraft(control.context, { upstream: 'http://a.test' }))));
  await errorOf(testSavedUpstream(control.context, 'nobody', {}), 'not_found');
  assert.equal(control.probed.length, 0);
});

test('more tests than may run at once are refused, and make room again', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  control.probing.held = promise;
  const draft = { upstream: { base_url: 'http://a.test' } };
  const running = Array.from({ length: 16 }, () => testUpstreamDraft(control.context, draft));
  // Each has read its credential by now.
  while (control.probed.length < 16) await new Promise((tick) => setImmediate(tick));
  const refused = await errorOf(testUpstreamDraft(control.context, draft), 'too_many_attempts');
  assert.equal(refused.retryAfter, 1);
  resolve();
  await Promise.all(running);
  assert.equal((await testUpstreamDraft(control.context, draft)).answers, true);
});

test('without workers it is the command that tests', async () => {
  const command = await openControl({ workers: false });
  try {
    assert.equal((await testUpstreamDraft(command.context, { upstream: { base_url: 'http://a.test' } })).tested_by, 'command');
  } finally {
    await command.close();
  }
});
