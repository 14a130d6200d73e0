import { type Kysely, sql } from 'kysely';
import type { SealedValue, StoreWriter } from './store.ts';
import type { Tables } from './tables.ts';

/**
 * Every column that holds sealed text: by which column its rows are told apart and put in order, and for which table, id and
 * field it is sealed. A new one belongs here, or a rotation of the key would pass it over; a test looks at the schema for
 * columns that end in `_sealed`. The history comes last: what is remembered while a rotation runs is copied from upstreams that
 * are sealed anew already.
 */
export const sealedColumns = [
  { table: 'upstreams', column: 'auth_value_sealed', key: 'id', sealedFor: { table: 'upstreams', id: 'id', field: 'auth_value' } },
  {
    table: 'row_history',
    column: 'auth_value_sealed',
    key: 'id',
    sealedFor: { table: 'upstreams', id: 'resource_id', field: 'auth_value' },
  },
] as const;

type SealedColumn = (typeof sealedColumns)[number];

/** What is sealed, wherever it lies, in one open transaction. */
export function sealedValues(tx: Kysely<Tables>): StoreWriter['sealed'] {
  const select = ({ table, column, key, sealedFor }: SealedColumn, restriction = sql``, rest = sql``) =>
    sql<{ key: string | number; id: string; sealed: string }>`
      select ${sql.ref(key)} as key, ${sql.ref(sealedFor.id)} as id, ${sql.ref(column)} as sealed from ${sql.table(table)}
      where ${sql.ref(column)} is not null ${restriction} order by ${sql.ref(`${table}.${key}`)} ${rest}`.execute(tx);
  const valueOf = (
    { table: holder, sealedFor: { table, field } }: SealedColumn,
    row: { key: string | number; id: string; sealed: string },
  ) => ({ table, id: row.id, field, sealed: row.sealed, holder, key: row.key }) satisfies SealedValue;
  return {
    async notUnder(keyId, limit, after) {
      const found: SealedValue[] = [];
      const from = after === undefined ? 0 : sealedColumns.findIndex(({ table }) => table === after.holder);
      for (const [index, place] of sealedColumns.entries()) {
        if (index < from || found.length >= limit) continue;
        const beyond = after !== undefined && index === from ? sql`and ${sql.ref(place.key)} > ${after.key}` : sql``;
        const restriction = sql`and ${sql.ref(place.column)} not like ${`v1.${keyId}.%`} ${beyond}`;
        const { rows } = await select(place, restriction, sql`limit ${limit - found.length}`);
        found.push(...rows.map((row) => valueOf(place, row)));
      }
      return found;
    },
    async all() {
      const found: SealedValue[] = [];
      for (const place of sealedColumns) found.push(...(await select(place)).rows.map((row) => valueOf(place, row)));
      return found;
    },
    async replace({ holder, key, sealed: before }, sealed) {
      const place = sealedColumns.find(({ table }) => table === holder);
      if (place === undefined) throw new Error(`nothing is sealed in ${holder}`);
      const column = sql.ref(place.column);
      const result = await sql`update ${sql.table(place.table)} set ${column} = ${sealed}
        where ${sql.ref(place.key)} = ${key} and ${column} = ${before}`.execute(tx);
      return (result.numAffectedRows ?? 0n) > 0n;
    },
  };
}
