import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useMemo, useRef, useState } from 'react';
import UPlot from 'uplot';
import classes from './time-chart.module.css';

export interface ChartSeries {
  readonly label: string;
  /** null where nothing is known: the line has a gap. */
  readonly values: readonly (number | null)[];
  /** Which of the chart's colours, from 0. */
  readonly tone: number;
}

/** A moment at which something happened. */
export interface ChartMark {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: 'config' | 'failing' | 'healthy';
}

export interface TimeChartProps {
  readonly title: string;
  /** Milliseconds since 1970, one for each value. */
  readonly times: readonly number[];
  readonly series: readonly ChartSeries[];
  /** A value with its unit. */
  readonly show: (value: number) => string;
  readonly marks?: readonly ChartMark[];
}

const height = 170;
const tones = ['--chart-1', '--chart-2', '--chart-3', '--chart-4', '--chart-5', '--chart-6'] as const;
const markTones = { config: '--mantine-color-dimmed', failing: '--tone-danger', healthy: '--tone-success' } as const;
const noMarks: readonly ChartMark[] = [];

/** Figures over time. What it draws is told in words too: the latest value of each line, or that under the pointer. */
export function TimeChart({ title, times, series, show, marks = noMarks }: TimeChartProps) {
  const scheme = useComputedColorScheme('light');
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<UPlot>(undefined);
  const drawn = useRef({ marks, show });
  const [under, setUnder] = useState<number>();
  const data = useMemo(
    (): UPlot.AlignedData => [times.map((time) => time / 1_000), ...series.map(({ values }) => [...values])],
    [times, series],
  );
  const shape = series.map(({ label, tone }) => `${label}\n${tone}`).join('\n\n');

  useEffect(() => {
    const element = place.current!;
    // The next effect brings the data.
    const made = new UPlot(optionsOf(element, shape, scheme, drawn, setUnder), undefined, element);
    chart.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = undefined;
    };
  }, [shape, scheme]);
  useEffect(() => {
    drawn.current = { marks, show };
    chart.current?.setData(data);
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- shape and scheme make a new chart, which has no data yet
  }, [data, marks, show, shape, scheme]);

  const at = under === undefined ? times.at(-1) : times[under];
  const nothing = isEmpty(series.map(({ values }) => values));
  return (
    <figure className={`surface ${classes['chart']}`}>
      <figcaption className={classes['caption']}>
        <span className={classes['title']}>{title}</span>
        <ul className={classes['legend']}>
          {series.map(({ label, values, tone }) => {
            const value = under === undefined ? values.findLast((each) => each !== null) : values[under];
            return (
              <li key={label}>
                <span className={classes['swatch']} data-tone={tone % tones.length} aria-hidden />
                {label} <b>{value === null || value === undefined ? '—' : show(value)}</b>
              </li>
            );
          })}
          {/* Always there, so that nothing jumps when the pointer comes. */}
          {at !== undefined && <li>at {clockText(at)}</li>}
        </ul>
      </figcaption>
      <div className={classes['place']}>
        <div ref={place} aria-hidden />
        {nothing && <p className={classes['nothing']}>Nothing to show in this time</p>}
      </div>
    </figure>
  );
}

type Drawn = { readonly current: { readonly marks: readonly ChartMark[]; readonly show: (value: number) => string } };

function optionsOf(
  element: HTMLElement,
  shape: string,
  scheme: string,
  drawn: Drawn,
  onCursor: (index: number | undefined) => void,
): UPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const axis: UPlot.Axis = {
    stroke: color('--mantine-color-dimmed'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: `11px ${style.fontFamily}`,
  };
  const lines = shape.split('\n\n').map((text): UPlot.Series => {
    const [label = '', tone = '0'] = text.split('\n');
    return {
      label,
      stroke: color(tones[Number(tone) % tones.length]!),
      width: 1.75,
      // Dashes besides colours: for those who cannot tell these apart.
      ...(Number(tone) === 0 ? {} : { dash: [6, Number(tone) * 2] }),
      points: { show: false },
    };
  });
  return {
    width: element.clientWidth,
    height,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: { range: (_, _low, high) => [0, Number.isFinite(high) && high > 0 ? high * 1.1 : 1] } },
    series: [{}, ...lines],
    axes: [
      { ...axis, space: 70, size: 28, values: (_, splits) => splits.map((seconds) => clockText(seconds * 1_000)) },
      { ...axis, size: 62, values: (chart, splits) => labelsOf(chart, splits, drawn.current.show) },
    ],
    hooks: {
      draw: [(chart) => drawMarks(chart, drawn.current.marks, color)],
      setCursor: [(chart) => onCursor(chart.cursor.idx ?? undefined)],
    },
    class: scheme,
  };
}

function isEmpty(lines: readonly ArrayLike<number | null | undefined>[]): boolean {
  return lines.every((values) => Array.from(values).every((value) => value === null || value === undefined));
}

// What would say the same as the one below it, as halves of whole numbers do, is left out.
function labelsOf(chart: UPlot, splits: readonly number[], show: (value: number) => string): string[] {
  // Of no line there is nothing to read.
  if (isEmpty(chart.data.slice(1))) return splits.map(() => '');
  const texts = splits.map((value) => show(value));
  return texts.map((text, index) => (text === texts[index - 1] ? '' : text));
}

function drawMarks(chart: UPlot, marks: readonly ChartMark[], color: (name: string) => string): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  for (const { at, kind } of marks) {
    const x = Math.round(chart.valToPos(at / 1_000, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = color(markTones[kind]);
    ctx.setLineDash(kind === 'config' ? [4, 4] : []);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

function clockText(at: number): string {
  const text = clock.format(at);
  return text.endsWith(':00') ? text.slice(0, -3) : text;
}
