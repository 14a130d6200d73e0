import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, suite, test } from 'node:test';
import { run } from '../support/foreign-program.ts';

const launcher = resolve(import.meta.dirname, '../../bin/apigate.mjs');
const scratch = await mkdtemp(join(tmpdir(), 'apigate-launcher-'));
const oldNode = /^v(1[89]|20|21|22\.[0-9]\.)/.test((await run('/usr/bin/node', ['--version'])).stdout) ? '/usr/bin/node' : undefined;
after(() => rm(scratch, { recursive: true, force: true }));

/** Stands in for the gateway: says who it is and what it got, then does as it is told. */
const main = `
const [command, value] = process.argv.slice(2);
if (command === 'exit') process.exitCode = Number(value);
if (command === 'echo') process.stdin.pipe(process.stderr);
if (command === 'wait') {
  setInterval(() => undefined, 1000);
  if (value !== undefined) process.on(value, () => process.exit(77));
}
const report: object = { version: process.version, pid: process.pid, args: process.argv.slice(2) };
process.stdout.write(JSON.stringify(report) + '\\n');
`;

// On a Node.js that is new enough, on one that can be replaced by the brought one (execve), and on one that cannot.
for (const [name, node, engines] of [
  ['the running Node.js', process.execPath, '>=24.0.0'],
  ['the brought Node.js, from a newer one', process.execPath, '>=99.0.0'],
  ['the brought Node.js, from an old one', oldNode, '>=24.0.0'],
] as const) {
  suite(`apigate on ${name}`, { skip: node === undefined && 'the machine has no older Node.js' }, () => {
    test('passes arguments, streams and the exit code', async () => {
      const checkout = await makeCheckout(engines);
      const exit = await run(node!, [checkout, 'exit', '6', '--', 'ä b']);
      assert.equal(exit.code, 6);
      assert.equal(exit.stderr, '');
      assert.deepEqual([parsed(exit.stdout).version, parsed(exit.stdout).args], [process.version, ['exit', '6', '--', 'ä b']]);
      const echo = await run(node!, [checkout, 'echo'], { input: 'through\n' });
      assert.equal(echo.stderr, 'through\n');
    });

    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const) {
      test(`passes ${signal}`, async () => {
        const child = spawn(node!, [await makeCheckout(engines), 'wait', signal], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
        await firstReport(child);
        child.kill(signal);
        assert.deepEqual(await once(child, 'exit'), [77, null]);
      });
    }

    test('ends by the signal that ended the gateway', async () => {
      const child = spawn(node!, [await makeCheckout(engines), 'wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
      const { pid } = await firstReport(child);
      process.kill(pid, 'SIGKILL');
      assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
    });

    test('is one process where Node.js allows it', { skip: node === oldNode && 'an old Node.js cannot be replaced' }, async () => {
      const child = spawn(node!, [await makeCheckout(engines), 'wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
      assert.equal((await firstReport(child)).pid, child.pid);
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
  });
}

test('before the set-up it says what to run', async () => {
  const early = await run(process.execPath, [await makeCheckout('>=24.0.0', false), 'version']);
  assert.equal(early.code, 1);
  assert.match(early.stderr, /^apigate: this checkout was never set up\. Run "npm run setup"/);
});

test('a link to it, as npm makes for a package’s command, works', async () => {
  const link = join(await mkdtemp(join(scratch, 'bin-')), 'apigate');
  await symlink(await makeCheckout('>=24.0.0'), link);
  assert.equal(
    (await run(link, ['exit', '3'], { env: { ...process.env, PATH: `${resolve(process.execPath, '..')}:${process.env['PATH']}` } })).code,
    3,
  );
});

async function makeCheckout(engines: string, isSetUp = true): Promise<string> {
  const folder = await mkdtemp(join(scratch, 'checkout-'));
  for (const path of ['bin', 'src/main', 'node_modules/.bin']) await mkdir(join(folder, path), { recursive: true });
  await copyFile(launcher, join(folder, 'bin/apigate.mjs'));
  await chmod(join(folder, 'bin/apigate.mjs'), 0o755);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', engines: { node: engines } }));
  await writeFile(join(folder, 'src/main/apigate.ts'), main);
  await symlink(process.execPath, join(folder, 'node_modules/.bin/node'));
  if (isSetUp) await writeFile(join(folder, 'node_modules/.apigate-setup'), '');
  return join(folder, 'bin/apigate.mjs');
}

interface Report {
  readonly version: string;
  readonly pid: number;
  readonly args: readonly string[];
}

function parsed(text: string): Report {
  return JSON.parse(text) as Report;
}

async function firstReport(child: ChildProcess): Promise<Report> {
  const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  return parsed(line);
}
