import { openSqliteStore } from './sqlite-store.ts';
import { storeContract } from './store-contract.ts';
import { openTemporaryStore } from './temporary-store.ts';

storeContract('SQLite', async () => {
  const store = await openTemporaryStore();
  return {
    store: { ...store, close: async () => await store.close({ keep: true }) },
    again: async () => await openSqliteStore({ path: store.path, create: false }),
    dispose: async () => await store.close(),
  };
});
