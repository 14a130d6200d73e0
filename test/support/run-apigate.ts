import { resolve } from 'node:path';
import { run, type RunResult } from './foreign-program.ts';
import { entry, type Gateway } from './start-gateway.ts';

const launcher = resolve(import.meta.dirname, '../../bin/apigate.mjs');

export interface ApigateOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What standard input holds; it is never a terminal. */
  readonly input?: string;
}

/** Runs the `apigate` command as a user does, through its launcher. None of the tester's own settings reach it. */
export async function runApigate(args: readonly string[], options: ApigateOptions = {}): Promise<RunResult> {
  return await run(process.execPath, [commandFile, ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? {} : { input: options.input }),
    env: plainEnvironment(options.env ?? {}),
  });
}

/** The file that the `apigate` command is; an emitted build has no launcher of its own. */
export const commandFile = process.env['APIGATE_TEST_ENTRY'] === undefined ? launcher : entry;

/** Lets the CLI find a gateway's database without a flag. */
export function localEnvironment(gateway: Gateway): Record<string, string> {
  return {
    APIGATE_DATABASE_DSN: `${gateway.directory}/apigate.db`,
    APIGATE_SERVER_HOST: '127.0.0.1',
    APIGATE_SERVER_PORT: String(gateway.port),
  };
}

/** Lets the CLI speak REST to a running gateway without a flag. */
export function remoteEnvironment(gateway: Gateway, token: string): Record<string, string> {
  return { APIGATE_SERVER: gateway.url, APIGATE_TOKEN: token };
}

export function plainEnvironment(extra: Readonly<Record<string, string>>): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', NO_COLOR: '1', ...extra };
}
