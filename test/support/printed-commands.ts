import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, type RunResult } from './foreign-program.ts';
import { commandFile, plainEnvironment } from './run-apigate.ts';

/**
 * Runs commands of a documentation page in a shell, letter by letter as they are printed: `apigate` is the command of
 * this checkout, and curl finds `http://localhost:8080` at the gateway's port because its settings file says so.
 */
export class PrintedCommands {
  readonly #home: string;
  readonly #port: number;

  /** @param home an empty directory for the stand-ins */
  static async prepare(home: string, port: number): Promise<PrintedCommands> {
    await mkdir(join(home, 'bin'), { recursive: true });
    const script = join(home, 'bin', 'apigate');
    await writeFile(script, `#!/bin/sh\nexec "${process.execPath}" "${commandFile}" "$@"\n`);
    await chmod(script, 0o755);
    return new PrintedCommands(home, port);
  }

  private constructor(home: string, port: number) {
    this.#home = home;
    this.#port = port;
  }

  /** A command of the CLI. `env` says which gateway it is about. */
  async apigate(text: string, env: Readonly<Record<string, string>>): Promise<RunResult> {
    if (!text.startsWith('apigate ')) throw new Error(`not a command of the CLI: ${text}`);
    const path = `${join(this.#home, 'bin')}:${process.env['PATH'] ?? ''}`;
    return await run('sh', ['-euc', text], { cwd: this.#home, env: { ...plainEnvironment(env), PATH: path, HOME: this.#home } });
  }

  /** A curl command. `cookie` is added where the page shows none. */
  async curl(text: string, cookie?: string): Promise<CurlAnswer> {
    if (!text.startsWith('curl ')) throw new Error(`not a curl command: ${text}`);
    const settings = ['silent', 'show-error', 'include', 'max-time = 20', `connect-to = "localhost:8080:127.0.0.1:${this.#port}"`];
    if (cookie !== undefined) settings.push(`header = "Cookie: ${cookie}"`);
    const home = join(this.#home, cookie === undefined ? 'curl' : 'curl-session');
    await mkdir(home, { recursive: true });
    await writeFile(join(home, '.curlrc'), `${settings.join('\n')}\n`);
    const result = await run('sh', ['-euc', text], { cwd: home, env: { ...plainEnvironment({}), HOME: home, CURL_HOME: home } });
    if (result.code !== 0) throw new Error(`${text} ended with ${result.code}: ${result.stderr}`);
    return readAnswer(result.stdout);
  }
}

export interface CurlAnswer {
  readonly status: number;
  /** As sent, `Name: value`. */
  readonly fields: readonly string[];
  readonly text: string;
  field(name: string): string | undefined;
  json(): Record<string, unknown>;
}

/** What `curl --include` prints: the head, an empty line, the body. */
function readAnswer(output: string): CurlAnswer {
  const end = output.indexOf('\r\n\r\n');
  const [line = '', ...fields] = output.slice(0, end).split('\r\n');
  const text = output.slice(end + 4);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]),
    fields,
    text,
    field: (name) => fields.find((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}: `))?.slice(name.length + 2),
    json: () => JSON.parse(text) as Record<string, unknown>,
  };
}
