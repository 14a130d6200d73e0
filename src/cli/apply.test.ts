import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { ApplyResult } from '../model/declared-config.ts';
import { CliFixture, type CallOptions, type CallResult } from './cli-fixture.ts';

let directory: string;
let cli: CliFixture;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'apigate-apply-'));
  await writeFile(
    join(directory, 'one.yaml'),
    'upstreams:\n  - name: a\n    base_url: http://a\nroutes:\n  - name: r\n    path_pattern: /\n    upstream: a\n',
  );
  await mkdir(join(directory, 'conf/inner.yaml'), { recursive: true });
  await mkdir(join(directory, 'empty'));
  await writeFile(join(directory, 'conf/20.yml'), 'keys: [{name: second}]');
  await writeFile(join(directory, 'conf/10.json'), '{"keys": [{"name": "first"}]}');
  await writeFile(join(directory, 'conf/.hidden.yaml'), 'keys: [{name: hidden}]');
  await writeFile(join(directory, 'conf/notes.txt'), 'nothing');
  await symlink(join(directory, 'one.yaml'), join(directory, 'conf/30.yaml'));
});
after(() => rm(directory, { recursive: true, force: true }));
beforeEach(() => {
  cli = new CliFixture();
});

async function apply(args: readonly string[], options: CallOptions = {}): Promise<CallResult> {
  return await cli.run(['apply', ...args], { cwd: directory, ...options });
}

function result(fields: Partial<ApplyResult> = {}): ApplyResult {
  return {
    dry_run: false,
    revision: 4,
    changes: [],
    unchanged: 0,
    warnings: [],
    created_keys: [],
    traffic: null,
    traffic_note: null,
    ...fields,
  };
}

function answerNext(fields: Partial<ApplyResult>): void {
  const body = result(fields);
  cli.api.answerNext(() => Response.json(body, { headers: body.dry_run ? {} : { 'x-apigate-revision': String(body.revision) } }));
}

function refuseNext(status: number, errors: readonly { field: string; message: string }[]): void {
  const body = {
    type: 'about:blank',
    title: 'Validation failed',
    status,
    detail: 'Some fields are not valid.',
    code: 'x',
    request_id: 'r',
    errors,
  };
  cli.api.answerNext(() => Response.json(body, { status, headers: { 'content-type': 'application/problem+json' } }));
}

const changes: ApplyResult['changes'] = [
  { action: 'create', type: 'upstream', name: 'a', fields: { base_url: { to: 'http://a' } } },
  { action: 'update', type: 'route', name: 'r', fields: { description: { from: '', to: 'x' }, methods: { from: [], to: ['GET'] } } },
  { action: 'delete', type: 'key', name: 'old\u001b[31m', fields: {} },
];

describe('apply', () => {
  test('sends all documents as one, prints what changed and waits until it is served', async () => {
    answerNext({
      changes,
      unchanged: 2,
      warnings: [{ field: 'routes.0', message: 'surprising' }],
      created_keys: [{ name: 'k', key: 'ak_1' }],
    });
    const { code, stdout, stderr } = await apply(['-f', 'one.yaml', '-f', 'conf/20.yml']);
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      cli.api.seen.map(({ method, path, query }) => [method, path, query]),
      [['POST', '/admin/apply', {}]],
    );
    assert.deepEqual(cli.api.firstBody, {
      upstreams: [{ name: 'a', base_url: 'http://a' }],
      routes: [{ name: 'r', path_pattern: '/', upstream: 'a' }],
      keys: [{ name: 'second' }],
    });
    assert.equal(
      stdout,
      'created upstream a\n  base_url: http://a\nupdated route r\n  description: "" → x\n  methods: [] → ["GET"]\ndeleted key old\\u001b[31m\nAPI key k: ak_1\n',
    );
    assert.match(stderr, /Warning: one\.yaml:5: routes\[0\]: surprising/);
    assert.match(stderr, /never shown again/);
    assert.match(stderr, /1 created, 1 updated, 1 deleted, 2 unchanged: revision 4\./);
    assert.deepEqual(cli.awaited, [4]);
  });

  test('a dry run says what would be, and waits for nothing', async () => {
    answerNext({ dry_run: true, changes });
    const { code, stdout, stderr } = await apply(['-f', 'one.yaml', '--dry-run', '--prune']);
    assert.equal(code, 0, stderr);
    assert.deepEqual(cli.api.seen[0]?.query, { dry_run: 'true', prune: 'true' });
    assert.match(stdout, /^create upstream a\n.*\ndelete key old/s);
    assert.match(stderr, /1 to create, 1 to update, 1 to delete, 0 unchanged. Nothing was changed/);
    assert.deepEqual(cli.awaited, []);
  });

  test('-o json is the whole answer, and -o name would lose keys', async () => {
    answerNext({ changes });
    assert.deepEqual(JSON.parse((await apply(['-f', 'one.yaml', '-o', 'json'])).stdout), result({ changes }));
    assert.equal((await apply(['-f', 'one.yaml', '-o', 'name'])).code, 2);
    answerNext({ dry_run: true, changes });
    assert.match((await apply(['-f', 'one.yaml', '-o', 'name', '--dry-run'])).stdout, /^upstream\/a\nroute\/r\nkey\/old/);
  });

  test('no changes are told as such', async () => {
    answerNext({ unchanged: 2 });
    assert.match((await apply(['-f', '-'], { stdin: 'keys: []' })).stderr, /No changes: everything is so already \(revision 4\)/);
    assert.deepEqual(cli.api.firstBody, { keys: [] });
  });

  test('a directory is all its YAML and JSON files in order of name, links included, directories and hidden files not', async () => {
    answerNext({});
    assert.equal((await apply(['-f', 'conf'])).code, 0);
    assert.deepEqual(cli.api.firstBody['keys'], [{ name: 'first' }, { name: 'second' }]);
    assert.deepEqual(Object.keys(cli.api.firstBody).toSorted(), ['keys', 'routes', 'upstreams']);
  });

  test('every error is told at once with file and line, also those that the API finds, and it is exit code 2', async () => {
    await writeFile(join(directory, 'bad.yaml'), 'route: []\nroutes:\n  - name: r\n    path_pattern: /\n    upstream: nowhere\n');
    refuseNext(422, [
      { field: 'routes.0.upstream', message: 'is neither the id nor the name of an upstream' },
      { field: 'routes.1.nam', message: 'is not a known field' },
    ]);
    await writeFile(join(directory, 'worse.yaml'), 'routes:\n- nam: x\n');
    const { code, stdout, stderr } = await apply(['-f', 'bad.yaml', '-f', 'worse.yaml']);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.equal(
      stderr,
      `Error: 3 problems, nothing was changed:
  bad.yaml:1: route: is not a known field; did you mean routes?
  bad.yaml:5: routes[0].upstream: is neither the id nor the name of an upstream
  worse.yaml:2: routes[0].nam: is not a known field
`,
    );
    assert.deepEqual(
      cli.api.seen.map(({ query }) => query),
      [{ dry_run: 'true' }],
    );
  });

  test('what cannot be read at all never reaches the API', async () => {
    const wrong: readonly (readonly [args: string[], told: RegExp, stdin?: string])[] = [
      [[], /--file is missing/],
      [['-f', 'nowhere.yaml'], /--file nowhere\.yaml: ENOENT/],
      [['-f', 'empty'], /empty holds no \.yaml/],
      [['-f', '-'], /standard input: declares nothing/, ''],
      [['-f', '-'], /standard input:1: is not valid YAML/, 'a: ['],
      [['-f', '-'], /more than 10 MiB/, ' '.repeat(10 * 1024 * 1024 + 1)],
      [['-f', '/dev/zero'], /more than 10 MiB/],
    ];
    for (const [args, told, stdin] of wrong) {
      const { code, stderr } = await apply(args, stdin === undefined ? {} : { stdin });
      assert.equal(code, 2, stderr);
      assert.match(stderr, told);
    }
    await writeFile(join(directory, 'latin1.yaml'), Buffer.from('keys: [{name: \xe9}]', 'latin1'));
    assert.match((await apply(['-f', 'latin1.yaml'])).stderr, /latin1\.yaml is not UTF-8/);
    assert.deepEqual(cli.api.seen, []);
  });

  test('a revision that is not there any more is a conflict', async () => {
    refuseNext(412, []);
    assert.equal((await apply(['-f', 'one.yaml', '--expect-revision', '3'])).code, 5);
    assert.deepEqual(cli.api.seen[0]?.query, { expect_revision: '3' });
  });
});

describe('apply --prune', () => {
  const terminal = { terminal: { columns: 100 } };

  test('without a terminal and --yes is refused before anything is sent; so is standard input', async () => {
    for (const args of [
      ['-f', 'one.yaml', '--prune'],
      ['-f', '-', '--prune'],
    ]) {
      const { code, stderr } = await apply(args, args[1] === '-' ? terminal : {});
      assert.equal(code, 2);
      assert.match(stderr, /--prune removes objects, and there is no terminal to ask on/);
    }
    assert.deepEqual(cli.api.seen, []);
  });

  test('asks with what would go, and does just what was agreed to', async () => {
    answerNext({ dry_run: true, revision: 7, changes });
    answerNext({ revision: 8, changes });
    const { code, stderr } = await apply(['-f', 'one.yaml', '--prune'], { ...terminal, stdin: ['y\n'] });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /delete key old.*Delete this object and apply the rest\? \[y\/N\]/s);
    assert.deepEqual(
      cli.api.seen.map(({ query }) => query),
      [
        { prune: 'true', dry_run: 'true' },
        { prune: 'true', expect_revision: '7' },
      ],
    );
  });

  test('changes nothing when the answer is no, and asks nothing when nothing would go', async () => {
    answerNext({ dry_run: true, changes });
    const refused = await apply(['-f', 'one.yaml', '--prune'], { ...terminal, stdin: ['\n'] });
    assert.equal(refused.code, 1);
    assert.equal(cli.api.seen.length, 1);
    answerNext({ dry_run: true, changes: changes.slice(0, 2) });
    answerNext({});
    assert.equal((await apply(['-f', 'one.yaml', '--prune'], { ...terminal, stdin: [] })).code, 0);
  });

  test('with --yes it is one request', async () => {
    answerNext({});
    assert.equal((await apply(['-f', 'one.yaml', '--prune', '--yes'])).code, 0);
    assert.deepEqual(
      cli.api.seen.map(({ query }) => query),
      [{ prune: 'true' }],
    );
  });
});

describe('export', () => {
  const config = {
    version: 1,
    upstreams: [
      { name: 'a', base_url: 'http://a', auth_type: 'bearer' },
      { name: 'b', base_url: 'http://b', auth_type: 'bearer', auth_value: '${env.B}' },
    ],
    routes: [{ name: 'on', path_pattern: '/', headers: [{ name: 'X', value: '\u0085' }], upstream: 'a' }],
    keys: [],
  };

  test('is YAML by itself and with -o yaml, JSON with -o json, both read back as they were', async () => {
    for (const [args, read] of [
      [[], 'yaml'],
      [['-o', 'yaml'], 'yaml'],
      [['-o', 'json'], 'json'],
    ] as const) {
      cli.api.answerNext(() => Response.json(config, { headers: { 'x-apigate-warnings': '["left out"]' } }));
      const { code, stdout, stderr } = await cli.run(['export', ...args]);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /Warning: left out/);
      const { parse } = await import('yaml');
      assert.deepEqual(read === 'json' ? JSON.parse(stdout) : parse(stdout, { version: '1.1' }), config);
      if (read === 'yaml')
        assert.match(stdout, /auth_type: bearer # auth_value is stored and not exported; apply keeps it\n {2}- name: b\n/);
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(stdout, /[\u007f-\u009f]/);
    }
    assert.equal((await cli.run(['export', '-o', 'name'])).code, 2);
  });
});
