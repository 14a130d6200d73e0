import type { DoctorFinding } from '../model/doctor-finding.ts';
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

  /** Runs the gateway until it is told to stop; resolves with the process's exit code. */
  serve(settings: Settings, options: ServeOptions): Promise<number>;

  /** Looks at everything that a gateway with these settings needs; null where they cannot be read. Changes nothing. */
  diagnose(settings: Settings | null): AsyncIterable<DoctorFinding>;

  /**
   * Opens the admin app in this process on the local database, with full authority.
   * Rejects (GatewayError or a system error with a readable message) where there is no database, or not the right key.
   */
  openLocalAdmin(settings: Settings): Promise<LocalAdmin>;

  /** What only whoever may read the database's files can do. */
  readonly local: LocalFiles;
}

/** Work on the files of a local database. Rejects as `openLocalAdmin` does. */
export interface LocalFiles {
  secretKeyStatus(settings: Settings): Promise<SecretKeyReport>;
  rotateSecretKey(settings: Settings, options: RotateOptions): Promise<RotationReport>;
  /** Writes a copy of the database to a path; resolves with what is told of it. */
  backUp(settings: Settings, path: string, options: { readonly overwrite: boolean }): Promise<BackupReport>;
}

export interface SecretKeyReport {
  readonly current: string | null;
  readonly rotation: { readonly from: string; readonly to: string } | null;
  readonly source: string;
  readonly keys: readonly {
    readonly id: string;
    readonly held: boolean;
    readonly held_by_gateway: boolean | null;
    readonly values: number;
  }[];
  readonly damaged: number;
}

export interface RotateOptions {
  /** The new key as text; one is made when it is left out and the key lies in the key file. */
  readonly newKey?: string;
  /** Full path of a new file for the old key. */
  readonly oldKeyFile?: string;
}

export interface RotationReport {
  readonly from: string;
  readonly to: string;
  readonly resumed: boolean;
  readonly resealed: number;
  readonly unreadable: readonly { readonly table: string; readonly id: string; readonly reason: string }[];
  /** Where the operator is to put the new key; undefined when it is in the key file. */
  readonly keySource: string | undefined;
}

export interface BackupReport {
  readonly path: string;
  readonly bytes: number;
  readonly revision: number;
  /** The key that the secrets in it are sealed with; null when it has none yet. */
  readonly key_id: string | null;
  /** Where that key is, which is not in the backup. */
  readonly key_source: string;
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
