import { EventEmitter } from 'node:events';
import type { Settings } from '../settings/settings.ts';
import type { CliInput, CliOutput, CliPorts, LocalFiles, ServeOptions } from './cli-ports.ts';
import { runCli } from './run-cli.ts';
import { StandInAdminApi } from './stand-in-admin-api.ts';

export interface CallOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What standard input holds. On a terminal: what is typed, each string one after the other. */
  readonly stdin?: string | readonly string[];
  /** Whether stdin, stdout and stderr are a terminal; its width in columns. */
  readonly terminal?: { readonly columns: number };
  readonly waitUntilServed?: 'served' | 'no-gateway' | 'timeout' | Error;
  /** Thrown instead of opening the local database. */
  readonly openError?: Error;
  readonly local?: Partial<LocalFiles>;
  readonly diagnose?: CliPorts['diagnose'];
  readonly serve?: (settings: Settings, options: ServeOptions) => Promise<number>;
}

export interface CallResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** For tests: runs the CLI in this process against a stand-in for the admin API. */
export class CliFixture {
  readonly api = new StandInAdminApi();
  /** Settings of each local database that was opened. */
  readonly opened: Settings[] = [];
  /** Revisions that were waited for. */
  readonly awaited: number[] = [];
  closed = 0;

  async run(argv: readonly string[], options: CallOptions = {}): Promise<CallResult> {
    const stdout = new Captured(options.terminal?.columns);
    const stderr = new Captured(options.terminal?.columns);
    const ports: CliPorts = {
      stdin: new TypedInput(options.stdin ?? [], options.terminal !== undefined, (raw) => stderr.write(raw ? '<echo off>' : '<echo on>')),
      stdout,
      stderr,
      env: options.env ?? {},
      cwd: options.cwd ?? '/nowhere',
      version: '1.2.3',
      serve: options.serve ?? (() => Promise.reject(new Error('serve was not expected'))),
      local: {
        secretKeyStatus: () => Promise.reject(new Error('the state of the key was not expected to be asked for')),
        rotateSecretKey: () => Promise.reject(new Error('a rotation was not expected')),
        backUp: () => Promise.reject(new Error('a backup was not expected')),
        ...options.local,
      },
      diagnose: options.diagnose ?? (() => assertNoDoctor()),
      openLocalAdmin: (settings) => {
        if (options.openError !== undefined) return Promise.reject(options.openError);
        this.opened.push(settings);
        return Promise.resolve({
          fetch: (request: Request) => this.api.fetch(request),
          waitUntilServed: (revision: number) => {
            this.awaited.push(revision);
            const outcome = options.waitUntilServed ?? 'no-gateway';
            return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
          },
          close: () => {
            this.closed += 1;
            return Promise.resolve();
          },
        });
      },
    };
    const code = await runCli(argv, ports);
    return { code, stdout: stdout.text, stderr: stderr.text };
  }
}

function assertNoDoctor(): never {
  throw new Error('the doctor was not expected');
}

/** The words of a command line as a POSIX shell splits it: quotes, and backslash at the end of a line. */
export function shellWords(line: string): string[] {
  const words = line.replaceAll('\\\n', ' ').matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g);
  return [...words].map(([word]) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'));
}

class Captured implements CliOutput {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(columns: number | undefined) {
    this.isTTY = columns !== undefined;
    this.columns = columns ?? 80;
  }

  write(text: string): void {
    this.text += text;
  }
}

/** Hands over what is typed only to whom listens, as a terminal does. */
class TypedInput extends EventEmitter implements CliInput {
  readonly isTTY: boolean;
  private flowing = false;
  private readonly chunks: string[];
  private readonly onRawMode: (raw: boolean) => void;

  constructor(typed: string | readonly string[], terminal: boolean, onRawMode: (raw: boolean) => void) {
    super();
    this.onRawMode = onRawMode;
    this.chunks = typeof typed === 'string' ? [typed] : [...typed];
    this.isTTY = terminal;
  }

  /** What was typed in raw mode is not echoed; a terminal echoes the rest. */
  setRawMode(raw: boolean): void {
    this.onRawMode(raw);
  }

  resume(): void {
    this.flowing = true;
    setImmediate(() => this.flow());
  }

  pause(): void {
    this.flowing = false;
  }

  private flow(): void {
    while (this.flowing) {
      const chunk = this.chunks.shift();
      if (chunk === undefined) {
        this.flowing = false;
        this.emit('end');
      } else {
        this.emit('data', Buffer.from(chunk));
        // Whoever has heard enough stops listening a tick later.
        setImmediate(() => this.flow());
        return;
      }
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    yield* this.chunks;
  }
}
