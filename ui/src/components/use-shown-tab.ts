import { useEffect, useRef, type RefObject } from 'react';

/** For a row of tabs that a phone has no room for: moves the chosen one into sight. `chosen` changes with it, and with what is said on the tabs. */
export function useShownTab<Row extends HTMLElement>(chosen: string): RefObject<Row | null> {
  const row = useRef<Row>(null);
  useEffect(() => {
    const tab = row.current?.querySelector<HTMLElement>('[aria-selected="true"], [aria-current="page"]');
    if (row.current === null || tab === null || tab === undefined) return;
    // Not scrollIntoView, which moves the page as well.
    const [within, of] = [row.current.getBoundingClientRect(), tab.getBoundingClientRect()];
    if (of.left < within.left) row.current.scrollLeft += of.left - within.left;
    else if (of.right > within.right) row.current.scrollLeft += Math.ceil(of.right - within.right);
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- another one is chosen then
  }, [chosen]);
  return row;
}
