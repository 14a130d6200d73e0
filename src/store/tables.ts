import type { Generated } from 'kysely';
import type { AdminRow, ApiKeyRow, AuditRow, RouteRow, SessionRow, TokenRow, UpstreamRow } from './store.ts';

/**
 * How a row lies in a column store that knows neither booleans nor JSON: 0 or 1, and text. The same in every
 * database, so that one set of queries serves them all.
 */
export type Stored<Row> = {
  [Column in keyof Row]: Row[Column] extends boolean ? number : NonNullable<Row[Column]> extends object ? string : Row[Column];
};

/** Lower-cased by Unicode's rules, which databases disagree about, to search in. */
interface Searchable {
  name_folded: string;
}

export interface Tables {
  /** One row. */
  gateway_state: { id: number; revision: number };
  upstreams: Stored<UpstreamRow> & Searchable;
  routes: Stored<RouteRow> & Searchable;
  api_keys: Stored<ApiKeyRow> & Searchable;
  removed: { id: string; revision: number };
  /** What a row was from a revision on; `content` is the row as its codec encodes it, null for its removal. */
  row_history: {
    id: Generated<number>;
    resource_id: string;
    revision: number;
    resource_type: 'upstream' | 'route' | 'key';
    content: string | null;
    auth_value_sealed: string | null;
  };
  /** One row: the oldest revision that can be told, and up to which id superfluous rows are removed. */
  history_state: { id: number; from_revision: number; pruned_id: number };
  admins: Stored<AdminRow>;
  sessions: Stored<SessionRow>;
  api_tokens: Stored<TokenRow> & Searchable;
  audit: Omit<Stored<AuditRow>, 'id'> & { id: Generated<number> };
  meta: { key: string; value: string };
}

/** Translates between rows and what is stored, and names the columns that make up a row. */
export interface RowCodec<Row> {
  readonly columns: readonly (keyof Row & string)[];
  readonly encode: (row: Row) => Stored<Row>;
  readonly decode: (stored: Stored<Row>) => Row;
}

/** `shape` tells each column's kind, in the order in which the row's fields come. */
export function rowCodec<Row>(shape: { readonly [Column in keyof Row & string]: 'plain' | 'boolean' | 'json' }): RowCodec<Row> {
  const columns = Object.keys(shape) as (keyof Row & string)[];
  return {
    columns,
    encode(row) {
      const stored: Record<string, unknown> = {};
      for (const column of columns) {
        const value = row[column];
        stored[column] = shape[column] === 'boolean' ? Number(value) : shape[column] === 'json' ? JSON.stringify(value) : value;
      }
      return stored as Stored<Row>;
    },
    decode(stored) {
      const row: Record<string, unknown> = {};
      for (const column of columns) {
        const value = stored[column];
        row[column] = shape[column] === 'boolean' ? value === 1 : shape[column] === 'json' ? JSON.parse(value as string) : value;
      }
      return row as Row;
    },
  };
}
