import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where programs are looked for: servers of Debian lie in /usr/sbin, which users do not have on their PATH. */
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'];

/** The full path of a program nobody here wrote, or undefined where it is not installed. */
export function foreignProgram(name: string): string | undefined {
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** For a test's `skip` option: the reason why it cannot run here, or false. */
export function unlessInstalled(...names: string[]): string | false {
  const missing = names.filter((name) => foreignProgram(name) === undefined);
  return missing.length > 0 && `not installed here: ${missing.join(', ')}`;
}

export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment; the tester's own when not given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds; one minute when not given. */
  readonly timeout?: number;
  readonly input?: string;
}

export interface RunResult {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and answers what it wrote, whatever its exit code. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = execFile(
      foreignProgram(program) ?? program,
      args,
      { cwd: options.cwd, env: options.env ?? process.env, timeout: options.timeout ?? 60_000, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? 'unknown'), stdout, stderr }),
    );
    // A program may end without reading.
    child.stdin?.on('error', () => undefined).end(options.input ?? '');
  });
}

/** As `run`, for a program that must end with 0. */
export async function mustRun(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await run(program, args, options);
  if (result.code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${result.code}:\n${result.stdout}\n${result.stderr}`);
  return result;
}
