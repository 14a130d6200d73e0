import type { Traffic } from '../../api/admin-schema.ts';
import { clockText } from '../../components/local-time.ts';
import classes from './cell-chart.module.css';
import { highest } from './cell-figures.ts';

export interface CellChartProps {
  readonly title: string;
  readonly frame: Pick<Traffic, 'from' | 'cells' | 'cell_ms' | 'window'>;
  /** One for each cell, oldest first; null where nothing is known. */
  readonly values: readonly (number | null)[];
  /** A part of them that is bad, drawn over them. */
  readonly bad?: readonly (number | null)[];
  readonly badName?: string;
  /** A value with its unit. */
  readonly show: (value: number) => string;
}

const height = 40;
const nothing: readonly null[] = [];

/** Figures of cells over time. Said in words too; each cell says its own figure under the pointer. */
export function CellChart({ title, frame, values, bad = nothing, badName = '', show }: CellChartProps) {
  const most = highest(values) ?? 0;
  const top = most === 0 ? 1 : most * 1.08;
  const y = (value: number): number => height - (height * value) / top;
  const start = Date.parse(frame.from);
  const cells = values.map((value, x) => ({ at: start + x * frame.cell_ms, x, value, wrong: bad[x] ?? 0 }));
  const runs = runsOf(values);
  const mostText = values.some((value) => value !== null) ? `at most ${show(most)}` : 'nothing yet';
  return (
    <figure className={`surface ${classes['chart']}`}>
      <figcaption className={classes['caption']}>
        {title}
        <span className={classes['most']}>{mostText}</span>
      </figcaption>
      <svg
        className={classes['plot']}
        viewBox={`0 0 ${values.length} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${mostText}`}
      >
        {[0, height / 2, height].map((line) => (
          <line key={line} className={classes['grid']} x1={0} x2={values.length} y1={line} y2={line} />
        ))}
        {runs.map(({ from, values: run }) => {
          const points = run.map((value, at) => `${from + at + 0.5} ${y(value)}`);
          const [first, last] = [from + 0.5, from + run.length - 0.5];
          return (
            <g key={from}>
              <path className={classes['area']} d={`M${first} ${height} L${points.join(' L')} L${last} ${height} Z`} />
              <path className={classes['line']} d={`M${points.join(' L')}${run.length === 1 ? 'h0.4' : ''}`} />
            </g>
          );
        })}
        {cells.map(({ at, x, wrong }) =>
          wrong === 0 ? null : (
            <rect
              key={at}
              className={classes['bad']}
              x={x + 0.2}
              width={0.6}
              y={Math.min(y(wrong), height - 1.5)}
              height={Math.max(height - y(wrong), 1.5)}
            />
          ),
        )}
        {cells.map(({ at, x, value, wrong }) => (
          <rect key={at} className={classes['cell']} x={x} y={0} width={1} height={height}>
            <title>{`${clockText(at)}: ${value === null ? 'not known' : show(value)}${wrong === 0 ? '' : `, ${show(wrong)} ${badName}`}`}</title>
          </rect>
        ))}
      </svg>
      <div className={classes['times']} aria-hidden>
        <span>{clockText(start)}</span>
        <span>now</span>
      </div>
    </figure>
  );
}

/** Stretches of known values. */
function runsOf(values: readonly (number | null)[]): readonly { readonly from: number; readonly values: readonly number[] }[] {
  const runs: { from: number; values: number[] }[] = [];
  for (const [cell, value] of values.entries()) {
    if (value === null) continue;
    const run = runs.at(-1);
    if (run !== undefined && run.from + run.values.length === cell) run.values.push(value);
    else runs.push({ from: cell, values: [value] });
  }
  return runs;
}
