import { GatewayError, type FieldError } from '../errors/gateway-error.ts';
import type { AuditRecord } from '../model/audit.ts';
import type { AuditFilter, AuditRow, Store } from '../store/store.ts';
import type { Page } from './control-context.ts';

/** How long the audit log is kept, in milliseconds: a year and a month, so that whoever looks once a year finds all of it. */
export const auditKept = 400 * 24 * 60 * 60 * 1_000;
/** Rows that are forgotten in one transaction. */
const pruneBatch = 500;

export interface AuditQuery {
  /** 1 to 500; 100 when not given. */
  readonly limit?: number;
  readonly cursor?: string;
  /** `upstream.create`, or `upstream` for all that happens to upstreams. */
  readonly action?: string;
  /** Id or label of who acted, or the kind: `cli`. */
  readonly actor?: string;
  /** Id or name of what was changed, or its type: `upstream`. */
  readonly resource?: string;
  /** ISO 8601; from this time on. */
  readonly since?: string;
  /** ISO 8601; before this time. */
  readonly until?: string;
}

/**
 * The audit log, newest first. The cursor is the id of the last entry of the page before, so that new entries neither
 * repeat nor hide others.
 * @throws GatewayError `validation_failed`
 */
export async function listAudit(store: Store, query: AuditQuery): Promise<Page<AuditRecord>> {
  const errors: FieldError[] = [];
  const time = (field: 'since' | 'until'): number | undefined => {
    const text = query[field];
    const at = text === undefined ? undefined : timeOf(text);
    if (at !== undefined && Number.isNaN(at)) errors.push({ field, message: 'must be a time such as 2027-01-31T00:00:00Z, or a date' });
    return at;
  };
  const since = time('since');
  const until = time('until');
  const before = query.cursor === undefined ? undefined : Number(query.cursor);
  if (query.cursor !== undefined && !/^[1-9]\d{0,14}$/.test(query.cursor))
    errors.push({ field: 'cursor', message: 'leads nowhere; begin again without it' });
  if (errors.length > 0) throw new GatewayError('validation_failed', { errors });
  const filter: AuditFilter = {
    limit: query.limit ?? 100,
    ...(before === undefined ? {} : { before }),
    ...(query.action === undefined ? {} : { action: query.action }),
    ...(query.actor === undefined ? {} : { actor: query.actor }),
    ...(query.resource === undefined ? {} : { resource: query.resource }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
  const { rows, total, more } = await store.read((tx) => tx.audit.list(filter));
  const last = rows.at(-1);
  return { data: rows.map(recordOf), total, next_cursor: more && last !== undefined ? String(last.id) : null };
}

/**
 * Forgets what nobody needs any more: audit rows older than `auditKept`, sessions that are over, and records of removals
 * that the gateway has followed long ago. In small transactions, so that a change never waits long for one.
 * @param followed the revision that the only gateway of this database serves
 */
export async function pruneHistory(
  store: Store,
  now: number,
  followed: number,
  sessionIdleLimit: number,
): Promise<{ readonly audit: number; readonly removals: number; readonly sessions: number }> {
  let audit = 0;
  for (;;) {
    const removed = await store.write((tx) => tx.audit.removeBefore(now - auditKept, pruneBatch));
    audit += removed;
    if (removed < pruneBatch) break;
  }
  const { removals, sessions } = await store.write(async (tx) => ({
    removals: followed > removalsKept ? await tx.forgetRemoved(followed - removalsKept) : 0,
    sessions: await tx.sessions.removeExpired(now, now - sessionIdleLimit),
  }));
  return { audit, removals, sessions };
}

/** Revisions for which removals are remembered, beyond what the gateway serves. A full publish needs none. */
const removalsKept = 1_000;

function recordOf(row: AuditRow): AuditRecord {
  return { ...row, at: new Date(row.at).toISOString() };
}

function timeOf(text: string): number {
  const shape = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;
  return shape.test(text) ? Date.parse(text) : Number.NaN;
}
