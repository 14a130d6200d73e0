import { pagesQuery } from '../../components/use-pages.ts';
import type { HistorySearch } from './history-search.ts';

/** Revisions that a search finds, newest first. */
export const historyQuery = (search: HistorySearch) => pagesQuery('history', '/admin/history', { ...search }, 50);
