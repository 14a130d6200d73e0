import { useDocumentVisibility } from '@mantine/hooks';
import { useEffect, useMemo } from 'react';
import { useObservable } from '../../api/observable-value.ts';
import { queryOf, type LiveSearch } from './live-search.ts';
import { RequestTail, type TailState } from './request-tail.ts';

/** Follows requests while the page is looked at; a tab in the background listens to nothing and catches up afterwards. */
export function useRequestTail(search: LiveSearch): { readonly tail: RequestTail; readonly state: TailState } {
  const filter = new URLSearchParams(queryOf(search)).toString();
  const tail = useMemo(() => new RequestTail(Object.fromEntries(new URLSearchParams(filter))), [filter]);
  const isHidden = useDocumentVisibility() === 'hidden';
  useEffect(() => {
    if (isHidden) return undefined;
    const stopping = new AbortController();
    void tail.follow(stopping.signal);
    return () => stopping.abort();
  }, [tail, isHidden]);
  return { tail, state: useObservable(tail.state) };
}
