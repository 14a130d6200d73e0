import { Link, useLocation } from '@tanstack/react-router';
import classes from './tab-links.module.css';
import { useShownTab } from './use-shown-tab.ts';

export interface TabLinksProps {
  /** For screen readers, which take it for navigation: each tab has an address of its own. */
  readonly label: string;
  readonly tabs: readonly { readonly label: string; readonly to: string }[];
}

/** Tabs of a page that are pages themselves. */
export function TabLinks({ label, tabs }: TabLinksProps) {
  const { pathname } = useLocation();
  const row = useShownTab<HTMLElement>(pathname);
  return (
    <nav ref={row} aria-label={label} className={classes['tabs']}>
      {tabs.map(({ label, to }) => (
        <Link key={to} to={to} className={classes['tab']} activeOptions={{ exact: true, includeSearch: false }}>
          {label}
        </Link>
      ))}
    </nav>
  );
}
