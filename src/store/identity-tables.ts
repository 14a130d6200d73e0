import { type Kysely, sql } from 'kysely';
import { contains, pageOf, startsWith } from './config-tables.ts';
import type { ActorKind, AdminRow, AuditRow, SessionRow, StoreWriter, TokenRow } from './store.ts';
import { type RowCodec, rowCodec, type Stored, type Tables } from './tables.ts';

/** Admins, sessions, API tokens, audit log and single values of one open transaction. */
export function identityTables(tx: Kysely<Tables>): Pick<StoreWriter, 'admins' | 'sessions' | 'tokens' | 'audit' | 'meta'> {
  return { admins: adminTable(tx), sessions: sessionTable(tx), tokens: tokenTable(tx), audit: auditTable(tx), meta: metaTable(tx) };
}

const adminCodec = rowCodec<AdminRow>({
  id: 'plain',
  email: 'plain',
  password_hash: 'plain',
  created_at: 'plain',
  updated_at: 'plain',
  last_sign_in_at: 'plain',
});

function adminTable(tx: Kysely<Tables>): StoreWriter['admins'] {
  return {
    async get(id) {
      return decoded(adminCodec, await tx.selectFrom('admins').select(adminCodec.columns).where('id', '=', id).executeTakeFirst());
    },
    async byEmail(email) {
      return decoded(adminCodec, await tx.selectFrom('admins').select(adminCodec.columns).where('email', '=', email).executeTakeFirst());
    },
    async list(filter) {
      let query = tx.selectFrom('admins');
      if (filter.nameContains !== undefined) query = query.where(contains('email', filter.nameContains));
      const { total } = await query.select((is) => is.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      if (filter.after !== undefined) query = query.where('email', '>', filter.after);
      const stored = await query
        .select(adminCodec.columns)
        .orderBy('email')
        .limit(filter.limit + 1)
        .execute();
      return pageOf(stored, filter, total, adminCodec.decode);
    },
    async count() {
      const { count } = await tx
        .selectFrom('admins')
        .select((is) => is.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return count;
    },
    async put(row) {
      const { id: _, ...rest } = adminCodec.encode(row);
      await tx
        .insertInto('admins')
        .values(adminCodec.encode(row))
        .onConflict((conflict) => conflict.column('id').doUpdateSet(rest))
        .execute();
    },
    async putFirst(row) {
      // The write transaction shuts out every other writer, so nothing can come between the two statements.
      if ((await this.count()) > 0) return false;
      await this.put(row);
      return true;
    },
    async remove(id) {
      const result = await tx.deleteFrom('admins').where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}

const sessionCodec = rowCodec<SessionRow>({
  id_hash: 'plain',
  admin_id: 'plain',
  created_at: 'plain',
  last_seen_at: 'plain',
  expires_at: 'plain',
  remote_address: 'plain',
  user_agent: 'plain',
});

function sessionTable(tx: Kysely<Tables>): StoreWriter['sessions'] {
  return {
    async get(idHash) {
      return decoded(
        sessionCodec,
        await tx.selectFrom('sessions').select(sessionCodec.columns).where('id_hash', '=', idHash).executeTakeFirst(),
      );
    },
    async ofAdmin(adminId) {
      const columns = sessionCodec.columns;
      const stored = await tx
        .selectFrom('sessions')
        .select(columns)
        .where('admin_id', '=', adminId)
        .orderBy('created_at', 'desc')
        .execute();
      return stored.map(sessionCodec.decode);
    },
    async put(row) {
      const { id_hash: _, ...rest } = sessionCodec.encode(row);
      await tx
        .insertInto('sessions')
        .values(sessionCodec.encode(row))
        .onConflict((conflict) => conflict.column('id_hash').doUpdateSet(rest))
        .execute();
    },
    async touch(idHash, lastSeenAt) {
      const result = await tx.updateTable('sessions').set({ last_seen_at: lastSeenAt }).where('id_hash', '=', idHash).executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async remove(idHash) {
      const result = await tx.deleteFrom('sessions').where('id_hash', '=', idHash).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    async removeOfAdmin(adminId, exceptIdHash) {
      let query = tx.deleteFrom('sessions').where('admin_id', '=', adminId);
      if (exceptIdHash !== undefined) query = query.where('id_hash', '!=', exceptIdHash);
      return Number((await query.executeTakeFirst()).numDeletedRows);
    },
    async removeExpired(now, idleSince) {
      const result = await tx
        .deleteFrom('sessions')
        .where((is) => is.or([is('expires_at', '<=', now), is('last_seen_at', '<', idleSince)]))
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

const tokenCodec = rowCodec<TokenRow>({
  id: 'plain',
  name: 'plain',
  hash: 'plain',
  prefix: 'plain',
  scope: 'plain',
  expires_at: 'plain',
  last_used_at: 'plain',
  revoked_at: 'plain',
  created_at: 'plain',
  created_by: 'plain',
});

function tokenTable(tx: Kysely<Tables>): StoreWriter['tokens'] {
  return {
    async get(id) {
      return decoded(tokenCodec, await tx.selectFrom('api_tokens').select(tokenCodec.columns).where('id', '=', id).executeTakeFirst());
    },
    async byName(name) {
      return decoded(tokenCodec, await tx.selectFrom('api_tokens').select(tokenCodec.columns).where('name', '=', name).executeTakeFirst());
    },
    async byHash(hash) {
      return decoded(tokenCodec, await tx.selectFrom('api_tokens').select(tokenCodec.columns).where('hash', '=', hash).executeTakeFirst());
    },
    async list(filter) {
      let query = tx.selectFrom('api_tokens');
      if (filter.nameContains !== undefined) query = query.where(contains('name_folded', filter.nameContains));
      const { total } = await query.select((is) => is.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      if (filter.after !== undefined) query = query.where('name', '>', filter.after);
      const stored = await query
        .select(tokenCodec.columns)
        .orderBy('name')
        .limit(filter.limit + 1)
        .execute();
      return pageOf(stored, filter, total, tokenCodec.decode);
    },
    async put(row) {
      const stored = { ...tokenCodec.encode(row), name_folded: row.name.toLowerCase() };
      const { id: _, ...rest } = stored;
      await tx
        .insertInto('api_tokens')
        .values(stored)
        .onConflict((conflict) => conflict.column('id').doUpdateSet(rest))
        .execute();
    },
    async touch(id, lastUsedAt) {
      await tx
        .updateTable('api_tokens')
        .set({ last_used_at: lastUsedAt })
        .where('id', '=', id)
        .where((is) => is.or([is('last_used_at', 'is', null), is('last_used_at', '<', lastUsedAt)]))
        .execute();
    },
    async remove(id) {
      const result = await tx.deleteFrom('api_tokens').where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}

function decoded<Row>(codec: RowCodec<Row>, stored: Stored<Row> | undefined): Row | undefined {
  return stored === undefined ? undefined : codec.decode(stored);
}

const auditCodec = rowCodec<AuditRow>({
  id: 'plain',
  at: 'plain',
  actor_kind: 'plain',
  actor_id: 'plain',
  actor_label: 'plain',
  remote_address: 'plain',
  request_id: 'plain',
  action: 'plain',
  resource_type: 'plain',
  resource_id: 'plain',
  resource_name: 'plain',
  revision: 'plain',
  detail: 'json',
});

function auditTable(tx: Kysely<Tables>): StoreWriter['audit'] {
  return {
    async list(filter) {
      let query = tx.selectFrom('audit');
      const { action, actor, resource, since, until, before } = filter;
      if (action !== undefined) query = query.where((is) => is.or([is('action', '=', action), startsWith('action', `${action}.`)]));
      if (actor !== undefined)
        query = query.where((is) =>
          is.or([is('actor_id', '=', actor), is('actor_label', '=', actor), is('actor_kind', '=', actor as ActorKind)]),
        );
      if (resource !== undefined)
        query = query.where((is) =>
          is.or([is('resource_id', '=', resource), is('resource_name', '=', resource), is('resource_type', '=', resource)]),
        );
      if (since !== undefined) query = query.where('at', '>=', since);
      if (until !== undefined) query = query.where('at', '<', until);
      const { total } = await query.select((is) => is.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      if (before !== undefined) query = query.where('id', '<', before);
      const stored = await query
        .select(auditCodec.columns)
        .orderBy('id', 'desc')
        .limit(filter.limit + 1)
        .execute();
      return pageOf(stored, filter, total, (row) => auditCodec.decode(row as Stored<AuditRow>));
    },
    async removeBefore(at, limit) {
      const oldest = tx.selectFrom('audit').select('id').where('at', '<', at).orderBy('id').limit(limit);
      const result = await tx.deleteFrom('audit').where('id', 'in', oldest).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    async ofRevision(revision, limit) {
      const query = tx.selectFrom('audit').select(auditCodec.columns).where('revision', '=', revision);
      const stored = await query.orderBy('id').limit(limit).execute();
      return stored.map((row) => auditCodec.decode(row as Stored<AuditRow>));
    },
    async append(entry) {
      const { id: _, ...stored } = auditCodec.encode({ id: 0, ...entry });
      await tx.insertInto('audit').values(stored).execute();
    },
  };
}

function metaTable(tx: Kysely<Tables>): StoreWriter['meta'] {
  return {
    async get(key) {
      const row = await tx.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst();
      return row?.value;
    },
    async set(key, value) {
      await sql`insert into meta (key, value) values (${key}, ${value}) on conflict (key) do update set value = ${value}`.execute(tx);
    },
    async remove(key) {
      const result = await tx.deleteFrom('meta').where('key', '=', key).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}
