import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../errors/gateway-error.ts';
import { servingLockPath } from './serving-lock.ts';
import { isSqliteError } from './sqlite-errors.ts';
import { applicationId, openError } from './sqlite-open.ts';

export interface BackupOptions {
  readonly databasePath: string;
  /** Of the copy. */
  readonly path: string;
  /** Whether a file of that name is replaced. */
  readonly overwrite: boolean;
}

export interface BackupDone {
  /** Full path of the copy. */
  readonly path: string;
  readonly bytes: number;
  readonly revision: number;
  /** Single values of the copy by name. */
  readonly meta: ReadonlyMap<string, string>;
}

/**
 * Copies a database as it is at one moment, while others read and write it. The copy appears under its name only when
 * it is complete, sound and on the disk, readable by its owner alone; whatever goes wrong before, nothing does.
 * What was deleted is not in it: `VACUUM INTO` writes the live rows afresh (https://sqlite.org/lang_vacuum.html).
 * Synchronous, and as long as the copy takes: for a process of its own.
 * @throws GatewayError `storage_unavailable`, `conflict` for a name that is taken
 */
export function backUpSqlite(options: BackupOptions): BackupDone {
  const databasePath = resolve(options.databasePath);
  const path = resolve(options.path);
  refuseOwnFile(path, databasePath);
  if (!options.overwrite && statSync(path, { throwIfNoEntry: false }) !== undefined) throw taken(path);
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.part`);
  try {
    makeEmpty(draft, path);
    copyInto(databasePath, draft, path);
    const { revision, meta } = check(draft, path);
    sync(draft);
    const bytes = statSync(draft).size;
    if (options.overwrite) renameSync(draft, path);
    else linkNew(draft, path);
    sync(dirname(path));
    return { path, bytes, revision, meta };
  } catch (error) {
    throw error instanceof GatewayError ? error : failed(path, reasonOf(error), error);
  } finally {
    rmSync(draft, { force: true });
    rmSync(`${draft}-journal`, { force: true });
  }
}

/** The database, and what SQLite and the gateway keep beside it. */
function refuseOwnFile(path: string, databasePath: string): void {
  const real = (name: string): string => {
    try {
      return realpathSync(name);
    } catch {
      return name;
    }
  };
  const own = [databasePath, `${databasePath}-wal`, `${databasePath}-shm`, `${databasePath}.key`, servingLockPath(databasePath)];
  if (own.some((file) => real(file) === real(path))) {
    throw new GatewayError('conflict', { detail: `${path} belongs to the database itself: give the backup another name.` });
  }
}

function makeEmpty(draft: string, path: string): void {
  try {
    closeSync(openSync(draft, 'wx', 0o600));
  } catch (error) {
    throw failed(path, reasonOf(error), error);
  }
}

function copyInto(databasePath: string, draft: string, path: string): void {
  let database: DatabaseSync;
  try {
    // Read-only, so that not even a schema is brought up to date. The wait is SQLite's own: nothing else runs here.
    database = new DatabaseSync(databasePath, { readOnly: true, timeout: 5_000 });
  } catch (error) {
    if (statSync(databasePath, { throwIfNoEntry: false }) === undefined) {
      throw new GatewayError('storage_unavailable', { detail: `There is no database at ${databasePath}.`, cause: error });
    }
    throw openError(error, databasePath);
  }
  try {
    if (database.prepare('PRAGMA application_id').get()?.['application_id'] !== applicationId) {
      throw new GatewayError('storage_unavailable', { detail: `The file ${databasePath} is not a database of APIGate.` });
    }
    database.prepare('VACUUM INTO ?').run(draft);
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    if (isSqliteError(error) && [10, 13, 14].includes(error.errcode & 0xff)) throw failed(path, reasonOf(error), error);
    throw openError(error, databasePath);
  } finally {
    database.close();
  }
}

/** Opens the copy as a restore would, and reads all of it. */
function check(draft: string, path: string): Pick<BackupDone, 'revision' | 'meta'> {
  using copy = new DatabaseSync(draft, { readOnly: true });
  const found = copy.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (found !== 'ok') throw failed(path, 'what was written is damaged', new Error(String(found)));
  const revision = copy.prepare('SELECT revision FROM gateway_state').get()?.['revision'] as number;
  const meta = copy.prepare('SELECT key, value FROM meta').all() as { key: string; value: string }[];
  return { revision, meta: new Map(meta.map(({ key, value }) => [key, value])) };
}

function linkNew(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw taken(path);
    // File systems without hard links.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error;
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) throw taken(path);
    renameSync(draft, path);
  }
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function taken(path: string): GatewayError {
  return new GatewayError('conflict', { detail: `There is a file ${path} already; it was left as it is.` });
}

function failed(path: string, reason: string, cause: unknown): GatewayError {
  return new GatewayError('storage_unavailable', {
    detail: `The backup ${path} could not be written: ${reason}. No file was left behind.`,
    cause,
  });
}

function reasonOf(error: unknown): string {
  if (isSqliteError(error)) return (error.errcode & 0xff) === 13 ? 'the disk is full' : error.errstr;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'the disk is full';
    case 'ENOENT':
      return 'the directory does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EROFS':
      return 'the file system is read-only';
    default:
      return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
