import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { sealedColumns } from './sealed-values.ts';
import { openTemporaryStore } from './temporary-store.ts';

test('every column that holds sealed text is known to a rotation of the key', async (context) => {
  const store = await openTemporaryStore();
  context.after(() => store.close());
  const database = new DatabaseSync(store.path, { readOnly: true });
  const columns = database
    .prepare("select t.name as place, c.name as name from sqlite_schema t, pragma_table_info(t.name) c where t.type = 'table'")
    .all() as { place: string; name: string }[];
  database.close();
  const sealed = columns.filter(({ name }) => name.endsWith('_sealed')).map(({ place, name }) => `${place}.${name}`);
  assert.deepEqual(
    sealed,
    sealedColumns.map(({ table, column }) => `${table}.${column}`),
  );
});
