import { AsyncLocalStorage } from 'node:async_hooks';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely, type Transaction } from 'kysely';
import { configTables } from './config-tables.ts';
import { identityTables } from './identity-tables.ts';
import { sealedValues } from './sealed-values.ts';
import { isServingLockTaken, takeServingLock } from './serving-lock.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { storageError } from './sqlite-errors.ts';
import { migrateSqlite, requireCurrentSchema } from './sqlite-migrate.ts';
import { openError, openSqliteFile, type OpenOptions } from './sqlite-open.ts';
import type { Store, StoreReader, StoreWriter } from './store.ts';
import type { Tables } from './tables.ts';

/**
 * Opens the embedded store, brings its schema up to date and checks it. Throws GatewayError
 * `storage_unavailable` with one line that names the path and says what is wrong.
 */
export async function openSqliteStore(options: OpenOptions): Promise<Store> {
  const file = await openSqliteFile(options);
  const writer = new Kysely<Tables>({ dialect: sqliteDialect(file.writer, options.lockWait) });
  const reader = new Kysely<Tables>({ dialect: sqliteDialect(file.reader, options.lockWait) });
  const longReader = new Kysely<Tables>({ dialect: sqliteDialect(file.longReader, options.lockWait) });
  const closeAll = async (): Promise<void> => {
    for (const each of [longReader, reader, writer]) await each.destroy();
    // Kysely does not destroy what was never used.
    for (const database of [file.longReader, file.reader, file.writer]) if (database.isOpen) database.close();
  };
  try {
    if (options.readOnly === true) requireCurrentSchema(file);
    else await migrateSqlite(file, writer);
  } catch (error) {
    await closeAll();
    throw openError(error, file.path);
  }

  const dataVersion = file.reader.prepare('PRAGMA data_version');
  let servingLock: DatabaseSync | undefined;
  return {
    read: (work) => readOn(reader, work),
    readMany: (work) => readOn(longReader, work),
    async write(work) {
      return await alone(() =>
        writer.transaction().execute(async (tx) => {
          const result = await work(transactionTables(tx));
          // Committing to a file that somebody has removed would lose what was acknowledged.
          file.checkFile();
          return result;
        }),
      );
    },
    async dataVersion() {
      file.checkFile();
      try {
        return dataVersion.get()?.['data_version'] as number;
      } catch (error) {
        throw storageError(error);
      }
    },
    async claimServing() {
      servingLock ??= await takeServingLock(file.path).catch((error: unknown) => {
        throw storageError(error);
      });
      return servingLock !== undefined;
    },
    async isServed() {
      return servingLock !== undefined || isServingLockTaken(file.path);
    },
    async close() {
      await closeAll();
      servingLock?.close();
      servingLock = undefined;
    },
  };
}

async function readOn<T>(database: Kysely<Tables>, work: (tx: StoreReader) => Promise<T>): Promise<T> {
  return await alone(() =>
    database
      .transaction()
      .setAccessMode('read only')
      .execute((tx) => work(transactionTables(tx))),
  );
}

function transactionTables(tx: Transaction<Tables>): StoreWriter {
  return { ...configTables(tx), ...identityTables(tx), sealed: sealedValues(tx) };
}

/** Set while a transaction's work runs; a second one inside of it would wait for the first for ever. */
const current = new AsyncLocalStorage<{ open: boolean }>();

async function alone<T>(transaction: () => Promise<T>): Promise<T> {
  if (current.getStore()?.open === true) throw new Error('a transaction was begun inside another one');
  const state = { open: true };
  try {
    return await current.run(state, transaction);
  } finally {
    state.open = false;
  }
}
