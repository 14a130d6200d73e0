/** Filters of the list of revisions, as the API takes them. */
export interface HistorySearch {
  /** Id or label of who acted, or the kind. */
  readonly actor?: string;
  /** Id or name of what was changed, or its type. */
  readonly resource?: string;
}

export interface DiffSearch {
  readonly from?: number;
  /** The present one when it is left out. */
  readonly to?: number;
}

export function readHistorySearch(search: Record<string, unknown>): HistorySearch {
  const text = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number';
  const { actor, resource } = search;
  return { ...(text(actor) ? { actor: String(actor) } : {}), ...(text(resource) ? { resource: String(resource) } : {}) };
}

export function readDiffSearch(search: Record<string, unknown>): DiffSearch {
  const revision = (value: unknown): number | undefined =>
    Number.isSafeInteger(Number(value)) && Number(value) >= 0 ? Number(value) : undefined;
  const from = search['from'] === undefined ? undefined : revision(search['from']);
  const to = search['to'] === undefined ? undefined : revision(search['to']);
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}
