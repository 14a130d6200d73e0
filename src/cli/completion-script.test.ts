import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { CliFixture } from './cli-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'apigate-completion-'));
after(() => rmSync(folder, { recursive: true }));

async function script(shell: string): Promise<string> {
  const { code, stdout, stderr } = await new CliFixture().run(['completion', shell]);
  assert.equal(code, 0, stderr);
  const path = join(folder, shell);
  writeFileSync(path, stdout);
  return path;
}

function available(shell: string): boolean {
  return spawnSync(shell, ['-c', 'true']).status === 0;
}

/** What bash offers after these words, the last of them being typed. */
function offered(path: string, words: readonly string[]): string[] {
  const program = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _apigate; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', program, 'bash', path, ...words], { encoding: 'utf8', cwd: folder });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout.trim() === '' ? [] : stdout.trim().split('\n');
}

describe('completion bash', { skip: !available('bash') && 'bash is not installed' }, () => {
  it('is a valid script', async () => {
    const { status, stderr } = spawnSync('bash', ['-n', await script('bash')], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  });

  it('offers commands, flags and values where they belong', async () => {
    const path = await script('bash');
    for (const [words, expected] of [
      [['apigate', 'up'], ['upstreams']],
      [
        ['apigate', 'upstreams', ''],
        ['create', 'list', 'get', 'update', 'enable', 'disable', 'delete', 'test', 'health'],
      ],
      [['apigate', 'keys', 're'], ['revoke']],
      [['apigate', 'rollb'], ['rollback']],
      [['apigate', 'expl'], ['explain']],
      [['apigate', 'explain', '--cl'], ['--client']],
      [['apigate', 'rollback', '--k'], ['--keep-keys']],
      [['apigate', 'upstreams', 'create', '--auth-t'], ['--auth-type']],
      [
        ['apigate', 'upstreams', 'create', '--auth-type', ''],
        ['none', 'bearer', 'header', 'basic'],
      ],
      [['apigate', '-o', 'json', 'routes', 'cr'], ['create']],
      [['apigate', 'routes', 'list', '--output', 'y'], ['yaml']],
      [
        ['apigate', 'completion', ''],
        ['bash', 'zsh', 'fish'],
      ],
      [['apigate', 'serve', '--tls-c'], ['--tls-cert']],
      [['apigate', 'serve', '--tls-cert', 'ba'], ['bash']],
      [['apigate', 'upstreams', 'create', '--name', ''], []],
      [['apigate', 'upstreams', 'create', '--no-preserve-host', '--nam'], ['--name']],
    ] as const) {
      assert.deepEqual(offered(path, words), expected, words.join(' '));
    }
  });
});

for (const shell of ['zsh', 'fish']) {
  it(`completion ${shell} is a valid script`, { skip: !available(shell) && `${shell} is not installed` }, async () => {
    const { status, stderr } = spawnSync(shell, ['-n', await script(shell)], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  });
}

it('every script knows every command', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await new CliFixture().run(['completion', shell]);
    for (const path of [
      'serve',
      'upstreams create',
      'routes update',
      'keys revoke',
      'tokens create',
      'admins delete',
      'settings show',
      'version',
      'completion',
    ]) {
      assert.ok(stdout.includes(`'${path}'`), `${shell}: ${path}`);
    }
  }
});
