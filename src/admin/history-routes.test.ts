import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openApp, type AppFixture } from './admin-app-fixture.ts';

let fixture: AppFixture;
let reader: string;
let writer: string;

before(async () => {
  fixture = await openApp();
  reader = await fixture.token('read');
  writer = await fixture.token('write');
  for (const timeout_ms of [1, 2, 3]) {
    const upstream = { name: 'api', base_url: 'http://10.0.0.1', auth_type: 'bearer', auth_value: `hidden-${timeout_ms}`, timeout_ms };
    const made = await fixture.call('POST', '/admin/apply', { authorization: writer, json: { upstreams: [upstream] } });
    assert.equal(made.status, 200, made.text);
  }
});
after(() => fixture[Symbol.asyncDispose]());

const read = (path: string) => fixture.call('GET', path, { authorization: reader });
const rollback = (path: string, authorization = writer) => fixture.call('POST', path, { authorization });

test('a token that may read lists, shows and compares; going back takes one that may write, also as a dry run', async () => {
  const list = await read('/admin/history?limit=2&resource=api');
  assert.deepEqual(
    [list.status, list.body.total, list.body.next_cursor, list.body.data.map(({ revision }: { revision: number }) => revision)],
    [200, 3, '2', [3, 2]],
  );
  assert.equal(list.body.data[0].actor.kind, 'token');
  const one = await read('/admin/history/2');
  assert.deepEqual(one.body.changes[0].fields, {
    timeout_ms: { from: 1, to: 2 },
    auth_value: { from: '(stored)', to: '(changed)' },
  });
  const diff = await read('/admin/history/diff?from=1');
  assert.deepEqual([diff.body.from, diff.body.to, diff.body.changes[0].fields.timeout_ms], [1, 3, { from: 1, to: 3 }]);
  assert.doesNotMatch(list.text + one.text + diff.text, /hidden/);
  for (const path of ['/admin/history', '/admin/history/1', '/admin/history/diff?from=1']) {
    assert.equal((await fixture.call('GET', path)).status, 401);
  }
  for (const query of ['', '?dry_run=true']) assert.equal((await rollback(`/admin/history/1/rollback${query}`, reader)).status, 403);
});

test('what is asked wrongly is refused with the field; unknown revisions are 404, forgotten ones 410', async () => {
  for (const [path, field] of [
    ['/admin/history?limit=0', 'limit'],
    ['/admin/history?cursor=x', 'cursor'],
    ['/admin/history?q=x', 'q'],
    ['/admin/history/diff', 'from'],
    ['/admin/history/diff?from=1&to=2&to=3', 'to'],
    ['/admin/history/1?x=1', 'x'],
  ] as const) {
    const { status, body } = await read(path);
    assert.deepEqual([status, body.errors.map((error: { field: string }) => error.field)], [422, [field]], path);
  }
  for (const path of [
    '/admin/history/99',
    '/admin/history/x',
    '/admin/history/-1',
    '/admin/history/diff?from=99',
    '/admin/history/diff?from=x',
  ]) {
    assert.equal((await read(path)).status, 404, path);
  }
  assert.match((await read('/admin/history/99')).body.detail, /the latest is 3/);
  assert.equal((await rollback('/admin/history/99/rollback')).status, 404);
  assert.equal((await rollback('/admin/history/1/rollback?keep_keys=maybe')).status, 422);
});

test('a rollback answers what it did with its revision', async () => {
  const dry = await rollback('/admin/history/1/rollback?dry_run=true');
  assert.deepEqual([dry.status, dry.body.dry_run, dry.body.revision, dry.headers.get('x-apigate-revision')], [200, true, 3, null]);
  assert.equal((await rollback('/admin/history/1/rollback?expect_revision=2')).status, 412);
  const done = await rollback('/admin/history/1/rollback?expect_revision=3');
  assert.deepEqual([done.status, done.headers.get('x-apigate-revision')], [200, '4'], done.text);
  assert.deepEqual(done.body.changes, dry.body.changes);
  assert.equal((await read('/admin/history?limit=1')).body.data[0].rollback_to, 1);
  assert.doesNotMatch(done.text, /hidden/);
});
