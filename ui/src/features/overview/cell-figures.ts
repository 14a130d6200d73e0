import type { Traffic } from '../../api/admin-schema.ts';

type Frame = Pick<Traffic, 'from' | 'cells' | 'cell_ms' | 'last_cell_ms' | 'since'>;

/** Counts of cells as rates by the second; null where the gateway was not counting yet. */
export function ratesOf(counts: readonly number[], frame: Frame): (number | null)[] {
  const { from, cells, cell_ms: length, last_cell_ms: last, since } = frame;
  const began = Date.parse(since);
  return counts.map((count, cell) => {
    if (Date.parse(from) + (cell + 1) * length <= began) return null;
    return count / ((cell === cells - 1 ? Math.max(last, 1) : length) / 1_000);
  });
}

export function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** The latest figure that is known. */
export function latest(values: readonly (number | null)[]): number | undefined {
  return values.findLast((value) => value !== null) ?? undefined;
}

export function highest(values: readonly (number | null)[]): number | undefined {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** `0`, `0.4`, `12`, `1,234`. */
export function figureText(value: number): string {
  return (value < 10 ? Math.round(value * 10) / 10 : Math.round(value)).toLocaleString('en');
}

/** `0 %`, `0.02 %`, `7 %`: never `0 %` for a few among many; `—` of nothing. */
export function shareText(part: number, whole: number): string {
  if (whole === 0) return '—';
  if (part === 0) return '0 %';
  const percent = (100 * part) / whole;
  return percent < 0.01 ? '< 0.01 %' : `${percent < 10 ? Math.round(percent * 100) / 100 : Math.round(percent)} %`;
}
