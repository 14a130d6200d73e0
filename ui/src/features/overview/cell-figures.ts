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

/** null where there is nothing to have a share of. */
export function shareOf(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
