import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { mustRun, run, unlessInstalled } from '../support/foreign-program.ts';
import { freePort } from '../support/free-port.ts';
import { machineEnvironment } from '../support/machine-node.ts';

const repository = resolve(import.meta.dirname, '../..');
const oldNode = /^v(1\d|2[0-2])\./.test((await run('/usr/bin/node', ['--version'])).stdout) ? '/usr/bin/node' : undefined;

suite('the package as it is published', { skip: unlessInstalled('npm', 'tar') }, () => {
  let scratch: string;
  let installed: string;
  let command: string;

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'apigate-package-'));
    installed = join(scratch, 'node_modules', 'apigate');
    command = join(installed, 'bin', 'apigate.mjs');
    await mustRun('npm', ['pack', '--pack-destination', scratch], { cwd: repository, timeout: 120_000 });
    const tarball = (await readdir(scratch)).find((name) => name.endsWith('.tgz'))!;
    await mkdir(installed, { recursive: true });
    await mustRun('tar', ['-xzf', join(scratch, tarball), '--strip-components=1', '-C', installed]);
    await linkDependencies(scratch);
  });

  after(() => rm(scratch, { recursive: true, force: true }));

  test('holds what runs, and nothing else', async () => {
    const top = (await readdir(installed)).sort();
    assert.deepEqual(top, ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'package.json', 'ui']);
    const built = await readdir(join(installed, 'ui'), { recursive: true });
    assert.ok(built.includes(join('dist', 'index.html')), 'the admin UI is built');
    assert.ok(built.every((name) => name.startsWith('dist')) && !built.some((name) => name.includes('.apigate-setup')), built.join(' '));
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
    assert.deepEqual(
      Object.keys(manifest.dependencies).filter((name) => /react|mantine|tanstack|uplot|vite/.test(name)),
      [],
      'what the UI is made of is built in',
    );
    const emitted = await readdir(join(installed, 'dist'), { recursive: true });
    assert.ok(emitted.includes(join('main', 'apigate.js')));
    assert.deepEqual(
      emitted.filter((name) => /\.test\.js$|\.ts$/.test(name)),
      [],
    );
  });

  test('says its version', async () => {
    const { version } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as { version: string };
    const { stdout } = await mustRun(process.execPath, [command, 'version'], { cwd: scratch });
    assert.ok(stdout.includes(version), stdout);
  });

  test('serves, with workers, and stops on SIGTERM', async (context) => {
    const port = await freePort();
    const gateway = spawn(process.execPath, [command, 'serve', '--demo', '--host', '127.0.0.1', '--port', String(port), '--workers', '2'], {
      cwd: scratch,
      env: machineEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    context.after(() => gateway.kill('SIGKILL'));
    const exit = once(gateway, 'exit');
    let output = '';
    for (const stream of [gateway.stdout, gateway.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const tryNext = /Try next:\s+curl (\S+)$/m;
    await eventually(
      () => gateway.exitCode !== null || tryNext.test(output),
      () => output,
      20_000,
    );
    const url = tryNext.exec(output)?.[1];
    assert.ok(url !== undefined, output);
    assert.equal((await fetch(url)).status, 200);
    assert.match(await (await fetch(new URL('/ui/', url))).text(), /<script type="module"/);
    gateway.kill('SIGTERM');
    assert.deepEqual(await exit, [0, null], output);
  });

  test('says what it needs on an older Node.js', { skip: oldNode === undefined && 'the machine has no older Node.js' }, async () => {
    const old = await run(oldNode!, [command, 'version'], { cwd: scratch });
    assert.equal(old.code, 1);
    assert.match(old.stderr, /APIGate needs Node\.js \d+\.\d+\.\d+ or newer; this is v/);
  });
});

/** As `npm install` of the tarball would, but with what the checkout has, and only what the package asks for. */
async function linkDependencies(folder: string): Promise<void> {
  const { stdout } = await mustRun('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: repository });
  for (const path of stdout.trim().split('\n').slice(1)) {
    const link = join(folder, relative(repository, path));
    if (relative(repository, path).split('node_modules').length > 2) continue;
    await mkdir(dirname(link), { recursive: true });
    await symlink(path, link);
  }
}
