import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from './sqlite-store.ts';
import type { Store } from './store.ts';

export interface TemporaryStore extends Store {
  /** Of the database file. The directory it lies in is its own, with mode 0700. */
  readonly path: string;
  /** Closes the store and, unless it is kept, removes the directory. May be called again. */
  close(options?: { readonly keep?: boolean }): Promise<void>;
}

/** A store in a fresh directory that `close` removes: for `serve --demo` and for tests. */
export async function openTemporaryStore(): Promise<TemporaryStore> {
  const directory = await mkdtemp(join(tmpdir(), 'apigate-'));
  const path = join(directory, 'apigate.db');
  const store = await openSqliteStore({ path, create: true });
  return {
    ...store,
    path,
    async close({ keep = false } = {}) {
      await store.close();
      if (!keep) await rm(directory, { recursive: true, force: true });
    },
  };
}
