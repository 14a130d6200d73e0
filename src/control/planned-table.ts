import type { ResourceReader } from '../store/store.ts';

/** Rows by id and by name. */
export class PlannedTable<Row> {
  readonly #byId = new Map<string, Row>();
  readonly #byName = new Map<string, Row>();

  set(row: Row & { readonly id: string; readonly name: string }): void {
    this.#byId.set(row.id, row);
    this.#byName.set(row.name, row);
  }

  ofId(id: string): Row | undefined {
    return this.#byId.get(id);
  }

  ofName(name: string): Row | undefined {
    return this.#byName.get(name);
  }

  rows(): Iterable<Row> {
    return this.#byId.values();
  }
}

/** The store's table, but with the rows that there would be. */
export function lookedUpIn<Row extends { readonly id: string; readonly name: string; readonly revision: number }, Id extends string>(
  stored: ResourceReader<Row, Id>,
  table: PlannedTable<Omit<Row, 'revision'>>,
): ResourceReader<Row, Id> {
  const asRow = (row: Omit<Row, 'revision'> | undefined): Row | undefined =>
    row === undefined ? undefined : ({ ...row, revision: 0 } as unknown as Row);
  return {
    get: async (id) => asRow(table.ofId(id)),
    byName: async (name) => asRow(table.ofName(name)),
    list: (filter) => stored.list(filter),
    changedSince: (revision) => stored.changedSince(revision),
  };
}
