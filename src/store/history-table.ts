import { type Kysely, sql } from 'kysely';
import { apiKeyDefaults } from '../model/api-key.ts';
import { routeDefaults } from '../model/route.ts';
import { upstreamDefaults } from '../model/upstream.ts';
import type { ApiKeyRow, HistoryWriter, RememberedKeyRow, RevisionFilter, RevisionRow, RouteRow, UpstreamRow } from './store.ts';
import type { RowCodec, Tables } from './tables.ts';

/** What is remembered, by the words of the audit log. */
export type RememberedType = 'upstream' | 'route' | 'key';

/** How the rows of each type lie in their table, which is also how they are remembered. */
export interface HistoryCodecs {
  readonly upstream: RowCodec<UpstreamRow>;
  readonly route: RowCodec<RouteRow>;
  readonly key: RowCodec<ApiKeyRow>;
}

/**
 * Columns that are no part of what a revision says. The hash of an API key is not kept: a deleted key never comes back, and
 * that of an existing one never changes. What is sealed has a column of its own, where a rotation of the key finds it.
 */
const leftOut = ['auth_value_sealed', 'name_folded', 'hash', 'last_used_at'] as const;

/** What a row holds that was stored before there was such a field. */
const defaultsOf = { upstream: upstreamDefaults, route: routeDefaults, key: apiKeyDefaults } as const;

/** What is remembered of a row as it is stored, or for null of its removal. Written with the row, in its transaction. */
export async function remember(
  tx: Kysely<Tables>,
  type: RememberedType,
  id: string,
  revision: number,
  stored: object | null,
): Promise<void> {
  const { row, sealed } = stored === null ? { row: null, sealed: null } : rememberedForm(stored);
  // A row that is put twice in one transaction is remembered as it was left.
  await sql`insert into row_history (resource_id, revision, resource_type, content, auth_value_sealed)
    values (${id}, ${revision}, ${type}, ${row}, ${sealed})
    on conflict (resource_id, revision) do update set content = excluded.content, auth_value_sealed = excluded.auth_value_sealed`.execute(
    tx,
  );
}

function rememberedForm(stored: object): { readonly row: string; readonly sealed: string | null } {
  const fields: Record<string, unknown> = { ...stored };
  const sealed = fields['auth_value_sealed'];
  for (const column of leftOut) delete fields[column];
  return { row: JSON.stringify(fields), sealed: typeof sealed === 'string' ? sealed : null };
}

/** What revisions looked like and who made them, in one open transaction. */
export function historyTable(tx: Kysely<Tables>, codecs: HistoryCodecs): HistoryWriter {
  const state = async () => await tx.selectFrom('history_state').selectAll().executeTakeFirstOrThrow();
  return {
    async from() {
      return (await state()).from_revision;
    },

    async at(revision) {
      // Rows get their ids in order, so that the highest id of a resource is its latest row. In order of id the first row is there
      // before the last has been looked for.
      const latest = tx
        .selectFrom('row_history')
        .select((is) => is.fn.max('id').as('id'))
        .where('revision', '<=', revision)
        .groupBy('resource_id');
      const rows = tx
        .selectFrom('row_history')
        .select(['resource_type', 'content', 'auth_value_sealed'])
        .where('id', 'in', latest)
        .where('content', 'is not', null)
        .orderBy('id')
        .stream();
      const upstreams: UpstreamRow[] = [];
      const routes: RouteRow[] = [];
      const keys: RememberedKeyRow[] = [];
      for await (const { resource_type: type, content, auth_value_sealed } of rows) {
        const stored = storedForm(codecs[type], type, content as string);
        if (type === 'upstream') upstreams.push(codecs.upstream.decode({ ...stored, auth_value_sealed } as never));
        else if (type === 'route') routes.push(codecs.route.decode(stored as never));
        else keys.push(rememberedKey(codecs.key.decode(stored as never)));
      }
      return { upstreams, routes, keys };
    },

    async revisions(filter) {
      const { from_revision } = await state();
      const all = revisionsIn(tx, from_revision, filter);
      const { total } = await all.select((is) => is.fn.count<number>('revision').distinct().as('total')).executeTakeFirstOrThrow();
      const page = await all
        .$if(filter.before !== undefined, (query) => query.where('revision', '<', filter.before!))
        .select('revision')
        .groupBy('revision')
        .orderBy('revision', 'desc')
        .limit(filter.limit + 1)
        .execute();
      const rows: RevisionRow[] = [];
      for (const { revision } of page.slice(0, filter.limit)) {
        const actions = await tx
          .selectFrom('audit')
          .select((is) => ['action', is.fn.countAll<number>().as('count')])
          .where('revision', '=', revision)
          .groupBy('action')
          .orderBy('action')
          .execute();
        rows.push({ revision: revision as number, actions: new Map(actions.map(({ action, count }) => [action, count])) });
      }
      return { rows, total, more: page.length > filter.limit };
    },

    async prune({ revisions, rows, atMost }) {
      const { from, pruned, floor, next } = await pruningState(tx, revisions, rows);
      if (floor > from) await tx.updateTable('history_state').set({ from_revision: floor }).execute();
      const upTo = Math.max(floor, from);
      if (next === null || next > upTo) return 0;
      // Each row makes the one before it, of the same resource, superfluous once no revision in between can be asked for.
      const due = await tx
        .selectFrom('row_history')
        .select(['id', 'revision'])
        .where('id', '>', pruned)
        .orderBy('id')
        .limit(atMost)
        .execute();
      const end = due.findIndex(({ revision }) => revision > upTo);
      const last = (end === -1 ? due : due.slice(0, end)).at(-1)?.id;
      if (last === undefined) return 0;
      const superseded = tx
        .selectFrom('row_history as newer')
        .innerJoin('row_history as older', 'older.resource_id', 'newer.resource_id')
        .whereRef('older.revision', '<', 'newer.revision')
        .where('newer.id', '>', pruned)
        .where('newer.id', '<=', last)
        .select('older.id');
      const removed = await tx.deleteFrom('row_history').where('id', 'in', superseded).executeTakeFirst();
      const removals = await tx
        .deleteFrom('row_history')
        .where('id', '>', pruned)
        .where('id', '<=', last)
        .where('content', 'is', null)
        .executeTakeFirst();
      await tx.updateTable('history_state').set({ pruned_id: last }).execute();
      return Number(removed.numDeletedRows + removals.numDeletedRows);
    },
  };
}

function revisionsIn(tx: Kysely<Tables>, from: number, { actor, resource }: RevisionFilter) {
  // The revision that everything began with is nobody's change.
  let query = tx.selectFrom('audit').where('revision', '>=', Math.max(from, 1));
  if (actor !== undefined) {
    query = query.where((is) =>
      is.or([is('actor_id', '=', actor), is('actor_label', '=', actor), is(sql<string>`actor_kind`, '=', actor)]),
    );
  }
  if (resource !== undefined) {
    query = query.where((is) =>
      is.or([is('resource_id', '=', resource), is('resource_name', '=', resource), is('resource_type', '=', resource)]),
    );
  }
  return query;
}

interface PruningState {
  readonly from: number;
  /** Up to this id all is done. */
  readonly pruned: number;
  /** The oldest revision to keep: so many back, or later where there are more rows than that, but never the latest alone. */
  readonly floor: number;
  /** The revision of the first row that is not looked at yet. */
  readonly next: number | null;
}

/** In one query, since every change asks. Rows get their ids in order, so that those after a row are of the same revision or later. */
async function pruningState(tx: Kysely<Tables>, revisions: number, rows: number): Promise<PruningState> {
  const found = await sql<Pick<PruningState, 'from' | 'pruned' | 'next'> & { present: number; by_rows: number | null }>`
    select history_state.from_revision as "from", history_state.pruned_id as pruned, gateway_state.revision as present,
      (select revision from row_history where id > history_state.pruned_id order by id limit 1) as next,
      (select revision from row_history where id <= (select max(id) from row_history) - ${rows} order by id desc limit 1) as by_rows
    from history_state, gateway_state`.execute(tx);
  const { by_rows, present, ...state } = found.rows[0]!;
  return { ...state, floor: Math.min(Math.max(present - revisions, by_rows ?? 0), present - 1) };
}

/** A row as its table would hold it now. */
function storedForm(codec: HistoryCodecs[RememberedType], type: RememberedType, content: string): Record<string, unknown> {
  const stored = JSON.parse(content) as Record<string, unknown>;
  const defaults: object = defaultsOf[type];
  const missing = Object.keys(defaults).filter((field) => !Object.hasOwn(stored, field));
  if (missing.length === 0) return stored;
  const encoded = codec.encode(defaults as never) as unknown as Readonly<Record<string, unknown>>;
  for (const field of missing) stored[field] = encoded[field];
  return stored;
}

function rememberedKey({ hash: _hash, last_used_at: _unused, ...row }: ApiKeyRow): RememberedKeyRow {
  return row;
}
