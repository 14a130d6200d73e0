import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from './sqlite-store.ts';
import type { Store } from './store.ts';

export interface TemporaryStore extends Store {
  /** Of the database file. The directory it lies in is its own, with mode 0700. */
  readonly path: string;
}

/** A store in a fresh directory that `close` removes: for `serve --demo` and for tests. */
export async function openTemporaryStore(): Promise<TemporaryStore> {
  const directory = await mkdtemp(join(tmpdir(), 'apigate-'));
  const path = join(directory, 'apigate.db');
  const store = await openSqliteStore({ path, create: true });
  return {
    ...store,
    path,
    async close() {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
