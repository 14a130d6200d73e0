import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { foreignProgram } from '../../test/support/foreign-program.ts';
import { processTree } from './processor-time.ts';

/** A program under way, pinned to its cores. It is ended with everything it started, however this process ends. */
export class Program {
  readonly name: string;
  readonly child: ChildProcess;
  readonly #errors: string;
  readonly #exited: Promise<void>;

  constructor(name: string, child: ChildProcess, errors: string) {
    this.name = name;
    this.child = child;
    this.#errors = errors;
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    void this.#exited.then(() => under.delete(this));
    under.add(this);
  }

  get pid(): number {
    return this.child.pid!;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined;
  }

  /** What it complained of. */
  get errors(): string {
    return readFileSync(this.#errors, 'utf8').trim().slice(-2_000);
  }

  /** Asks it to end; insists after three seconds. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const tree = processTree(this.pid);
    this.child.kill('SIGTERM');
    const late = setTimeout(() => kill(tree), 3_000);
    await this.#exited;
    clearTimeout(late);
    kill(tree.slice(1));
  }

  kill(): void {
    if (!this.hasEnded) kill(processTree(this.pid));
  }
}

export interface StartOptions {
  /** In taskset's words: `0`, `0-1`. */
  readonly cores: string;
  readonly cwd?: string;
  /** The whole environment beside PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
}

const under = new Set<Program>();
const directories = new Set<string>();

/** Starts `program`; standard output goes nowhere, standard error into a file. */
export function start(program: string, args: readonly string[], options: StartOptions): Program {
  const errors = join(temporaryDirectory(), 'stderr');
  const file = openSync(errors, 'w');
  const child = spawn('taskset', ['-c', options.cores, foreignProgram(program) ?? program, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'ignore', file],
  });
  closeSync(file);
  return new Program(program, child, errors);
}

/** Runs a program to its end and answers its standard output. Throws with what it wrote when it fails. */
export async function output(program: string, args: readonly string[], options: StartOptions): Promise<string> {
  const child = spawn('taskset', ['-c', options.cores, foreignProgram(program) ?? program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const errors = join(temporaryDirectory(), 'unused');
  const tracked = new Program(program, child, errors);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${tracked.name} ended with ${String(code)}: ${stderr}${stdout}`.slice(0, 2_000));
  return stdout;
}

/** Removed when this process ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'apigate-bench-'));
  directories.add(directory);
  return directory;
}

/** Moves this process, and what it starts without saying otherwise, to these cores. */
export function pinSelf(cores: string): void {
  const result = spawnSync('taskset', ['-a', '-cp', cores, String(process.pid)], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`taskset: ${result.stderr}`);
}

/** Ends everything and removes the files, at once; for the end of this process, whatever its cause. */
export function cleanUp(): void {
  for (const program of under) program.kill();
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
}

function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}
