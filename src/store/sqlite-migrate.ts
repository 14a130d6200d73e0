import type { Kysely } from 'kysely';
import { GatewayError } from '../errors/gateway-error.ts';
import { type Migration, migrations as allMigrations } from './migrations.ts';
import { markAsOurs, type OpenedFile } from './sqlite-open.ts';
import type { Tables } from './tables.ts';

/** @throws GatewayError `storage_unavailable` for a schema that is not this program's, when it may not be changed */
export function requireCurrentSchema(file: OpenedFile, migrations: readonly Migration[] = allMigrations): void {
  const version = schemaVersion(file, migrations);
  if (version === migrations.length) return;
  throw new GatewayError('storage_unavailable', {
    detail: `The database ${file.path} has schema version ${version}; the next start of the gateway brings it to ${migrations.length}.`,
  });
}

/**
 * Brings the schema up to date, all steps in one transaction. Of two processes that start at once, the second
 * waits for the lock and then finds nothing left to do. A schema newer than this program knows is refused with
 * both numbers, and left as it is.
 */
export async function migrateSqlite(file: OpenedFile, db: Kysely<Tables>, migrations: readonly Migration[] = allMigrations): Promise<void> {
  if (schemaVersion(file, migrations) === migrations.length) return;
  await db.transaction().execute(async (tx) => {
    const version = schemaVersion(file, migrations);
    if (version === migrations.length) return;
    for (const migration of migrations.slice(version)) await migration.up(tx);
    if (version === 0) markAsOurs(file.writer);
    file.writer.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

function schemaVersion(file: OpenedFile, migrations: readonly Migration[]): number {
  const version = file.writer.prepare('PRAGMA user_version').get()?.['user_version'] as number;
  if (version <= migrations.length) return version;
  throw new GatewayError('storage_unavailable', {
    detail: `The database ${file.path} has schema version ${version}, but this APIGate knows versions up to ${migrations.length}. Run a newer APIGate, or restore a backup from before the upgrade.`,
  });
}
