import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { CliFixture } from './cli-fixture.ts';
import { cutToWidth, displayWidth } from './output/display-width.ts';
import { formatTable, type Column } from './output/format-table.ts';

const hostile = 'evil\u001b]0;owned\u0007\u009b31m\n\u202e';
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

describe('-o', () => {
  it('json and yaml print the object as the API gave it', async () => {
    const cli = new CliFixture();
    const row = cli.api.add('upstreams', { name: 'x', description: '日本 "q" \u001b[1m\u009b', tls_ca: 'a\nb\n' });
    const json = await cli.run(['upstreams', 'get', 'x', '-o', 'json']);
    assert.deepEqual(JSON.parse(json.stdout), row);
    const yaml = await cli.run(['upstreams', 'get', 'x', '--output', 'yaml']);
    assert.deepEqual(parse(yaml.stdout), row);
    assert.doesNotMatch(json.stdout + yaml.stdout, controls);
  });

  it('json prints a list as an array, whole', async () => {
    const cli = new CliFixture();
    cli.api.pageSize = 1;
    const rows = ['a', 'b', 'c'].map((name) => cli.api.add('tokens', { name }));
    assert.deepEqual(JSON.parse((await cli.run(['tokens', 'list', '-o', 'json'])).stdout), rows);
  });

  it('name prints names, or e-mail addresses of admins, one on a line', async () => {
    const cli = new CliFixture();
    cli.api.add('admins', { email: 'a@example.com' });
    cli.api.add('admins', { email: 'b@example.com' });
    assert.equal((await cli.run(['admins', 'list', '-o', 'name'])).stdout, 'a@example.com\nb@example.com\n');
    assert.equal((await cli.run(['upstreams', 'create', '--name', 'n', '--url', 'http://b', '-o', 'name'])).stdout, 'n\n');
  });

  it('stands before or after the command, the later winning', async () => {
    const cli = new CliFixture();
    for (const argv of [
      ['-o', 'json', 'keys', 'list'],
      ['keys', '-ojson', 'list'],
      ['keys', 'list', '-o=json'.replace('=', '')],
      ['-o', 'yaml', 'keys', 'list', '--output=json'],
    ]) {
      assert.equal((await cli.run(argv)).stdout, '[]\n', argv.join(' '));
    }
  });
});

describe('tables', () => {
  it('show what a server answers in the place of numbers, times and keys, too, and let it command no terminal', async () => {
    const escape = '\u001b]0;title\u0007\u009b2J\r';
    const row = { revision: 1, at: null, actor: null, counts: { create: 0, update: 0, delete: 0 }, changes: [], rollback_to: null };
    const answers: [string[], object][] = [
      [['keys', 'create', '--name', 'n'], { id: escape, name: 'n', key: `ak_${escape}`, expires_at: escape, routes: [] }],
      [['diff', '1', '2'], { from: escape, to: escape, changes: [] }],
      [['rollback', '1', '--dry-run'], { dry_run: true, rollback_to: escape, revision: escape, changes: [], warnings: [] }],
      [['history'], { data: [row], total: escape, next_cursor: escape }],
    ];
    for (const [argv, body] of answers) {
      const cli = new CliFixture();
      await using api = cli.api;
      const server = await api.listen();
      api.answerNext(() => Response.json(body));
      const { stdout, stderr } = await cli.run([...argv, '--server', server], {
        env: { APIGATE_TOKEN: 'agt_1' },
        terminal: { columns: 200 },
      });
      assert.match(stdout + stderr, /title/, argv.join(' '));
      // Colours are ours.
      assert.doesNotMatch((stdout + stderr).replaceAll(/\u001b\[\d+m/g, ''), controls, argv.join(' '));
    }
  });

  it('make escape sequences and line breaks in names visible', async () => {
    const cli = new CliFixture();
    cli.api.add('upstreams', { name: hostile, base_url: 'http://b' });
    for (const argv of [
      ['upstreams', 'list'],
      ['upstreams', 'list', '-o', 'name'],
      ['upstreams', 'get', hostile],
    ]) {
      const { stdout } = await cli.run(argv, { terminal: { columns: 200 }, env: { NO_COLOR: '1' } });
      assert.ok(stdout.includes('evil\\u001b]0;owned\\u0007\\u009b31m\\n\\u202e'), stdout);
      assert.doesNotMatch(stdout, controls);
    }
    const deleted = await cli.run(['upstreams', 'delete', hostile]);
    assert.doesNotMatch(deleted.stderr, controls);
  });

  it('are coloured on a terminal only, and not against NO_COLOR, --no-color or TERM=dumb', async () => {
    const cli = new CliFixture();
    cli.api.add('upstreams', { name: 'x' });
    const list = ['upstreams', 'list'];
    const terminal = { columns: 120 };
    const escape = String.fromCodePoint(27);
    assert.ok((await cli.run(list, { terminal })).stdout.includes(escape));
    assert.ok((await cli.run(list, { terminal, env: { NO_COLOR: '' } })).stdout.includes(escape));
    for (const [argv, options] of [
      [list, {}],
      [[...list, '--no-color'], { terminal }],
      [['--no-color', ...list], { terminal }],
      [list, { terminal, env: { NO_COLOR: '1' } }],
      [list, { terminal, env: { TERM: 'dumb' } }],
    ] as const) {
      assert.ok(!(await cli.run(argv, options)).stdout.includes(escape), argv.join(' '));
    }
  });

  it('fit the terminal by cutting what may be cut, and are whole elsewhere', async () => {
    const cli = new CliFixture();
    const name = 'n'.repeat(60);
    cli.api.add('upstreams', { name, base_url: `https://${'h'.repeat(60)}.example` });
    const cut = (await cli.run(['upstreams', 'list', '--no-color'], { terminal: { columns: 100 } })).stdout;
    for (const line of cut.trimEnd().split('\n')) assert.ok(displayWidth(line) <= 100, line);
    assert.match(cut, /n+… {2}https:\/\/h+…/);
    assert.match(cut, /up_\d{16}$/m, 'ids stay whole');
    assert.ok((await cli.run(['upstreams', 'list'])).stdout.includes(name));
    assert.ok(
      (await cli.run(['upstreams', 'list'], { terminal: { columns: 0 } })).stdout.includes(name),
      'a terminal that does not know its size',
    );
  });

  it('show a PEM by its first line', async () => {
    const cli = new CliFixture();
    cli.api.add('upstreams', { name: 'x', tls_ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' });
    assert.match((await cli.run(['upstreams', 'get', 'x'])).stdout, /^tls_ca +-----BEGIN CERTIFICATE----- … \(3 lines\)$/m);
  });

  it('align whatever the script, and never pass the width that can be kept', () => {
    const columns: readonly Column<readonly [string, string]>[] = [
      { title: 'A', text: ([a]) => a, shrinks: true },
      { title: 'B', text: ([, b]) => b, align: 'right', shrinks: true },
      { title: 'C', text: () => '|' },
    ];
    const plain = (_name: string, text: string): string => text;
    const cell = fc.string({ unit: fc.constantFrom('a', 'é', '日', '👩‍👩‍👧', '\u001b', '\n', 'e\u0301'), maxLength: 30 });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 5 }), fc.integer({ min: 24, max: 90 }), (rows, width) => {
        const lines = formatTable(columns, rows, width, plain).split('\n').slice(0, -1);
        assert.equal(lines.length, rows.length + 1);
        const widths = new Set(lines.map(displayWidth));
        assert.equal(widths.size, 1, 'all lines end at the same place');
        assert.ok(Math.max(...widths) <= width);
      }),
      { numRuns: 200 },
    );
  });
});

describe('display width', () => {
  it('counts what a terminal counts', () => {
    for (const [text, width] of [
      ['', 0],
      ['abc', 3],
      ['日本', 4],
      ['é', 1],
      ['e\u0301', 1],
      ['👩‍👩‍👧', 2],
      ['ｆ', 2],
      ['한', 2],
      ['…', 1],
    ] as const) {
      assert.equal(displayWidth(text), width, text);
    }
  });

  it('cuts between characters as people see them', () => {
    assert.equal(cutToWidth('日本語', 5), '日本…');
    assert.equal(cutToWidth('日本語', 4), '日…');
    assert.equal(cutToWidth('👩‍👩‍👧👩‍👩‍👧', 3), '👩‍👩‍👧…');
    assert.equal(cutToWidth('abc', 3), 'abc');
  });
});
