import { useNavigate, useSearch } from '@tanstack/react-router';

/** What every list keeps in its URL. For `validateSearch` of its route. */
export interface ListSearch {
  /** Part of the name. */
  readonly q?: string;
}

/** Takes what somebody typed into the address bar for what it is: `?q=123` is text, not a number. */
export function readListSearch(search: Record<string, unknown>): ListSearch {
  const { q } = search;
  return typeof q === 'string' || typeof q === 'number' ? { q: String(q) } : {};
}

/** The search of the list that is shown, and how to change it without a step in the browser's history for each key. */
export function useListSearch(): { readonly q: string; readonly setQ: (q: string) => void } {
  const { q = '' } = useSearch({ strict: false }) as ListSearch;
  const navigate = useNavigate();
  const setQ = (text: string): void => {
    void navigate({ to: '.', search: (before) => withSearch(before, text), replace: true });
  };
  return { q, setQ };
}

function withSearch<Search extends ListSearch>(before: Search, text: string): Search {
  const { q: _before, ...others } = before;
  return { ...others, ...(text === '' ? {} : { q: text }) } as Search;
}
