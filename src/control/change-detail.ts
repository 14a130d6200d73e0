/** What an audit row keeps of a change: the fields that differ, before and after, as the API shows them. */
export type ChangeDetail = Readonly<Record<string, unknown>>;

const longest = 500;
/** These follow from the change itself. */
const consequences = new Set(['updated_at']);

/** Empty when nothing differs. Works on what the API shows, which never holds a secret. */
export function changeDetail(before: object, after: object): ChangeDetail {
  const changed: Record<string, { from: unknown; to: unknown }> = {};
  const earlier = before as Record<string, unknown>;
  for (const [field, to] of Object.entries(after)) {
    if (consequences.has(field) || JSON.stringify(earlier[field]) === JSON.stringify(to)) continue;
    changed[field] = { from: shortened(earlier[field]), to: shortened(to) };
  }
  return Object.keys(changed).length === 0 ? {} : { changed };
}

/** For what is made or removed: the whole of it. */
export function wholeDetail(resource: object): ChangeDetail {
  return Object.fromEntries(Object.entries(resource).map(([field, value]) => [field, shortened(value)]));
}

function shortened(value: unknown): unknown {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text !== undefined && text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : value;
}
