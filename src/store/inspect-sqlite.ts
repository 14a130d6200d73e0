import { statSync } from 'node:fs';
import { migrations } from './migrations.ts';
import { isServingLockTaken } from './serving-lock.ts';
import { isDamage } from './sqlite-errors.ts';
import { openError, openSqliteFile } from './sqlite-open.ts';

/** What a database file is like, for people who look for a fault. */
export interface DatabaseInspection {
  /** Permission bits of the file. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  readonly schemaVersion: number;
  /** The schema version of this program. */
  readonly newestSchema: number;
  /** Findings of SQLite's quick check; empty for a sound file. */
  readonly damage: readonly string[];
  /** When the youngest row says that it was made, milliseconds since the epoch; null for a database without rows. */
  readonly newestChange: number | null;
  /** Whether a gateway, in whatever process, serves it now. */
  readonly isServed: boolean;
}

/**
 * Looks at a database file without changing or making anything. Reads the whole file. undefined where there is none.
 * Throws GatewayError `storage_unavailable` where it cannot be read or is no database of ours.
 */
export async function inspectSqlite(path: string): Promise<DatabaseInspection | undefined> {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) return undefined;
  const opened = await openSqliteFile({ path, create: false, readOnly: true });
  try {
    const schemaVersion = opened.reader.prepare('PRAGMA user_version').get()?.['user_version'] as number;
    const damage = opened.reader
      .prepare('PRAGMA quick_check(5)')
      .all()
      .map((row) => String(row['quick_check']))
      .filter((finding) => finding !== 'ok');
    const newest =
      schemaVersion === migrations.length && damage.length === 0
        ? opened.reader
            .prepare(
              'SELECT max(at) AS at FROM (SELECT max(at) AS at FROM audit UNION SELECT max(updated_at) FROM upstreams UNION SELECT max(updated_at) FROM routes)',
            )
            .get()?.['at']
        : null;
    return {
      mode: file.mode & 0o777,
      size: file.size,
      schemaVersion,
      newestSchema: migrations.length,
      damage,
      newestChange: typeof newest === 'number' ? newest : null,
      isServed: isServingLockTaken(path),
    };
  } catch (error) {
    if (isDamage(error)) throw openError(error, path);
    throw error;
  } finally {
    for (const database of [opened.longReader, opened.reader, opened.writer]) database.close();
  }
}
