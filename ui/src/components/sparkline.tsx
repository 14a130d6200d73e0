import classes from './sparkline.module.css';

export interface SparklineProps {
  /** Oldest first; null where nothing is known. */
  readonly values: readonly (number | null)[];
  /** What it shows, for those who cannot see it: "Requests of the last 5 minutes". */
  readonly label: string;
  readonly width?: number;
  readonly height?: number;
}

/** The course of a figure, small enough for a table. Its scale begins at 0. */
export function Sparkline({ values, label, width = 76, height = 20 }: SparklineProps) {
  const known = values.filter((value) => value !== null);
  const top = Math.max(...known, 0);
  const step = values.length > 1 ? width / (values.length - 1) : width;
  const y = (value: number): number => height - 1 - (top === 0 ? 0 : (value / top) * (height - 2));
  return (
    <svg className={classes['line']} width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <path className={classes['base']} d={`M0 ${height - 0.5}H${width}`} />
      {stretchesOf(values).map(({ from, stretch }) => {
        const points = stretch.map((value, index) => `${round((from + index) * step)} ${round(y(value))}`);
        // A lone value is a dot.
        const line = points.length === 1 ? `M${points[0]}h1` : `M${points.join('L')}`;
        const end = round((from + stretch.length - 1) * step);
        return (
          <g key={from}>
            {points.length > 1 && <path className={classes['area']} d={`${line}L${end} ${height}L${round(from * step)} ${height}Z`} />}
            <path className={classes['stroke']} d={line} />
          </g>
        );
      })}
    </svg>
  );
}

/** Values that follow one another without a gap. */
function stretchesOf(values: readonly (number | null)[]): { readonly from: number; readonly stretch: number[] }[] {
  const stretches: { from: number; stretch: number[] }[] = [];
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    const last = stretches.at(-1);
    if (last !== undefined && last.from + last.stretch.length === index) last.stretch.push(value);
    else stretches.push({ from: index, stretch: [value] });
  }
  return stretches;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
