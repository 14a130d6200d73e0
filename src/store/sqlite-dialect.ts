import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely';
import { storageError } from './sqlite-errors.ts';
import { lockWaitLimit, waitForLock } from './wait-for-lock.ts';

/**
 * Kysely over one node:sqlite connection. The connection is synchronous and Kysely is not, so one transaction
 * has it to itself until it ends: the others queue. A transaction takes its lock when it begins (a writer the
 * write lock, a reader its state of the data), so only the beginning ever waits for another process.
 */
export function sqliteDialect(database: DatabaseSync, lockWait = lockWaitLimit): Dialect {
  return {
    createDriver: () => new SqliteDriver(database, lockWait),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new QueueingAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

/** Kysely's own queue for single connections would hide how long a transaction has waited already. */
class QueueingAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #lockWait: number;
  readonly #connection: SqliteConnection;
  /** Resolves when the last in the queue has left. */
  #queue: Promise<void> = Promise.resolve();
  #leave: () => void = () => undefined;
  #deadline = 0;

  constructor(database: DatabaseSync, lockWait: number) {
    this.#database = database;
    this.#lockWait = lockWait;
    this.#connection = new SqliteConnection(database);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const deadline = performance.now() + this.#lockWait;
    const before = this.#queue;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#queue = promise;
    await before;
    this.#leave = resolve;
    this.#deadline = deadline;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#leave();
  }

  async beginTransaction(_connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    this.#connection.beginTurn();
    const begin = (): void => {
      if (settings.accessMode !== 'read only') {
        this.#database.exec('BEGIN IMMEDIATE');
        return;
      }
      this.#database.exec('BEGIN');
      try {
        // A reader's state of the data is the one at its first read.
        this.#connection.run('SELECT 1 FROM sqlite_schema LIMIT 1', []);
      } catch (error) {
        this.#database.exec('ROLLBACK');
        throw error;
      }
    };
    await waitForLock(begin, this.#deadline).catch(throwStorageError);
  }

  async commitTransaction(): Promise<void> {
    await waitForLock(() => this.#database.exec('COMMIT'), this.#deadline).catch(throwStorageError);
  }

  async rollbackTransaction(): Promise<void> {
    // SQLite has rolled back by itself after a full disk or an I/O error.
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }

  async destroy(): Promise<void> {
    await this.#queue;
    this.#connection.forget();
    if (this.#database.isOpen) this.#database.close();
  }
}

const maxStatements = 200;
/** Milliseconds. */
const longestTurn = 10;

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, { statement: StatementSync; answers: boolean }>();
  #turnedAt = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    try {
      return this.run<Row>(query.sql, query.parameters as readonly SQLInputValue[]);
    } catch (error) {
      throw storageError(error);
    } finally {
      await this.#turn();
    }
  }

  beginTurn(): void {
    this.#turnedAt = performance.now();
  }

  /** A transaction of thousands of statements, or rows, would otherwise keep the event loop for itself until its end. */
  async #turn(): Promise<void> {
    if (performance.now() - this.#turnedAt <= longestTurn) return;
    await setImmediate();
    this.beginTurn();
  }

  run<Row>(text: string, parameters: readonly SQLInputValue[]): QueryResult<Row> {
    let prepared = this.#statements.get(text);
    if (prepared === undefined) {
      const statement = this.#database.prepare(text);
      prepared = { statement, answers: statement.columns().length > 0 };
      if (this.#statements.size >= maxStatements) this.#statements.clear();
      this.#statements.set(text, prepared);
    }
    if (prepared.answers) return { rows: prepared.statement.all(...parameters) as Row[] };
    const { changes, lastInsertRowid } = prepared.statement.run(...parameters);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  /** The rows in chunks, and others run in between: for what answers thousands. */
  async *streamQuery<Row>(query: CompiledQuery, chunkSize = 100): AsyncIterableIterator<QueryResult<Row>> {
    // A statement of its own: one that is kept may be asked again before this one has ended.
    try {
      let rows: Row[] = [];
      for (const row of this.#database.prepare(query.sql).iterate(...(query.parameters as readonly SQLInputValue[]))) {
        rows.push(row as Row);
        if (rows.length < chunkSize) continue;
        yield { rows };
        rows = [];
        await this.#turn();
      }
      yield { rows };
    } catch (error) {
      throw storageError(error);
    }
  }

  forget(): void {
    this.#statements.clear();
  }
}

function throwStorageError(error: unknown): never {
  throw storageError(error);
}
