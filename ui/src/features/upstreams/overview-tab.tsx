import { Anchor, Group, SegmentedControl, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { TimelineEvent } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { readApi } from '../../api/call-api.ts';
import { useLive } from '../../api/use-live.ts';
import { causeText } from '../../components/cause-text.ts';
import { ErrorState } from '../../components/error-state.tsx';
import { lazyPart } from '../../components/lazy-part.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { LiveControl } from './live-control.tsx';
import classes from './upstream-page.module.css';
import { trafficWindows, useUpstreamTraffic, type TrafficWindow } from './upstream-queries.ts';
import type { UpstreamRow } from './upstream-row.ts';

const skeleton = <Skeleton height={420} />;
const UpstreamCharts = lazyPart(async () => (await import('./upstream-charts.tsx')).UpstreamCharts, skeleton);

/** How an upstream did of late. */
export function OverviewTab({ row, window }: { readonly row: UpstreamRow; readonly window: TrafficWindow }) {
  const { upstream, state, problem } = row;
  const navigate = useNavigate();
  const traffic = useUpstreamTraffic(upstream.id, window);
  const events = useUpstreamEvents(upstream.id);
  const from = traffic.data === undefined ? 0 : Date.parse(traffic.data.from);
  const shown = useMemo(() => (events.data ?? []).filter(({ time }) => time !== null && Date.parse(time) >= from), [events.data, from]);
  const choose = (wanted: string): void => {
    void navigate({ to: '.', search: wanted === '5m' ? {} : { window: wanted as '15m' | '1h' | '6h' }, replace: true });
  };
  return (
    <Stack>
      {problem !== null && state !== 'healthy' && <ProblemNotice kind={state === 'failing' ? 'danger' : 'warning'} problem={problem} />}
      <Group justify="space-between">
        <SegmentedControl
          aria-label="How far back"
          value={window}
          onChange={choose}
          data={trafficWindows.map((each) => ({ value: each, label: each.replace('m', ' min').replace('h', ' h') }))}
        />
        <LiveControl />
      </Group>
      {traffic.data !== undefined ? (
        <UpstreamCharts traffic={traffic.data} maxIdle={upstream.max_idle_conns} events={shown} />
      ) : traffic.isError ? (
        <ErrorState problem={problemOf(traffic.error)} onRetry={() => void traffic.refetch()} />
      ) : (
        skeleton
      )}
      <section className="surface" aria-labelledby="what-happened">
        <Text id="what-happened" component="h2" fw={650} fz="sm" px="md" pt="sm">
          What happened in that time
        </Text>
        {shown.length === 0 ? (
          <Text size="sm" c="dimmed" px="md" pb="md" pt={4}>
            No change of its config and none of its health.
          </Text>
        ) : (
          <ul className={classes['events']}>
            {shown.map((event) => (
              <li key={event.kind === 'health' ? `h${event.id}` : `r${event.revision}`}>
                <EventWords event={event} />
              </li>
            ))}
          </ul>
        )}
      </section>
    </Stack>
  );
}

function EventWords({ event }: { readonly event: TimelineEvent }) {
  const { time } = event;
  if (event.kind === 'health') {
    return (
      <>
        <span>
          <b>{event.to === 'failing' ? '▲ Failing' : event.to === 'healthy' ? '● Healthy' : event.to}</b> (was {event.from}):{' '}
          {causeText(event)}
        </span>
        <Text size="xs" c="dimmed" span>
          {time !== null && <TimeAgo time={time} />}
        </Text>
      </>
    );
  }
  return (
    <>
      <span>
        ┆{' '}
        <Anchor component={Link} to={`/history/${event.revision}`} fz="sm" underline="always">
          Revision {event.revision}
        </Anchor>{' '}
        by {event.actor?.label || event.actor?.kind || 'somebody'}
      </span>
      <Text size="xs" c="dimmed" span>
        {time !== null && <TimeAgo time={time} />}
      </Text>
    </>
  );
}

function useUpstreamEvents(id: string) {
  const { refetchInterval } = useLive();
  return useQuery({
    queryKey: ['events', 'list', { upstream: id }],
    queryFn: async ({ signal }) => (await readApi('/admin/events', { query: { upstream: id, limit: '100' } }, signal)).data,
    refetchInterval,
  });
}
