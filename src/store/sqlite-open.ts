import { accessSync, closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../errors/gateway-error.ts';
import { examineLog } from './examine-log.ts';
import { isServingLockTaken } from './serving-lock.ts';
import { isBusy, isDamage, isSqliteError } from './sqlite-errors.ts';
import { lockWaitLimit, waitForLock } from './wait-for-lock.ts';

export interface OpenOptions {
  readonly path: string;
  /** Whether a missing file is made. Only `serve` does: a command with a mistyped path must not leave a database there. */
  readonly create: boolean;
  /** To look only: nothing is written, made or removed, also not by SQLite itself. Writing then fails. */
  readonly readOnly?: boolean;
  /** How long a transaction waits for another process's lock, in milliseconds; 5 s when not given. */
  readonly lockWait?: number;
  /** Told what deserves the operator's attention and does not hinder opening. */
  readonly warn?: (message: string) => void;
}

/** Connections to one file, so that reading never waits for a writer, and reading little not for reading much. */
export interface OpenedFile {
  readonly path: string;
  readonly writer: DatabaseSync;
  readonly reader: DatabaseSync;
  readonly longReader: DatabaseSync;
  /** Throws `storage_unavailable` when the path leads to another file by now, or to none. */
  checkFile(): void;
}

/** 'APIG' in the file's header, so that no other program's database is taken for ours. */
export const applicationId = 0x41504947;

/**
 * Opens the file, or throws GatewayError `storage_unavailable` with one line that names the path and the
 * reason. A file that is not a sound APIGate database is left untouched.
 */
export async function openSqliteFile(options: OpenOptions): Promise<OpenedFile> {
  const path = resolve(options.path);
  const readOnly = options.readOnly === true;
  prepareFile(path, options.create, readOnly);
  // A running gateway's log is in use, and was examined when that gateway started.
  if (!isServingLockTaken(path)) await checkLog(path, options.create ? options.warn : undefined);
  const connections: DatabaseSync[] = [];
  const connect = (): DatabaseSync => {
    // `timeout` is busy_timeout: 0, because waiting inside SQLite would stop the event loop.
    const database = new DatabaseSync(readOnly ? untouched(path) : path, {
      timeout: 0,
      enableForeignKeyConstraints: true,
      defensive: true,
      readOnly,
    });
    connections.push(database);
    return database;
  };
  try {
    const deadline = performance.now() + (options.lockWait ?? lockWaitLimit);
    const writer = connect();
    await waitForLock(() => checkIdentity(writer, path, options.create), deadline);
    if (!readOnly) await waitForLock(() => writer.exec('PRAGMA journal_mode = WAL'), deadline);
    // A commit is on the disk before it is acknowledged, also through a power cut.
    writer.exec('PRAGMA synchronous = FULL');
    writer.exec('PRAGMA trusted_schema = OFF');
    // A sealed value that was replaced or removed is not to linger in the file.
    writer.exec('PRAGMA secure_delete = ON');
    // Reads the whole file, so only the gateway's start does it.
    if (options.create) await waitForLock(() => checkSoundness(writer, path), deadline);
    const [reader, longReader] = [connect(), connect()];
    for (const each of [reader, longReader]) {
      each.exec('PRAGMA query_only = ON');
      each.exec('PRAGMA trusted_schema = OFF');
      await waitForLock(() => each.prepare('SELECT count(*) FROM sqlite_schema').get(), deadline);
    }
    const { dev, ino } = statSync(path);
    return { path, writer, reader, longReader, checkFile: () => checkSameFile(path, dev, ino) };
  } catch (error) {
    for (const database of connections) database.close();
    throw openError(error, path);
  }
}

/** Marks a database that has just got its first tables as ours. Call inside the transaction that makes them. */
export function markAsOurs(database: DatabaseSync): void {
  database.exec(`PRAGMA application_id = ${applicationId}`);
}

/** An error at opening, in one line that names the file. */
export function openError(error: unknown, path: string): unknown {
  if (error instanceof GatewayError) return error;
  if (isDamage(error)) return damaged(path, error);
  if (isBusy(error)) return refusal(`The database ${path} is locked by another process.`, error);
  if (isSqliteError(error)) return refusal(`The database ${path} cannot be opened: ${error.errstr} (SQLite ${error.errcode}).`, error);
  return error;
}

/**
 * How to open a file for reading without leaving a trace. Where it has a log, somebody writes to it or wrote last, and the log must be
 * read too. Without one, SQLite would make one just for reading; "immutable" tells it that nobody is writing.
 */
function untouched(path: string): string | URL {
  if (existsSync(`${path}-wal`)) return path;
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  return url;
}

function prepareFile(path: string, create: boolean, readOnly: boolean): void {
  const directory = dirname(path);
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) {
    const parent = statSync(directory, { throwIfNoEntry: false });
    if (parent === undefined) throw refusal(`The database ${path} cannot be opened: the directory ${directory} does not exist.`);
    if (!parent.isDirectory()) throw refusal(`The database ${path} cannot be opened: ${directory} is not a directory.`);
    if (!create)
      throw refusal(
        `There is no database at ${path}. Start the gateway once ("apigate serve") to create it, or name another with --database.`,
      );
    try {
      // SQLite gives its -wal and -shm files the mode of the main file.
      closeSync(openSync(path, 'wx', 0o600));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        throw refusal(`The database ${path} cannot be created: ${reasonOf(error)}.`, error);
    }
    return;
  }
  if (!file.isFile()) throw refusal(`The database ${path} cannot be opened: it is not a regular file.`);
  try {
    accessSync(path, readOnly ? constants.R_OK : constants.R_OK | constants.W_OK);
    if (!readOnly) accessSync(directory, constants.W_OK);
  } catch (error) {
    throw refusal(
      readOnly
        ? `The database ${path} cannot be read: ${reasonOf(error)}.`
        : `The database ${path} cannot be opened for writing: ${reasonOf(error)}. The gateway needs to write the file and its directory.`,
      error,
    );
  }
}

function checkIdentity(database: DatabaseSync, path: string, create: boolean): void {
  const number = (pragma: string): number => Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] as number;
  if (number('application_id') === applicationId) return;
  if (number('page_count') > 0 && database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.['tables'] !== 0) {
    throw refusal(`The file ${path} is a database of another program, not APIGate's. It was left as it is.`);
  }
  if (!create) throw refusal(`The database ${path} is empty. Start the gateway once ("apigate serve") to set it up.`);
}

function checkSoundness(database: DatabaseSync, path: string): void {
  const found = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (found !== 'ok') throw damaged(path, new Error(String(found)));
}

/** Before SQLite sees it: opening brings the log into the database, as far as SQLite can read it, and removes it. */
async function checkLog(path: string, warn: (message: string) => void = () => undefined): Promise<void> {
  const log = `${path}-wal`;
  let state = examineLog(log);
  if (state.kind === 'damaged') {
    // A command of another process may have been writing just now.
    await sleep(250);
    state = examineLog(log);
  }
  if (state.kind === 'damaged') {
    throw refusal(
      `The log of the database ${path}, ${log}, is damaged: ${state.reason}. Both were left as they are: restore the database from a backup, or move the log away to go on without the latest changes.`,
    );
  }
  if (state.kind === 'cut') {
    warn(
      `the database's log ${log} ends in the middle of a change, which was left out whole. A crash leaves it so, and then that change was never acknowledged; if there was none, the disk has lost data`,
    );
  }
}

function checkSameFile(path: string, dev: number, ino: number): void {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file?.dev === dev && file.ino === ino) return;
  const what = file === undefined ? 'is gone' : 'was replaced while the gateway was running';
  throw new GatewayError('storage_unavailable', {
    detail: `The database file ${what}; nothing was changed. Put it back, or restart the gateway.`,
    retryAfter: 5,
    cause: new Error(`${path} ${what}`),
  });
}

function damaged(path: string, cause: unknown): GatewayError {
  return refusal(
    `The database ${path} is damaged or not an SQLite database. It was left as it is: restore it from a backup, or move it away to start anew.`,
    cause,
  );
}

function refusal(detail: string, cause?: unknown): GatewayError {
  return new GatewayError('storage_unavailable', { detail, cause });
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EROFS') return 'the file system is read-only';
  if (code === 'ENOSPC') return 'the disk is full';
  return String(code ?? error);
}
