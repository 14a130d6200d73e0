import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { mustRun, run, unlessInstalled, type RunOptions, type RunResult } from '../support/foreign-program.ts';
import { freePort } from '../support/free-port.ts';
import { machineEnvironment } from '../support/machine-node.ts';

const repository = resolve(import.meta.dirname, '../..');
const env = machineEnvironment();
const triedNext = /Try next:\s+(curl .*)$/m;
const skip = unlessInstalled('git', 'npm', 'curl') || (existsSync(join(repository, '.git')) ? false : 'not a git checkout');

// What is committed is tested, with the machine's own Node.js and npm, as a newcomer has it.
suite('a fresh clone', { skip }, () => {
  let scratch: string;
  let clone: string;
  let port: number;
  let outOfReach: string | undefined;
  const inClone = (command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
    run(command, args, { cwd: clone, env, timeout: 180_000, ...options });

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'apigate-clone-'));
    clone = join(scratch, 'apigate');
    port = await freePort();
    await mustRun('git', ['clone', '-q', repository, clone], { env });
  });

  after(() => rm(scratch, { recursive: true, force: true }));

  test('the CLI says what to run before anything is installed', async () => {
    const early = await inClone('npx', ['apigate', 'version']);
    assert.equal(early.code, 1);
    assert.match(early.stderr, /^apigate: this checkout was never set up\. Run "npm run setup"/m);
  });

  test('npm start -- --demo installs what is missing, and the curl that it prints works', async (context) => {
    const gateway = new Terminal(clone, ['start', '--', '--demo', '--port', String(port)]);
    context.after(() => gateway.stop('SIGTERM'));
    await eventually(
      () => gateway.ended || triedNext.test(gateway.output),
      () => `a curl to try\n${gateway.output}`,
      180_000,
    );
    if (gateway.ended && gateway.output.includes('The npm registry is out of reach')) {
      outOfReach = 'the npm registry is out of reach';
      return context.skip(outOfReach);
    }
    assert.ok(!gateway.ended, gateway.output);
    const command = triedNext.exec(gateway.output)?.[1] ?? '';
    const answer = await inClone('sh', ['-c', `${command} -sS -w '\\n%{http_code}'`]);
    assert.match(answer.stdout, /\n200$/, `${command}\n${answer.stdout}\n${answer.stderr}`);
    assert.equal(await gateway.stop('SIGTERM'), 0);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`), 'the gateway went with npm');
  });

  test('a second start takes seconds, and leaves no database behind when it was a demo', async (context) => {
    if (outOfReach !== undefined) return context.skip(outOfReach);
    const started = performance.now();
    const gateway = new Terminal(clone, ['start', '--', '--demo', '--port', String(port)]);
    context.after(() => gateway.stop('SIGTERM'));
    await eventually(
      () => gateway.ended || triedNext.test(gateway.output),
      () => `a curl to try\n${gateway.output}`,
      30_000,
    );
    assert.ok(!gateway.ended, gateway.output);
    const seconds = (performance.now() - started) / 1000;
    assert.ok(seconds < 10, `${seconds} s`);
    assert.doesNotMatch(gateway.output, /apigate set-up/);
    assert.equal(await gateway.stop('SIGINT'), 0);
    assert.equal((await inClone('git', ['status', '--porcelain'])).stdout, '');
    assert.ok(!existsSync(join(clone, 'apigate.db')));
  });

  test('npx apigate runs the CLI on the right Node.js', async (context) => {
    if (outOfReach !== undefined) return context.skip(outOfReach);
    const version = await inClone('npx', ['apigate', 'version']);
    assert.equal(version.code, 0, version.stderr);
    assert.match(version.stdout, /\d+\.\d+\.\d+/);
    const usage = await inClone('npx', ['apigate', 'no-such-command']);
    assert.equal(usage.code, 2, 'the exit code comes through');
  });

  test('npm test runs a test that is named', async (context) => {
    if (outOfReach !== undefined) return context.skip(outOfReach);
    const tested = await inClone('npm', ['test', '--', 'scripts/check-borders.test.ts']);
    assert.equal(tested.code, 0, tested.stdout + tested.stderr);
    assert.match(tested.stdout, /^ℹ fail 0$/m);
  });
});

/** npm run by a user who watches it: all it prints, and signals sent to npm alone. */
class Terminal {
  output = '';
  ended = false;
  readonly #npm: ChildProcess;
  readonly #exit: Promise<number | string>;

  constructor(folder: string, args: readonly string[]) {
    this.#npm = spawn('npm', args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#npm.stdout, this.#npm.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.#exit = new Promise((done) => {
      this.#npm.once('exit', (code, signal) => {
        this.ended = true;
        done(code ?? signal ?? 'unknown');
      });
    });
  }

  stop(signal: NodeJS.Signals): Promise<number | string> {
    this.#npm.kill(signal);
    return this.#exit;
  }
}
