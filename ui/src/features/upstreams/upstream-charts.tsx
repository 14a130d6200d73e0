import { SimpleGrid } from '@mantine/core';
import { useMemo } from 'react';
import type { TimelineEvent, UpstreamTraffic } from '../../api/admin-schema.ts';
import { rateText, tookText } from '../../components/figures.ts';
import { TimeChart, type ChartMark, type ChartSeries } from '../../components/time-chart.tsx';

export interface UpstreamChartsProps {
  readonly traffic: UpstreamTraffic;
  readonly maxIdle: number;
  readonly events: readonly TimelineEvent[];
}

/** The last cell has just begun: rates of so little time are noise. */
const tooShort = 3_000;

/** Rate, latency, errors and pool, with what happened marked. Loaded when somebody looks: it brings the library that draws. */
export function UpstreamCharts({ traffic, maxIdle, events }: UpstreamChartsProps) {
  const drawn = useMemo(() => chartsOf(traffic), [traffic]);
  const marks = useMemo(() => events.flatMap(markOf), [events]);
  const { times } = drawn;
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }}>
      <TimeChart title="Requests" times={times} series={drawn.rate} show={rateText} marks={marks} />
      <TimeChart title="Latency until the answer began" times={times} series={drawn.latency} show={tookText} marks={marks} />
      <TimeChart title="Errors by cause" times={times} series={drawn.errors} show={rateText} marks={marks} />
      <TimeChart
        title={`Connections (at most ${maxIdle.toLocaleString('en')} idle)`}
        times={times}
        series={drawn.pool}
        show={(value) => String(Math.round(value))}
        marks={marks}
      />
    </SimpleGrid>
  );
}

function chartsOf(traffic: UpstreamTraffic) {
  const { from, since, cell_ms: cell, last_cell_ms: last, cells } = traffic;
  const begin = Date.parse(from);
  const counted = Date.parse(since);
  const times = Array.from({ length: cells }, (_, index) => begin + index * cell);
  // Cells from before the gateway counted know nothing, and the one that has just begun next to nothing.
  const known = times.map((time, index) => time + cell > counted && (index < cells - 1 || last >= tooShort));
  const perSecond = (counts: readonly number[]): (number | null)[] =>
    counts.map((count, index) => (known[index] === true ? (count * 1_000) / (index === cells - 1 ? last : cell) : null));
  const gauge = (values: readonly number[]): (number | null)[] =>
    values.map((value, index) => (times[index]! + cell > counted ? value : null));
  const causes = Object.entries(traffic.errors_by_code).map(([code, counts], index): ChartSeries => ({
    label: code,
    values: perSecond(counts),
    tone: index + 2,
  }));
  const line = (label: string, values: readonly (number | null)[], tone = 0): ChartSeries => ({ label, values, tone });
  return {
    times,
    rate: [line('requests', perSecond(traffic.requests))],
    latency: [line('p50', traffic.p50_ms), line('p95', traffic.p95_ms, 1), line('p99', traffic.p99_ms, 2)],
    errors: [line('answered 5xx', perSecond(traffic.server_errors), 1), ...causes],
    pool: [line('active', gauge(traffic.active)), line('idle', gauge(traffic.idle), 1)],
  };
}

function markOf(event: TimelineEvent): ChartMark[] {
  if (event.time === null) return [];
  const at = Date.parse(event.time);
  if (event.kind === 'revision') return [{ at, kind: 'config' }];
  return [{ at, kind: event.to === 'failing' ? 'failing' : 'healthy' }];
}
