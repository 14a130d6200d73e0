import { type Kysely, sql } from 'kysely';
import type { ApiKeyId, RouteId, UpstreamId } from '../model/ids.ts';
import { historyTable, remember, type RememberedType } from './history-table.ts';
import type { ApiKeyRow, ListFilter, ResourceWriter, RouteRow, RowPage, StoreWriter, UpstreamRow } from './store.ts';
import { type RowCodec, rowCodec, type Stored, type Tables } from './tables.ts';

/** Revision, upstreams, routes and keys of one open transaction. */
export function configTables(
  tx: Kysely<Tables>,
): Pick<StoreWriter, 'revision' | 'nextRevision' | 'upstreams' | 'routes' | 'keys' | 'removedSince' | 'forgetRemoved' | 'history'> {
  let taken: number | undefined;
  return {
    async revision() {
      const state = await tx.selectFrom('gateway_state').select('revision').executeTakeFirstOrThrow();
      return state.revision;
    },

    async nextRevision() {
      if (taken !== undefined) throw new Error('a transaction makes one revision at most');
      const state = await tx
        .updateTable('gateway_state')
        .set({ revision: sql`revision + 1` })
        .returning('revision')
        .executeTakeFirstOrThrow();
      taken = state.revision;
      return taken;
    },

    upstreams: resourceTable<UpstreamRow, UpstreamId>(tx, 'upstreams', 'upstream', upstreamCodec, sql<boolean>`enabled = 1`),

    routes: {
      ...resourceTable<RouteRow, RouteId>(tx, 'routes', 'route', routeCodec, sql<boolean>`enabled = 1`),
      async usingUpstream(id) {
        const stored = await tx.selectFrom('routes').select(routeCodec.columns).where('upstream_id', '=', id).orderBy('name').execute();
        return stored.map(routeCodec.decode);
      },
    },

    keys: {
      ...resourceTable<ApiKeyRow, ApiKeyId>(tx, 'api_keys', 'key', apiKeyCodec, sql<boolean>`revoked_at is null`),
      async recordUsage(usage) {
        for (const [id, at] of usage) {
          await tx
            .updateTable('api_keys')
            .set({ last_used_at: at })
            .where('id', '=', id)
            .where((is) => is.or([is('last_used_at', 'is', null), is('last_used_at', '<', at)]))
            .execute();
        }
      },
    },

    async removedSince(revision) {
      let query = tx.selectFrom('removed').select('id').where('revision', '>', revision);
      // A rollback brings resources back under their ids.
      for (const table of ['upstreams', 'routes', 'api_keys'] as const) {
        query = query.where('id', 'not in', (is) => is.selectFrom(table).select(sql<string>`id`.as('id')));
      }
      const rows = await query.orderBy('revision').execute();
      return rows.map((row) => row.id as UpstreamId | RouteId | ApiKeyId);
    },

    history: historyTable(tx, { upstream: upstreamCodec, route: routeCodec, key: apiKeyCodec }),
    async forgetRemoved(revision) {
      const result = await tx.deleteFrom('removed').where('revision', '<=', revision).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

const upstreamCodec = rowCodec<UpstreamRow>({
  id: 'plain',
  revision: 'plain',
  name: 'plain',
  description: 'plain',
  base_url: 'plain',
  timeout_ms: 'plain',
  max_idle_conns: 'plain',
  idle_conn_timeout_ms: 'plain',
  max_conns: 'plain',
  auth_type: 'plain',
  auth_header: 'plain',
  auth_value_sealed: 'plain',
  auth_value_reference: 'plain',
  auth_value_updated_at: 'plain',
  preserve_host: 'boolean',
  tls_ca: 'plain',
  tls_server_name: 'plain',
  health_check_path: 'plain',
  health_check_interval_ms: 'plain',
  health_check_timeout_ms: 'plain',
  health_check_status: 'plain',
  enabled: 'boolean',
  managed: 'boolean',
  created_at: 'plain',
  updated_at: 'plain',
});

const routeCodec = rowCodec<RouteRow>({
  id: 'plain',
  revision: 'plain',
  name: 'plain',
  description: 'plain',
  host_pattern: 'plain',
  host_match_type: 'plain',
  path_pattern: 'plain',
  match_type: 'plain',
  methods: 'json',
  headers: 'json',
  upstream_id: 'plain',
  protocol: 'plain',
  cors: 'json',
  api_key_query: 'boolean',
  path_rewrite: 'plain',
  method_override: 'plain',
  request_transform: 'json',
  response_transform: 'json',
  auth_required: 'boolean',
  priority: 'plain',
  enabled: 'boolean',
  managed: 'boolean',
  created_at: 'plain',
  updated_at: 'plain',
});

const apiKeyCodec = rowCodec<ApiKeyRow>({
  id: 'plain',
  revision: 'plain',
  name: 'plain',
  prefix: 'plain',
  hash: 'plain',
  routes: 'json',
  rate_limit_per_minute: 'plain',
  expires_at: 'plain',
  last_used_at: 'plain',
  revoked_at: 'plain',
  created_at: 'plain',
});

interface ResourceColumns {
  id: string;
  name: string;
  name_folded: string;
  revision: number;
}

/** Kysely's types cannot be generic over a table; what the three tables share is enough here. */
function resourceTable<Row extends { readonly id: string; readonly name: string; readonly revision: number }, Id extends string>(
  tx: Kysely<Tables>,
  name: 'upstreams' | 'routes' | 'api_keys',
  type: RememberedType,
  codec: RowCodec<Row>,
  isEnabled: ReturnType<typeof sql<boolean>>,
): ResourceWriter<Row, Id> {
  const db = tx as unknown as Kysely<{ resource: ResourceColumns }>;
  const table = name as 'resource';
  const columns = codec.columns as readonly (keyof ResourceColumns)[];
  const decode = (stored: unknown): Row => codec.decode(stored as Stored<Row>);
  return {
    async get(id) {
      const stored = await db.selectFrom(table).select(columns).where('id', '=', id).executeTakeFirst();
      return stored === undefined ? undefined : decode(stored);
    },
    async byName(wanted) {
      const stored = await db.selectFrom(table).select(columns).where('name', '=', wanted).executeTakeFirst();
      return stored === undefined ? undefined : decode(stored);
    },
    async list(filter) {
      let query = db.selectFrom(table);
      if (filter.nameContains !== undefined) query = query.where(contains('name_folded', filter.nameContains));
      if (filter.enabled !== undefined) query = query.where(filter.enabled ? isEnabled : sql<boolean>`not (${isEnabled})`);
      const { total } = await query.select((is) => is.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      if (filter.after !== undefined) query = query.where('name', '>', filter.after);
      const stored = await query
        .select(columns)
        .orderBy('name')
        .limit(filter.limit + 1)
        .execute();
      return pageOf(stored, filter, total, decode);
    },
    async changedSince(revision) {
      const rows: Row[] = [];
      const stored = db.selectFrom(table).select(columns).where('revision', '>', revision).orderBy('revision').stream();
      for await (const row of stored) rows.push(decode(row));
      return rows;
    },
    async put(row) {
      const encoded = codec.encode(row);
      const stored = { ...encoded, name_folded: row.name.toLowerCase() } as unknown as ResourceColumns;
      const { id: _, ...rest } = stored;
      await db
        .insertInto(table)
        .values(stored)
        .onConflict((conflict) => conflict.column('id').doUpdateSet(rest))
        .execute();
      await remember(tx, type, row.id, row.revision, encoded);
    },
    async vacateName(id) {
      // No name looks like an id, so this one is free.
      await db.updateTable(table).set({ name: id, name_folded: id }).where('id', '=', id).execute();
    },
    async remove(id, revision) {
      await db.deleteFrom(table).where('id', '=', id).execute();
      await tx
        .insertInto('removed')
        .values({ id, revision })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ revision }))
        .execute();
      await remember(tx, type, id, revision, null);
    },
  };
}

/** Whether a lower-cased column contains a text, whatever the text's case. */
export function contains(column: string, text: string): ReturnType<typeof sql<boolean>> {
  const pattern = `%${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
  return sql<boolean>`${sql.ref(column)} like ${pattern} escape '\\'`;
}

/** Whether a column begins with a text. */
export function startsWith(column: string, text: string): ReturnType<typeof sql<boolean>> {
  return sql<boolean>`substr(${sql.ref(column)}, 1, ${text.length}) = ${text}`;
}

/** Cuts the one row too many that a list query asks for, to know whether there are more. */
export function pageOf<StoredRow, Row>(
  stored: readonly StoredRow[],
  filter: Pick<ListFilter, 'limit'>,
  total: number,
  decode: (stored: StoredRow) => Row,
): RowPage<Row> {
  return { rows: stored.slice(0, filter.limit).map(decode), total, more: stored.length > filter.limit };
}
