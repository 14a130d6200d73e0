import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { isBusy } from './sqlite-errors.ts';
import { waitForLock } from './wait-for-lock.ts';

/**
 * Tells which process is the gateway of a database: it holds an exclusive SQLite lock on an empty file beside
 * it. The system lets go of the lock when the process ends, however it ends, and it works between containers
 * that share the volume, where process ids mean nothing.
 */
export function servingLockPath(databasePath: string): string {
  return `${databasePath}-serving`;
}

/** Takes the lock until the returned database is closed; undefined when another process has it. */
export async function takeServingLock(databasePath: string): Promise<DatabaseSync | undefined> {
  const path = servingLockPath(databasePath);
  createForOwner(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // A command that just looks whether the lock is taken is in the way for an instant.
    await waitForLock(() => database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE'), performance.now() + 300);
    return database;
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** Only where it is missing: closing a file that SQLite has open too would drop this process's locks on it (fcntl(2)). */
function createForOwner(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Whether some process holds the lock. */
export function isServingLockTaken(databasePath: string): boolean {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(servingLockPath(databasePath), { timeout: 0, readOnly: true });
  } catch {
    return false; // no gateway has served this database yet
  }
  try {
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    return isBusy(error);
  } finally {
    database.close();
  }
}
