import { DatabaseSync } from 'node:sqlite';

export interface AuditRow {
  readonly id: number;
  readonly actor_kind: string;
  readonly actor_label: string;
  readonly action: string;
  readonly resource_id: string;
  readonly revision: number | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Revision of the gateway config as the database has it, read from outside. */
export function revisionIn(directory: string): number {
  return rows(directory, 'SELECT revision FROM gateway_state')[0]!['revision'] as number;
}

/** The audit rows of one resource, oldest first. */
export function auditOf(directory: string, resourceId: string): AuditRow[] {
  return rows(
    directory,
    'SELECT id, actor_kind, actor_label, action, resource_id, revision, detail FROM audit WHERE resource_id = ? ORDER BY id',
    resourceId,
  ).map((row) => ({ ...row, detail: JSON.parse(row['detail'] as string) as object }) as unknown as AuditRow);
}

function rows(directory: string, query: string, ...values: string[]): Record<string, unknown>[] {
  using database = new DatabaseSync(`${directory}/apigate.db`, { readOnly: true });
  return database.prepare(query).all(...values);
}
