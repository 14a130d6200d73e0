import { visibleText } from '../../settings/visible-text.ts';
import { cutToWidth, displayWidth } from './display-width.ts';
import type { Style, StyleName } from './style.ts';

export interface Column<T> {
  readonly title: string;
  /** The cell's text; control characters are made visible by the table. */
  readonly text: (item: T) => string;
  readonly align?: 'right';
  /** May be cut where the terminal is too narrow. */
  readonly shrinks?: true;
  readonly style?: (item: T) => StyleName | undefined;
}

const gap = '  ';
const narrowest = 8;

/** Lines of a table: a head and a row per item. `width` is the terminal's; undefined means nothing is cut. */
export function formatTable<T>(columns: readonly Column<T>[], list: readonly T[], width: number | undefined, style: Style): string {
  const rows = list.map((item) => columns.map((column) => visibleText(column.text(item)) || '-'));
  const widths = columns.map((column, at) => Math.max(displayWidth(column.title), ...rows.map((row) => displayWidth(row[at] ?? ''))));
  if (width !== undefined) shrink(columns, widths, width);

  const line = (cells: readonly string[], styleAt: (at: number) => StyleName | undefined): string => {
    const padded = cells.map((cell, at) => {
      const room = widths[at] ?? 0;
      const text = cutToWidth(cell, room);
      const padding = ' '.repeat(Math.max(0, room - displayWidth(text)));
      const name = styleAt(at);
      const shownText = name === undefined ? text : style(name, text);
      if (columns[at]?.align === 'right') return padding + shownText;
      return at === columns.length - 1 ? shownText : shownText + padding;
    });
    return `${padded.join(gap)}\n`;
  };
  const head = line(
    columns.map(({ title }) => title),
    () => 'bold',
  );
  return head + rows.map((row, index) => line(row, (at) => columns[at]?.style?.(list[index] as T))).join('');
}

/** Takes from the widest column that may shrink, until the table fits or nothing is left to take. */
function shrink<T>(columns: readonly Column<T>[], widths: number[], width: number): void {
  let excess = widths.reduce((sum, each) => sum + each, 0) + gap.length * (columns.length - 1) - width;
  while (excess > 0) {
    let widest = -1;
    for (const [at, column] of columns.entries()) {
      const room = widths[at] ?? 0;
      if (column.shrinks && room > Math.max(narrowest, displayWidth(column.title)) && room > (widths[widest] ?? 0)) widest = at;
    }
    if (widest === -1) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
}
