import { Link } from '@tanstack/react-router';
import classes from './tab-links.module.css';

export interface TabLinksProps {
  /** For screen readers, which take it for navigation: each tab has an address of its own. */
  readonly label: string;
  readonly tabs: readonly { readonly label: string; readonly to: string }[];
}

/** Tabs of a page that are pages themselves. */
export function TabLinks({ label, tabs }: TabLinksProps) {
  return (
    <nav aria-label={label} className={classes['tabs']}>
      {tabs.map(({ label, to }) => (
        <Link key={to} to={to} className={classes['tab']} activeOptions={{ exact: true, includeSearch: false }}>
          {label}
        </Link>
      ))}
    </nav>
  );
}
