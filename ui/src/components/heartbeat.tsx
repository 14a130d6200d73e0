import classes from './heartbeat.module.css';

/** Height of a cell of 20, and what it says. Failing stands out by its height too, not by colour alone. */
const kinds: Readonly<Record<string, readonly [height: number, word: string]>> = {
  h: [12, 'healthy'],
  f: [20, 'failing'],
  u: [5, 'unknown'],
  d: [5, 'disabled'],
  '-': [2, 'nothing known'],
};

export interface HeartbeatProps {
  /** One letter for each cell, oldest first, as the admin API tells it; '' while nothing is known. */
  readonly cells: string;
  readonly label?: string;
}

/** How an upstream did of late, cell by cell. */
export function Heartbeat({ cells, label = 'Last 5 minutes' }: HeartbeatProps) {
  const shown = cells === '' ? '-'.repeat(30) : cells;
  return (
    <svg className={classes['heartbeat']} viewBox="0 0 180 20" role="img" aria-label={`${label}: ${summaryOf(shown)}`}>
      <title>{`${label}: ${summaryOf(shown)}`}</title>
      {Object.entries(kinds).map(([letter, [height]]) => (
        <path key={letter} className={classes[letter === '-' ? 'none' : letter]} d={barsOf(shown, letter, height)} />
      ))}
    </svg>
  );
}

/** All cells of a kind in one path: a list has hundreds of cells, and is drawn anew every few seconds. */
function barsOf(cells: string, letter: string, height: number): string {
  const bars = Array.from(
    cells,
    (cell, index) => (cell in kinds ? cell : '-') === letter && `M${index * 6} ${20 - height}h4v${height}h-4z`,
  );
  return bars.filter(Boolean).join('');
}

function summaryOf(cells: string): string {
  const counts = Map.groupBy(cells, (cell) => kinds[cell]?.[1] ?? 'nothing known');
  return [...counts].map(([word, { length }]) => (length === cells.length ? word : `${word} ${length} of ${cells.length}`)).join(', ');
}
