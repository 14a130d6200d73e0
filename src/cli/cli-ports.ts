import type { Settings } from '../settings/settings.ts';

/** What the CLI needs of the process around it; main fills it, tests fill it with fakes. */
export interface CliPorts {
  readonly stdin: CliInput;
  readonly stdout: CliOutput;
  readonly stderr: CliOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The version of APIGate, as in package.json. */
  readonly version: string;

  /**
   * The handler is called when a command that would go on for ever shall end: at Ctrl-C, and when nobody reads standard output
   * any more. Answers with how to take it back. Without it such a command ends with the process.
   */
  onInterrupt?(handler: () => void): () => void;

  /** Runs the gateway until it is told to stop; resolves with the process's exit code. */
  serve(settings: Settings, options: ServeOptions): Promise<number>;

  /**
   * Opens the admin app in this process on the local database, with full authority.
   * Rejects (GatewayError or a system error with a readable message) where there is no database, or not the right key.
   */
  openLocalAdmin(settings: Settings): Promise<LocalAdmin>;
}

export interface ServeOptions {
  /** Also start a small built-in upstream with a public route, on a temporary database. */
  readonly demo: boolean;
}

/** The same handlers that answer REST, in this process. */
export interface LocalAdmin {
  /** Where the gateway that runs on this database takes traffic; left out when none runs. */
  readonly trafficUrl?: string;
  /** Requests are for `http://localhost/admin/…` and carry no credential. */
  fetch(request: Request): Promise<Response>;
  /** Waits up to 2 s until a running gateway serves at least `revision`. */
  waitUntilServed(revision: number): Promise<'served' | 'no-gateway' | 'timeout'>;
  close(): Promise<void>;
}

/** `process.stdin` fits. */
export interface CliInput extends AsyncIterable<Uint8Array | string> {
  readonly isTTY?: boolean;
  /** Only on terminals: hand over every key as it is pressed, without echo. */
  setRawMode?(raw: boolean): unknown;
  on(event: 'data', listener: (chunk: Uint8Array | string) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  off(event: 'data', listener: (chunk: Uint8Array | string) => void): unknown;
  off(event: 'end', listener: () => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** `process.stdout` and `process.stderr` fit. */
export interface CliOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Width of the terminal in columns. */
  readonly columns?: number;
}
