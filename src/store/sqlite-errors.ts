import { GatewayError } from '../errors/gateway-error.ts';

/**
 * Turns what node:sqlite throws into a GatewayError: `storage_unavailable` for everything that is the
 * database's own trouble, `conflict` for a value that must be unique. Other errors come out unchanged, since a
 * broken statement is a defect of ours.
 */
export function storageError(error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  if (error.errcode === uniqueViolation || error.errcode === primaryKeyViolation) {
    const column = /\.(\w+)$/.exec(error.message)?.[1] ?? 'name';
    return new GatewayError('conflict', {
      detail: `Another one has this ${column} already.`,
      errors: [{ field: column, message: 'is already taken' }],
      cause: error,
    });
  }
  const trouble = troubles.get(error.errcode & 0xff);
  if (trouble === undefined) return error;
  return new GatewayError('storage_unavailable', {
    detail: `The database cannot be used just now (${trouble}); nothing was changed.`,
    retryAfter: 1,
    cause: error,
  });
}

/** Whether another connection holds a lock that this statement needs: the same statement may work a moment later. */
export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && ((error.errcode & 0xff) === 5 || (error.errcode & 0xff) === 6);
}

/** Whether the file is not what SQLite wrote: damaged, or never a database. */
export function isDamage(error: unknown): boolean {
  return isSqliteError(error) && ((error.errcode & 0xff) === 11 || (error.errcode & 0xff) === 26);
}

/** What node:sqlite throws; `errcode` is SQLite's extended result code, https://sqlite.org/rescode.html. */
export interface SqliteError extends Error {
  readonly errcode: number;
  readonly errstr: string;
}

export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR' && 'errcode' in error;
}

const uniqueViolation = 2067;
const primaryKeyViolation = 1555;

const troubles = new Map([
  [5, 'another process holds it locked'],
  [6, 'another connection holds it locked'],
  [7, 'out of memory'],
  [8, 'it may not be written to'],
  [10, 'its disk fails'],
  [11, 'its file is damaged'],
  [13, 'its disk is full'],
  [14, 'its file cannot be opened'],
  [15, 'another process is using it in a way that conflicts'],
  [22, 'its file is too large for this system'],
  [23, 'access to it is denied'],
  [26, 'its file is not a database'],
]);
