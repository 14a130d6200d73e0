import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Revision, RevisionDetail, RollbackResult } from '../model/history.ts';
import { CliFixture } from './cli-fixture.ts';

let cli: CliFixture;

beforeEach(() => {
  cli = new CliFixture();
});

const head = {
  at: '2026-11-23T05:06:07.123Z',
  actor: { kind: 'admin', id: 'adm_1', label: 'ann@example.com\u001b[31m' },
  remote_address: '127.0.0.1',
  request_id: 'r',
} as const;
const changes: RollbackResult['changes'] = [
  {
    action: 'update',
    type: 'upstream',
    name: 'a',
    fields: { timeout_ms: { from: 1, to: 2 }, auth_value: { from: '(stored)', to: '(changed)' } },
  },
  { action: 'delete', type: 'key', name: 'k', fields: {} },
];
const listed: Revision[] = [
  {
    ...head,
    revision: 12,
    rollback_to: 7,
    counts: { create: 0, update: 1, delete: 4 },
    changes: changes.map(({ action, type, name }) => ({ action, type, name })),
  },
  {
    ...head,
    revision: 11,
    rollback_to: null,
    counts: { create: 1, update: 0, delete: 0 },
    changes: [{ action: 'create', type: 'route', name: 'r' }],
  },
];

function answerNext(body: object, headers: Record<string, string> = {}): void {
  cli.api.answerNext(() => Response.json(body, { headers }));
}

function refuseNext(status: number, detail: string, errors: readonly { field: string; message: string }[] = []): void {
  const body = { type: 'about:blank', title: 't', status, detail, code: 'x', request_id: 'r', errors };
  cli.api.answerNext(() => Response.json(body, { status, headers: { 'content-type': 'application/problem+json' } }));
}

function rollbackAnswer(fields: Partial<RollbackResult> = {}): void {
  const body = { dry_run: false, rollback_to: 7, revision: 13, changes, warnings: [], ...fields };
  answerNext(body, body.dry_run ? {} : { 'x-apigate-revision': String(body.revision) });
}

function seen(): (readonly [string, string, object])[] {
  return cli.api.seen.map(({ method, path, query }) => [method, path, query] as const);
}

describe('history', () => {
  test('lists revisions in a table, without what a terminal would act on', async () => {
    answerNext({ data: listed, total: 40, next_cursor: '11' });
    const { code, stdout, stderr } = await cli.run(['history', '--resource', 'a', '--actor', 'cli', '--limit', '2', '--before', '13']);
    assert.equal(code, 0, stderr);
    assert.deepEqual(seen(), [['GET', '/admin/history', { limit: '2', cursor: '13', resource: 'a', actor: 'cli' }]]);
    const lines = stdout.trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^REVISION\s+WHEN\s+WHO\s+WHAT$/);
    assert.match(
      lines[1] ?? '',
      /^ +12 {2}2026-11-23 05:06:07Z {2}ann@example\.com\S* +rollback to 7: update upstream a, delete key k and 3 more$/,
    );
    assert.match(lines[2] ?? '', /^ +11 .* create route r$/);
    assert.equal(stdout.includes('\u001b'), false);
    assert.match(stderr, /40 in all; more with --before 11/);
  });

  test('has the other formats of a list, and says when there is nothing', async () => {
    const page = { data: listed, total: 2, next_cursor: null };
    answerNext(page);
    assert.deepEqual(JSON.parse((await cli.run(['history', '-o', 'json'])).stdout), listed);
    answerNext(page);
    assert.equal((await cli.run(['history', '-o', 'name'])).stdout, '12\n11\n');
    for (const [args, told] of [
      [[], /No revisions yet/],
      [['--actor', 'x'], /No revisions match/],
    ] as const) {
      answerNext({ data: [], total: 0, next_cursor: null });
      assert.match((await cli.run(['history', ...args])).stderr, told);
    }
    answerNext({ data: [], total: 0, next_cursor: null });
    assert.equal((await cli.run(['history', '-o', 'json'])).stdout, '[]\n');
  });

  test('tells one revision field by field', async () => {
    const detail: RevisionDetail = { ...head, revision: 12, rollback_to: 7, changes };
    answerNext(detail);
    const { stdout, stderr } = await cli.run(['history', '12']);
    assert.match(
      stdout,
      /^revision 12, 2026-11-23 05:06:07Z, ann@example\.com\S* \(admin\), rollback to 7\nupdated upstream a\n {2}timeout_ms: 1 → 2\n {2}auth_value: \(stored\) → \(changed\)\ndeleted key k\n$/,
    );
    assert.match(stderr, /1 updated, 1 deleted/);
    assert.deepEqual(seen(), [['GET', '/admin/history/12', {}]]);
    answerNext(detail);
    assert.deepEqual(JSON.parse((await cli.run(['history', '12', '-o', 'json'])).stdout), detail);
  });

  test('unknown and forgotten revisions are not found; what is no number is wrong usage and not asked for', async () => {
    for (const status of [404, 410]) {
      refuseNext(status, 'Revision 3 is not there.');
      const { code, stderr } = await cli.run(['history', '3']);
      assert.equal(code, 3);
      assert.match(stderr, /Revision 3 is not there/);
    }
    const before = cli.api.seen.length;
    for (const args of [
      ['history', 'x'],
      ['history', '--before', 'x'],
      ['diff', '-1'],
      ['diff', '1', '../2'],
      ['diff'],
      ['rollback'],
      ['rollback', 'latest', '--yes'],
    ]) {
      assert.equal((await cli.run(args)).code, 2, args.join(' '));
    }
    assert.equal(cli.api.seen.length, before);
  });
});

test('diff prints what it takes to get from one to the other', async () => {
  answerNext({ from: 7, to: 12, changes });
  const { code, stdout, stderr } = await cli.run(['diff', '7']);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'update upstream a\n  timeout_ms: 1 → 2\n  auth_value: (stored) → (changed)\ndelete key k\n');
  assert.match(stderr, /From revision 7 to 12: 1 to update, 1 to delete/);
  answerNext({ from: 7, to: 9, changes: [] });
  assert.match((await cli.run(['diff', '7', '9'])).stderr, /Revisions 7 and 9 are the same/);
  assert.deepEqual(seen(), [
    ['GET', '/admin/history/diff', { from: '7' }],
    ['GET', '/admin/history/diff', { from: '7', to: '9' }],
  ]);
  answerNext({ from: 7, to: 12, changes });
  assert.deepEqual(JSON.parse((await cli.run(['diff', '7', '-o', 'json'])).stdout), { from: 7, to: 12, changes });
  assert.equal((await cli.run(['diff', '7', '-o', 'name'])).code, 2);
});

describe('rollback', () => {
  const terminal = { terminal: { columns: 100 } };

  test('without a terminal wants --yes; then prints what was done, with warnings, and waits until it is served', async () => {
    assert.equal((await cli.run(['rollback', '7'])).code, 2);
    assert.deepEqual(seen(), []);
    rollbackAnswer({ warnings: [{ field: 'keys.old', message: 'was revoked since and stays so' }] });
    const { code, stdout, stderr } = await cli.run(['rollback', '7', '--yes', '--keep-keys', '--expect-revision', '12']);
    assert.equal(code, 0, stderr);
    assert.deepEqual(seen(), [['POST', '/admin/history/7/rollback', { keep_keys: 'true', expect_revision: '12' }]]);
    assert.equal(stdout, 'updated upstream a\n  timeout_ms: 1 → 2\n  auth_value: (stored) → (changed)\ndeleted key k\n');
    assert.match(stderr, /keys\.old: was revoked since and stays so/);
    assert.match(stderr, /Back at revision 7: 1 updated, 1 deleted; this is revision 13/);
    assert.deepEqual(cli.awaited, [13]);
  });

  test('a dry run asks nothing and waits for nothing', async () => {
    rollbackAnswer({ dry_run: true, revision: 12 });
    const { code, stdout, stderr } = await cli.run(['rollback', '7', '--dry-run']);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^update upstream a\n/);
    assert.match(stderr, /Dry run on revision 12: 1 to update, 1 to delete\. Nothing was changed/);
    assert.deepEqual([seen(), cli.awaited], [[['POST', '/admin/history/7/rollback', { dry_run: 'true' }]], []]);
  });

  test('on a terminal shows what would change and asks; what was agreed to is all that is done', async () => {
    const warnings = [{ field: 'keys.old', message: 'stays' }];
    rollbackAnswer({ dry_run: true, revision: 12, warnings });
    rollbackAnswer({ warnings: [...warnings, { field: 'upstreams.a', message: 'leads nowhere' }] });
    const { code, stdout, stderr } = await cli.run(['rollback', '7'], { ...terminal, stdin: ['y\n'] });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /update upstream a\n {2}timeout_ms: 1 → 2\n.*delete key k\n/s);
    assert.match(stderr, /Go back to revision 7: 1 to update, 1 to delete\? The API key is then gone for good\. \[y\/N\]/);
    assert.equal(stderr.split('keys.old: stays').length, 2, 'once');
    assert.match(stderr, /leads nowhere.*Back at revision 7/s);
    assert.equal(stdout, '');
    assert.deepEqual(
      seen().map(([, , query]) => query),
      [{ dry_run: 'true' }, { expect_revision: '12' }],
    );
  });

  test('on a terminal no is no, and nothing to do is not asked about', async () => {
    rollbackAnswer({ dry_run: true });
    const refused = await cli.run(['rollback', '7'], { ...terminal, stdin: ['\n'] });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /nothing was changed/);
    rollbackAnswer({ dry_run: true, changes: [] });
    const same = await cli.run(['rollback', '7'], { ...terminal, stdin: [] });
    assert.equal(same.code, 0, same.stderr);
    assert.match(same.stderr, /No changes: everything is as it was at revision 7/);
    assert.equal(cli.api.seen.length, 2);
  });

  test('what stands in the way is told line by line, with the exit code of a conflict', async () => {
    refuseNext(409, 'Revision 7 cannot come back.', [{ field: 'upstreams.a.base_url', message: 'leads to the gateway' }]);
    const { code, stderr } = await cli.run(['rollback', '7', '--yes']);
    assert.equal(code, 5);
    assert.match(stderr, /Revision 7 cannot come back.*upstreams\.a\.base_url.*leads to the gateway/s);
  });

  test('-o json is the whole result, -o name what was changed', async () => {
    rollbackAnswer();
    assert.deepEqual((JSON.parse((await cli.run(['rollback', '7', '--yes', '-o', 'json'])).stdout) as RollbackResult).changes, changes);
    rollbackAnswer();
    assert.equal((await cli.run(['rollback', '7', '--yes', '-o', 'name'])).stdout, 'upstream/a\nkey/k\n');
  });
});
