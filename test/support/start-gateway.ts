import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AdminClient } from './admin-client.ts';
import { freePort } from './free-port.ts';
import { eventually } from './eventually.ts';

const repository = resolve(import.meta.dirname, '../..');
/** What is run; APIGATE_TEST_ENTRY puts an emitted build in its place. */
export const entry = process.env['APIGATE_TEST_ENTRY'] ?? join(repository, 'src/main/apigate.ts');

export interface GatewayOptions {
  /** Everything that no other route takes goes there, without an API key. */
  readonly upstream?: string;
  /** Data-plane threads; 1 when not given, since most guarantees are easier to see on one. */
  readonly workers?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  /** Makes a first admin at the start, so that `admin` can sign in. */
  readonly admin?: boolean;
  /** A directory of an earlier gateway, to start again on its database. */
  readonly directory?: string;
  readonly port?: number;
  /** Files of a certificate and its key: an HTTPS listener stands beside the HTTP one. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Cap on open file descriptors. */
  readonly openFiles?: number;
  /** Goes before the command, to run it otherwise: with other rights, with its output elsewhere. */
  readonly prefix?: readonly string[];
  /** How long the start may take. */
  readonly startTimeoutMs?: number;
}

/** One line of the access log; fields beyond these stand in it too. */
export interface AccessRecord {
  readonly request_id: string;
  readonly outcome: string;
  readonly method?: string;
  readonly path?: string;
  readonly status?: number;
  readonly [field: string]: unknown;
}

export const adminEmail = 'conformance@example.test';
export const adminPassword = 'a-long-Canary-passphrase-93';

/** A gateway run as its users run it: a process of its own, a port, a database file, log lines on stdout. */
export class Gateway {
  readonly process: ChildProcess;
  readonly port: number;
  /** 0 without an HTTPS listener. */
  readonly tlsPort: number;
  readonly directory: string;
  readonly admin: AdminClient;
  readonly lines: Record<string, unknown>[] = [];
  readonly otherOutput: string[] = [];
  stderr = '';
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  exit: number | string | undefined;
  readonly #ownsDirectory: boolean;

  constructor(child: ChildProcess, port: number, tlsPort: number, directory: string, ownsDirectory: boolean) {
    this.process = child;
    this.port = port;
    this.tlsPort = tlsPort;
    this.directory = directory;
    this.#ownsDirectory = ownsDirectory;
    this.admin = new AdminClient(port, adminEmail, adminPassword);
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#line(line);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exited = new Promise((done) => {
      child.once('exit', (code, signal) => {
        this.exit = code ?? signal ?? 'unknown';
        done(this.exit);
      });
    });
  }

  #line(line: string): void {
    try {
      this.lines.push(JSON.parse(line) as Record<string, unknown>);
    } catch {
      if (line !== '') this.otherOutput.push(line);
    }
  }

  get pid(): number {
    return this.process.pid!;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Every access record so far. */
  get records(): AccessRecord[] {
    return this.lines.filter((line): line is AccessRecord => typeof line['outcome'] === 'string' && typeof line['request_id'] === 'string');
  }

  /** Waits for the one record that fits, and answers it. */
  async record(fits: (record: AccessRecord) => boolean, timeoutMs = 10_000): Promise<AccessRecord> {
    await eventually(
      () => this.records.some(fits),
      () => `an access record; the last are ${JSON.stringify(this.records.slice(-3))}`,
      timeoutMs,
    );
    const found = this.records.filter(fits);
    if (found.length > 1) throw new Error(`${found.length} access records where one should be: ${JSON.stringify(found)}`);
    return found[0]!;
  }

  /** Everything the process wrote, for a failing test's message and for the search for canaries. */
  get output(): string {
    return `${this.lines.map((line) => JSON.stringify(line)).join('\n')}\n${this.otherOutput.join('\n')}\n${this.stderr}`;
  }

  /** Status of GET on a path the gateway itself answers; 0 when no connection came about. */
  async status(path: string): Promise<number> {
    return await new Promise((done) => {
      const request = http.get({ host: '127.0.0.1', port: this.port, path, agent: false, timeout: 2_000 }, (response) => {
        response.resume().once('end', () => done(response.statusCode ?? 0));
      });
      request.once('error', () => done(0)).once('timeout', () => request.destroy());
    });
  }

  /** Sends SIGTERM and answers the exit code; kills what does not end in time. */
  async stop(timeoutMs = 10_000): Promise<number | string> {
    if (this.exit === undefined) {
      this.process.kill('SIGTERM');
      const late = setTimeout(() => this.process.kill('SIGKILL'), timeoutMs);
      await this.exited;
      clearTimeout(late);
    }
    if (this.#ownsDirectory) await rm(this.directory, { recursive: true, force: true });
    return this.exit!;
  }
}

/** Starts the gateway and waits until it is ready. Throws with its output when it exits before. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const gateway = await launchGateway(options);
  try {
    await eventually(
      async () =>
        // The banner comes when every worker listens; one of them alone answers on /readyz before.
        gateway.exit !== undefined || (/ is ready on /.test(gateway.stderr) && (await gateway.status('/readyz')) === 200),
      () => `readiness of the gateway\n${gateway.output}`,
      options.startTimeoutMs ?? 60_000,
    );
  } catch (error) {
    gateway.process.kill('SIGKILL');
    throw error;
  }
  if (gateway.exit !== undefined) throw new Error(`the gateway exited with ${gateway.exit} at its start:\n${gateway.output}`);
  return gateway;
}

/** Starts the process without waiting for anything. */
export async function launchGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'apigate-test-')));
  const port = options.port ?? (await freePort());
  const flags = [
    'serve',
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--database',
    join(directory, 'apigate.db'),
    '--workers',
    String(options.workers ?? 1),
  ];
  if (options.upstream !== undefined) flags.push('--upstream', options.upstream, '--public');
  const tlsPort = options.tls === undefined ? 0 : await freePort();
  if (options.tls !== undefined) flags.push('--tls-cert', options.tls.cert, '--tls-key', options.tls.key, '--tls-port', String(tlsPort));
  const command = [process.execPath, entry, ...flags, ...(options.flags ?? [])];
  if (options.openFiles !== undefined) command.unshift('sh', '-c', `ulimit -n ${options.openFiles} && exec "$0" "$@"`);
  command.unshift(...dyingWithParent(), ...(options.prefix ?? []));
  const child = spawn(command[0]!, command.slice(1), {
    cwd: directory,
    env: gatewayEnvironment({
      ...(options.admin === true ? { APIGATE_ADMIN_EMAIL: adminEmail, APIGATE_ADMIN_PASSWORD: adminPassword } : {}),
      ...options.env,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Gateway(child, port, tlsPort, directory, options.directory === undefined);
}

let withParent: readonly string[] | undefined;

/**
 * Goes before a command that is to be killed when this process ends, however it does (Linux, util-linux): tests that are
 * killed leave no gateway behind.
 */
export function dyingWithParent(): readonly string[] {
  const prefix = ['setpriv', '--pdeathsig', 'KILL'];
  withParent ??= spawnSync(prefix[0]!, [...prefix.slice(1), 'true']).status === 0 ? prefix : [];
  return withParent;
}

/** Nothing of the tester's own APIGATE_* or NODE_* settings reaches the gateway. */
function gatewayEnvironment(extra: Readonly<Record<string, string>>): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', NO_COLOR: '1', ...extra };
}
