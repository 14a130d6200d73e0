import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const scratch = fs.mkdtempSync(join(tmpdir(), 'apigate-setup-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
const canBringNode = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');
const needsBroughtNode = { skip: canBringNode ? false : 'Node.js is brought on Linux only' };
const nodePackage = `node-${process.platform}-${process.arch}`;

test('a first run installs everything, the next one nothing', needsBroughtNode, async () => {
  const checkout = new Checkout();
  assert.equal((await checkout.setUp()).code, 0);
  assert.deepEqual(checkout.npmCalls().sort(), ['.', 'tools/node']);
  assert.equal(fs.readFileSync(join(checkout.folder, 'node_modules/.bin/node'), 'utf8'), broughtNode);
  const second = await checkout.setUp();
  assert.deepEqual([second.code, second.output], [0, '']);
  assert.equal(checkout.npmCalls().length, 2);
});

test('a changed lockfile is installed again and the brought Node.js is linked again', needsBroughtNode, async () => {
  const checkout = new Checkout();
  await checkout.setUp();
  checkout.write('package-lock.json', '{"changed": true}');
  assert.equal((await checkout.setUp()).code, 0);
  assert.deepEqual(checkout.npmCalls().slice(2), ['.']);
  assert.ok(fs.existsSync(join(checkout.folder, 'node_modules/.bin/node')));
});

test('a Node.js that is new enough is used as it is', async () => {
  const checkout = new Checkout({ engines: '>=24.0.0' });
  assert.equal((await checkout.setUp()).code, 0);
  assert.deepEqual(checkout.npmCalls(), ['.']);
  assert.ok(!fs.existsSync(join(checkout.folder, 'node_modules/.bin/node')));
});

test('two set-ups at once install once', needsBroughtNode, async () => {
  const checkout = new Checkout();
  const runs = await Promise.all([checkout.setUp(), checkout.setUp(), checkout.setUp()]);
  assert.deepEqual(
    runs.map((run) => run.code),
    [0, 0, 0],
  );
  assert.deepEqual(checkout.npmCalls().sort(), ['.', 'tools/node']);
  assert.ok(runs.some((run) => run.output.includes('another set-up of this checkout is running')));
});

test('a set-up that was killed is repaired by the next one, after its npm has ended', needsBroughtNode, async () => {
  const checkout = new Checkout();
  const killed = checkout.start({ FAKE_NPM: 'wait' });
  await checkout.npmCallCount(2);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  const next = checkout.start();
  const nextEnd = endOf(next);
  await outputWith(next, 'another set-up of this checkout is running');
  assert.equal(checkout.npmCalls().length, 2, 'the orphaned npm still writes, so nothing new is started');
  checkout.write('release', '');
  assert.equal((await nextEnd).code, 0);
  assert.equal(checkout.npmCalls().length, 4);
  assert.deepEqual(checkout.locks(), []);
});

test('SIGTERM ends npm, leaves no lock and says how to go on', needsBroughtNode, async () => {
  const checkout = new Checkout();
  const child = checkout.start({ FAKE_NPM: 'wait' });
  const end = endOf(child);
  await checkout.npmCallCount(2);
  child.kill('SIGTERM');
  const { code, output } = await end;
  assert.equal(code, 143);
  assert.match(output, /stopped by SIGTERM; run the same command again/);
  assert.deepEqual(checkout.locks(), []);
});

test('a lock that an ended process left is taken over', async () => {
  const checkout = new Checkout({ engines: '>=24.0.0' });
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'exit');
  const { hostname } = await import('node:os');
  checkout.write('.apigate-setup.lock', JSON.stringify({ host: hostname(), pids: [gone.pid] }));
  assert.equal((await checkout.setUp()).code, 0);
  assert.deepEqual(checkout.locks(), []);
});

test('an unreachable registry is named with what to do, and nothing counts as installed', needsBroughtNode, async () => {
  const checkout = new Checkout();
  const failed = await checkout.setUp({ FAKE_NPM: 'no-network' });
  assert.equal(failed.code, 1);
  assert.match(failed.output, /ENOTFOUND/);
  assert.match(failed.output, /The npm registry is out of reach/);
  assert.match(failed.output, /HTTPS_PROXY/);
  assert.deepEqual(checkout.locks(), []);
  assert.equal((await checkout.setUp()).code, 0);
});

test('a Node.js that npm silently left out is an error', needsBroughtNode, async () => {
  const checkout = new Checkout();
  const failed = await checkout.setUp({ FAKE_NPM: 'no-node' });
  assert.equal(failed.code, 1);
  assert.match(failed.output, new RegExp(`could not get Node.js 99\\.1\\.0 \\(${nodePackage}\\)`));
});

test('a brought Node.js that does not run here is an error that says what it needs', needsBroughtNode, async () => {
  const failed = await new Checkout().setUp({ FAKE_NPM: 'broken-node' });
  assert.equal(failed.code, 1);
  assert.match(failed.output, /does not run here .*glibc/);
});

test('a folder with a lockfile of its own is installed when asked for, once, and nothing else is', async () => {
  const checkout = new Checkout();
  fs.mkdirSync(join(checkout.folder, 'test/peers'), { recursive: true });
  checkout.write('test/peers/package-lock.json', '{}');
  const runs = await Promise.all([checkout.setUp({}, 'test/peers'), checkout.setUp({}, 'test/peers')]);
  assert.deepEqual(
    runs.map((run) => run.code),
    [0, 0],
  );
  assert.deepEqual(checkout.npmCalls(), ['test/peers']);
  checkout.write('test/peers/package-lock.json', '{"changed": true}');
  assert.equal((await checkout.setUp({}, 'test/peers')).code, 0);
  assert.deepEqual(checkout.npmCalls(), ['test/peers', 'test/peers']);
  assert.deepEqual(checkout.locks(), []);
  const wrong = await checkout.setUp({}, 'test/pears');
  assert.equal(wrong.code, 1);
  assert.match(wrong.output, /"test\/pears" has no package-lock\.json/);
});

test('the UI is built at first, and again only when its sources or the lockfile changed', async () => {
  const checkout = new Checkout({ engines: '>=24.0.0' });
  fs.mkdirSync(join(checkout.folder, 'ui/src'), { recursive: true });
  checkout.write('ui/package.json', '{}');
  checkout.write('ui/page.ts', 'one');
  const builds = (): number => fs.readFileSync(join(checkout.folder, 'builds'), 'utf8').length;
  const first = await checkout.setUp();
  assert.equal(first.code, 0, first.output);
  assert.match(first.output, /built the admin UI/);
  assert.deepEqual(await checkout.setUp(), { code: 0, output: '' });
  assert.equal(builds(), 1);
  checkout.write('ui/src/new.ts', 'two');
  assert.equal((await checkout.setUp()).code, 0);
  assert.equal(builds(), 2);
  checkout.write('package-lock.json', '{"changed": true}');
  assert.equal((await checkout.setUp()).code, 0);
  assert.equal(builds(), 3);

  checkout.write('ui/page.ts', 'broken');
  const failed = await checkout.setUp();
  assert.equal(failed.code, 1);
  assert.match(failed.output, /the admin UI could not be built[^]*page\.ts: unexpected token/);
  assert.deepEqual(checkout.locks(), []);
  checkout.write('ui/page.ts', 'mended');
  assert.equal((await checkout.setUp()).code, 0);
  assert.deepEqual(await checkout.setUp(), { code: 0, output: '' });
});

test('a missing npm is named', async () => {
  const failed = await new Checkout({ engines: '>=24.0.0' }).setUp({ npm_execpath: '', PATH: scratch });
  assert.equal(failed.code, 1);
  assert.match(failed.output, /npm is not installed, or not on the PATH/);
});

test('a checkout that cannot be written to is named', { skip: process.getuid?.() === 0 ? 'root may write anywhere' : false }, async () => {
  const checkout = new Checkout({ engines: '>=24.0.0' });
  fs.chmodSync(checkout.folder, 0o555);
  const failed = await checkout.setUp();
  fs.chmodSync(checkout.folder, 0o755);
  assert.equal(failed.code, 1);
  assert.match(failed.output, /cannot write to .*EACCES/);
});

const broughtNode = '#!/bin/sh\necho v99.1.0\n';

/** Stands in for the builder of the UI: fails where the sources say so. */
const fakeVite = `
const fs = require('node:fs');
fs.appendFileSync('../builds', '+');
if (fs.readFileSync('page.ts', 'utf8').includes('broken')) { console.error('page.ts: unexpected token'); process.exit(1); }
fs.rmSync('dist', { recursive: true, force: true });
fs.mkdirSync('dist');
fs.writeFileSync('dist/index.html', 'built');
`;

/** Stands in for npm: `ci` empties node_modules and fills it as a real one would, and writes down where it was called. */
const fakeNpm = `
const fs = require('node:fs'), path = require('node:path');
const root = path.dirname(__filename);
const folder = path.relative(root, process.cwd()) || '.';
fs.appendFileSync(path.join(root, 'calls'), folder + '\\n');
const mode = process.env.FAKE_NPM;
if (mode === 'no-network') {
  console.error('npm error code ENOTFOUND\\nnpm error network request to http://registry.invalid/zod failed');
  process.exit(1);
}
fs.rmSync('node_modules', { recursive: true, force: true });
fs.mkdirSync('node_modules/.bin', { recursive: true });
if (mode === 'wait') {
  const timer = setInterval(() => { if (fs.existsSync(path.join(root, 'release'))) { clearInterval(timer); fill(); } }, 20);
} else fill();
function fill() {
  if (folder === '.') {
    fs.mkdirSync('node_modules/vite/bin', { recursive: true });
    fs.writeFileSync('node_modules/vite/bin/vite.js', ${JSON.stringify(fakeVite)});
  }
  if (folder === '.' || mode === 'no-node') return;
  fs.mkdirSync('node_modules/${nodePackage}/bin', { recursive: true });
  fs.writeFileSync('node_modules/${nodePackage}/bin/node', mode === 'broken-node' ? '#!/no/such/loader\\n' : ${JSON.stringify(broughtNode)}, { mode: 0o755 });
}
`;

class Checkout {
  readonly folder = fs.mkdtempSync(join(scratch, 'checkout-'));

  constructor({ engines = '>=99.0.0' } = {}) {
    fs.mkdirSync(join(this.folder, 'scripts'));
    for (const name of ['setup.mjs', 'setup-lock.mjs'])
      fs.copyFileSync(join(import.meta.dirname, name), join(this.folder, 'scripts', name));
    this.write('package.json', JSON.stringify({ engines: { node: engines } }));
    this.write('package-lock.json', '{}');
    fs.mkdirSync(join(this.folder, 'tools/node'), { recursive: true });
    this.write('tools/node/package.json', JSON.stringify({ optionalDependencies: { [nodePackage]: '99.1.0' } }));
    this.write('tools/node/package-lock.json', '{}');
    this.write('npm-cli.js', fakeNpm);
  }

  write(file: string, text: string): void {
    fs.writeFileSync(join(this.folder, file), text);
  }

  start(env: NodeJS.ProcessEnv = {}, ...folders: string[]): ChildProcess {
    return spawn(process.execPath, ['scripts/setup.mjs', ...folders], {
      cwd: this.folder,
      env: { ...process.env, npm_execpath: join(this.folder, 'npm-cli.js'), ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }

  setUp(env: NodeJS.ProcessEnv = {}, ...folders: string[]): Promise<{ code: number | null; output: string }> {
    return endOf(this.start(env, ...folders));
  }

  npmCalls(): string[] {
    try {
      return fs.readFileSync(join(this.folder, 'calls'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  }

  async npmCallCount(count: number): Promise<void> {
    while (this.npmCalls().length < count) await new Promise((wake) => setTimeout(wake, 10));
  }

  locks(): string[] {
    return fs.readdirSync(this.folder).filter((name) => name.startsWith('.apigate-setup'));
  }
}

async function endOf(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => void (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

async function outputWith(child: ChildProcess, part: string): Promise<void> {
  for (let seen = ''; !seen.includes(part);) {
    const [text] = (await once(child.stderr!, 'data')) as [string];
    seen += text;
  }
}
