import type { Kysely } from 'kysely';
import type { SealedValue, StoreWriter } from './store.ts';
import type { Tables } from './tables.ts';

/**
 * Every column that holds sealed text, with the field that it is sealed for. A new one belongs here, or a rotation of the
 * key would pass it over; a test looks at the schema for columns that end in `_sealed`.
 */
export const sealedColumns = [{ table: 'upstreams', column: 'auth_value_sealed', field: 'auth_value' }] as const;

/** What is sealed, wherever it lies, in one open transaction. */
export function sealedValues(tx: Kysely<Tables>): StoreWriter['sealed'] {
  return {
    async notUnder(keyId, limit, after) {
      const found: SealedValue[] = [];
      for (const { table, column, field } of sealedColumns) {
        if (after !== undefined && placeOf({ table, field }) < placeOf(after)) continue;
        let query = tx.selectFrom(table).select(['id', column]).where(column, 'is not', null).where(column, 'not like', `v1.${keyId}.%`);
        if (after !== undefined && placeOf({ table, field }) === placeOf(after)) query = query.where('id', '>', after.id as `up_${string}`);
        const rows = await query
          .orderBy('id')
          .limit(limit - found.length)
          .execute();
        found.push(...rows.map((row) => ({ table, id: row.id, field, sealed: row[column] as string })));
        if (found.length >= limit) break;
      }
      return found;
    },
    async all() {
      const found: SealedValue[] = [];
      for (const { table, column, field } of sealedColumns) {
        const rows = await tx.selectFrom(table).select(['id', column]).where(column, 'is not', null).orderBy('id').execute();
        found.push(...rows.map((row) => ({ table, id: row.id, field, sealed: row[column] as string })));
      }
      return found;
    },
    async replace({ table, id, field, sealed: before }, sealed) {
      const place = sealedColumns.find((each) => each.table === table && each.field === field);
      if (place === undefined) throw new Error(`nothing is sealed in ${table}.${field}`);
      const result = await tx
        .updateTable(place.table)
        .set({ [place.column]: sealed })
        .where('id', '=', id as `up_${string}`)
        .where(place.column, '=', before)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}

function placeOf({ table, field }: Pick<SealedValue, 'table' | 'field'>): number {
  return sealedColumns.findIndex((each) => each.table === table && each.field === field);
}
