import type { HealthState } from './upstream-row.ts';
import type { Place } from '../../components/unsaved-input.ts';
import { readListSearch, type ListSearch } from '../../components/use-list-search.ts';

const states: readonly unknown[] = ['healthy', 'failing', 'unknown', 'disabled'] satisfies HealthState[];

/** What the list keeps in its URL. */
export interface UpstreamListSearch extends ListSearch {
  readonly state?: HealthState;
}

export function readUpstreamListSearch(search: Record<string, unknown>): UpstreamListSearch {
  const { state } = search;
  return { ...readListSearch(search), ...(states.includes(state) ? { state: state as HealthState } : {}) };
}

export const upstreamTabs = ['overview', 'routes', 'settings', 'credential', 'failures', 'history'] as const;
export type UpstreamTab = (typeof upstreamTabs)[number];
const windows: readonly unknown[] = ['15m', '1h', '6h'];

/** What an upstream's page keeps in its URL. The first tab and the shortest window are not told. */
export interface UpstreamPageSearch {
  readonly tab?: Exclude<UpstreamTab, 'overview'>;
  readonly window?: '15m' | '1h' | '6h';
}

export function readUpstreamPageSearch({ tab, window }: Record<string, unknown>): UpstreamPageSearch {
  return {
    ...((upstreamTabs as readonly unknown[]).includes(tab) && tab !== 'overview'
      ? { tab: tab as NonNullable<UpstreamPageSearch['tab']> }
      : {}),
    ...(windows.includes(window) ? { window: window as NonNullable<UpstreamPageSearch['window']> } : {}),
  };
}

/** Whether what was typed on a tab is still there afterwards: only the tab that is looked at is in the page. */
export function isSameTab(from: Place, to: Place): boolean {
  const tabOf = ({ search }: Place): unknown => (search as UpstreamPageSearch).tab;
  return from.pathname === to.pathname && tabOf(from) === tabOf(to);
}
