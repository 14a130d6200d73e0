import { textOf } from './cells.ts';
import type { Column } from './format-table.ts';
import type { Item } from './printer.ts';
import type { StyleName } from './style.ts';

/** Finished requests in tables. */
export const requestColumns: readonly Column<Item>[] = [
  { title: 'TIME', text: clockTime },
  { title: 'STATUS', text: statusOf, style: statusStyle },
  { title: 'METHOD', text: textOf('method') },
  { title: 'HOST', text: textOf('host'), shrinks: true },
  { title: 'PATH', text: textOf('path'), shrinks: true },
  { title: 'MS', text: (item) => Number(item['duration_ms'] ?? 0).toFixed(1), align: 'right' },
  { title: 'ROUTE', text: nameOrId('route'), shrinks: true },
  { title: 'UPSTREAM', text: nameOrId('upstream'), shrinks: true },
  { title: 'KEY', text: nameOrId('key'), shrinks: true },
  { title: 'WHAT', text: whatOf, style: statusStyle },
  { title: 'ID', text: textOf('id'), style: () => 'dim' },
];

/** With the date where it is not today's would be guessing about zones: UTC, as everywhere. */
export function clockTime(item: Item): string {
  return textOf('time')(item).replace(/^.*T/, '').replace(/Z$/, '');
}

export function statusOf(item: Item): string {
  return item['status'] === null ? 'none' : textOf('status')(item);
}

export function statusStyle(item: Item): StyleName | undefined {
  if (item['failed'] === true) return 'red';
  const status = Number(item['status'] ?? 0);
  return item['status'] === null || status >= 400 ? 'yellow' : status >= 200 && status < 300 ? 'green' : undefined;
}

export function nameOrId(field: string): (item: Item) => string {
  return (item) => textOf(field)(item) || textOf(`${field}_id`)(item);
}

/** The code where there is one; else how it ended, unless that was well. */
export function whatOf(item: Item): string {
  const outcome = textOf('outcome')(item);
  return textOf('code')(item) || (outcome === 'ok' ? '' : outcome);
}
