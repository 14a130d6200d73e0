import { type Kysely, sql } from 'kysely';
import type { Tables } from './tables.ts';

/** One step of the schema. A step that was released is never changed, only followed by another. */
export interface Migration {
  readonly name: string;
  up(db: Kysely<Tables>): Promise<void>;
}

/** What the rows of the three tables of the gateway config have in common, and what some of them have. */
interface StoredRow {
  readonly id: string;
  readonly revision: number;
  readonly name_folded: string;
  readonly auth_value_sealed?: string | null;
  readonly hash?: string;
  readonly last_used_at?: number | null;
}

/** The schema version of a database is the number of steps it has taken. */
export const migrations: readonly Migration[] = [
  {
    name: 'gateway config, admins, audit',
    async up(db) {
      await db.schema
        .createTable('gateway_state')
        .addColumn('id', 'integer', (column) => column.primaryKey().check(sql`id = 1`))
        .addColumn('revision', 'bigint', (column) => column.notNull())
        .execute();
      await db.insertInto('gateway_state').values({ id: 1, revision: 0 }).execute();

      await db.schema
        .createTable('upstreams')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('revision', 'bigint', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('name_folded', 'text', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('base_url', 'text', (column) => column.notNull())
        .addColumn('timeout_ms', 'bigint', (column) => column.notNull())
        .addColumn('max_idle_conns', 'bigint', (column) => column.notNull())
        .addColumn('idle_conn_timeout_ms', 'bigint', (column) => column.notNull())
        .addColumn('max_conns', 'bigint', (column) => column.notNull())
        .addColumn('auth_type', 'text', (column) => column.notNull())
        .addColumn('auth_header', 'text')
        .addColumn('auth_value_sealed', 'text')
        .addColumn('auth_value_reference', 'text')
        .addColumn('auth_value_updated_at', 'bigint')
        .addColumn('preserve_host', 'integer', (column) => column.notNull())
        .addColumn('tls_ca', 'text')
        .addColumn('tls_server_name', 'text')
        .addColumn('enabled', 'integer', (column) => column.notNull())
        .addColumn('managed', 'integer', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('upstreams_by_revision').on('upstreams').column('revision').execute();

      await db.schema
        .createTable('routes')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('revision', 'bigint', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('name_folded', 'text', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('host_pattern', 'text', (column) => column.notNull())
        .addColumn('host_match_type', 'text', (column) => column.notNull())
        .addColumn('path_pattern', 'text', (column) => column.notNull())
        .addColumn('match_type', 'text', (column) => column.notNull())
        .addColumn('methods', 'text', (column) => column.notNull())
        .addColumn('headers', 'text', (column) => column.notNull())
        .addColumn('upstream_id', 'text', (column) => column.notNull().references('upstreams.id'))
        .addColumn('auth_required', 'integer', (column) => column.notNull())
        .addColumn('priority', 'bigint', (column) => column.notNull())
        .addColumn('enabled', 'integer', (column) => column.notNull())
        .addColumn('managed', 'integer', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('routes_by_revision').on('routes').column('revision').execute();
      await db.schema.createIndex('routes_by_upstream').on('routes').column('upstream_id').execute();

      await db.schema
        .createTable('api_keys')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('revision', 'bigint', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('name_folded', 'text', (column) => column.notNull())
        .addColumn('prefix', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull().unique())
        .addColumn('routes', 'text', (column) => column.notNull())
        .addColumn('rate_limit_per_minute', 'bigint')
        .addColumn('expires_at', 'bigint')
        .addColumn('last_used_at', 'bigint')
        .addColumn('revoked_at', 'bigint')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('api_keys_by_revision').on('api_keys').column('revision').execute();

      await db.schema
        .createTable('removed')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('revision', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('removed_by_revision').on('removed').column('revision').execute();

      await db.schema
        .createTable('admins')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('email', 'text', (column) => column.notNull().unique())
        .addColumn('password_hash', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addColumn('last_sign_in_at', 'bigint')
        .execute();

      await db.schema
        .createTable('sessions')
        .addColumn('id_hash', 'text', (column) => column.primaryKey())
        .addColumn('admin_id', 'text', (column) => column.notNull().references('admins.id').onDelete('cascade'))
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .addColumn('remote_address', 'text', (column) => column.notNull())
        .addColumn('user_agent', 'text', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('sessions_by_admin').on('sessions').column('admin_id').execute();

      await db.schema
        .createTable('api_tokens')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('name_folded', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull().unique())
        .addColumn('prefix', 'text', (column) => column.notNull())
        .addColumn('scope', 'text', (column) => column.notNull())
        .addColumn('expires_at', 'bigint')
        .addColumn('last_used_at', 'bigint')
        .addColumn('revoked_at', 'bigint')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('created_by', 'text', (column) => column.notNull())
        .execute();

      await db.schema
        .createTable('audit')
        .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('actor_kind', 'text', (column) => column.notNull())
        .addColumn('actor_id', 'text', (column) => column.notNull())
        .addColumn('actor_label', 'text', (column) => column.notNull())
        .addColumn('remote_address', 'text')
        .addColumn('request_id', 'text')
        .addColumn('action', 'text', (column) => column.notNull())
        .addColumn('resource_type', 'text', (column) => column.notNull())
        .addColumn('resource_id', 'text', (column) => column.notNull())
        .addColumn('resource_name', 'text', (column) => column.notNull())
        .addColumn('revision', 'bigint')
        .addColumn('detail', 'text', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('audit_by_resource').on('audit').columns(['resource_id', 'id']).execute();

      await db.schema
        .createTable('meta')
        .addColumn('key', 'text', (column) => column.primaryKey())
        .addColumn('value', 'text', (column) => column.notNull())
        .execute();
    },
  },
  {
    name: 'protocol, cors and api_key_query of routes',
    async up(db) {
      await db.schema
        .alterTable('routes')
        .addColumn('protocol', 'text', (column) => column.notNull().defaultTo('http'))
        .execute();
      // JSON, so that none is the text null.
      await db.schema
        .alterTable('routes')
        .addColumn('cors', 'text', (column) => column.notNull().defaultTo('null'))
        .execute();
      await db.schema
        .alterTable('routes')
        .addColumn('api_key_query', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
  {
    name: 'transformations of routes',
    async up(db) {
      await db.schema.alterTable('routes').addColumn('path_rewrite', 'text').execute();
      await db.schema.alterTable('routes').addColumn('method_override', 'text').execute();
      for (const column of ['request_transform', 'response_transform']) {
        await db.schema
          .alterTable('routes')
          .addColumn(column, 'text', (definition) => definition.notNull().defaultTo('null'))
          .execute();
      }
    },
  },
  {
    name: 'history of the gateway config',
    async up(db) {
      await db.schema
        .createTable('row_history')
        .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('resource_id', 'text', (column) => column.notNull())
        .addColumn('revision', 'bigint', (column) => column.notNull())
        .addColumn('resource_type', 'text', (column) => column.notNull())
        .addColumn('content', 'text')
        .addColumn('auth_value_sealed', 'text')
        .addUniqueConstraint('row_history_once', ['resource_id', 'revision'])
        .execute();
      await db.schema
        .createTable('history_state')
        .addColumn('id', 'integer', (column) => column.primaryKey().check(sql`id = 1`))
        .addColumn('from_revision', 'bigint', (column) => column.notNull())
        .addColumn('pruned_id', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('audit_by_revision').on('audit').column('revision').where('revision', 'is not', null).execute();

      // What is there now is the oldest revision that can be told. Rows have the columns that they have by now.
      const { revision } = await db.selectFrom('gateway_state').select('revision').executeTakeFirstOrThrow();
      await db.insertInto('history_state').values({ id: 1, from_revision: revision, pruned_id: 0 }).execute();
      for (const [table, resource_type] of [
        ['upstreams', 'upstream'],
        ['routes', 'route'],
        ['api_keys', 'key'],
      ] as const) {
        const { rows } = await sql<StoredRow>`select * from ${sql.table(table)}`.execute(db);
        for (const row of rows) {
          const { auth_value_sealed = null, name_folded: _, hash: _hash, last_used_at: _used, ...fields } = row;
          const remembered = {
            resource_id: row.id,
            revision: row.revision,
            resource_type,
            content: JSON.stringify(fields),
            auth_value_sealed,
          };
          await db.insertInto('row_history').values(remembered).execute();
        }
      }
    },
  },
  {
    name: 'health checks of upstreams',
    async up(db) {
      const table = db.schema.alterTable('upstreams');
      await table.addColumn('health_check_path', 'text').execute();
      for (const [column, usual] of [
        ['health_check_interval_ms', 10_000],
        ['health_check_timeout_ms', 5_000],
      ] as const) {
        await table.addColumn(column, 'bigint', (definition) => definition.notNull().defaultTo(usual)).execute();
      }
      await table.addColumn('health_check_status', 'text', (definition) => definition.notNull().defaultTo('200-399')).execute();
    },
  },
];
