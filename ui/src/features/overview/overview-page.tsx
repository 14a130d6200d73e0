import { Button, Group, SegmentedControl, SimpleGrid, Stack } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconRocket } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import type { Traffic } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { pauseLive, useLive } from '../../api/use-live.ts';
import { rateText, tookText } from '../../components/figures.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { CellChart } from './cell-chart.tsx';
import { ratesOf } from './cell-figures.ts';
import { overviewTrafficQuery, someUpstreamQuery } from './overview-queries.ts';
import { OverviewTiles } from './overview-tiles.tsx';
import { windows, windowText, type Window } from './overview-search.ts';
import { FailingUpstreams, SlowestUpstreams } from './upstream-lists.tsx';
import { GatewayState, RecentEvents, RecentFailures } from './recent-lists.tsx';

/** How the gateway does, at a glance. */
export function OverviewPage() {
  const { window = '5m' } = useSearch({ from: '/shell/' });
  const live = useLive();
  const traffic = useQuery({ ...overviewTrafficQuery(window), refetchInterval: live.refetchInterval });
  const upstreams = useQuery(someUpstreamQuery);
  const problem = traffic.data === undefined ? (traffic.error ?? upstreams.error) : null;
  return (
    <>
      <PageHeader
        title="Overview"
        description="What goes through this gateway, and how its upstreams do."
        actions={<Controls window={window} />}
      />
      {problem !== null ? (
        <ErrorState
          problem={problemOf(problem)}
          onRetry={() => {
            void traffic.refetch();
            void upstreams.refetch();
          }}
        />
      ) : traffic.data === undefined || upstreams.data === undefined ? (
        <PageSkeleton />
      ) : upstreams.data.total === 0 ? (
        <EmptyState
          icon={IconRocket}
          title="Where is your API?"
          description="Nothing is set up yet. Paste the address of an API: it is tested, and a minute later a first request goes through."
        >
          <Button component={Link} to="/first-upstream">
            Set up the first API
          </Button>
        </EmptyState>
      ) : (
        <Figures traffic={traffic.data} window={window} />
      )}
    </>
  );
}

function Figures({ traffic, window }: { readonly traffic: Traffic; readonly window: Window }) {
  const { totals } = traffic;
  return (
    <Stack gap="lg">
      <OverviewTiles traffic={traffic} window={window} />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <CellChart
          title="Requests per second"
          frame={traffic}
          values={ratesOf(totals.requests, traffic)}
          bad={ratesOf(totals.status_5xx, traffic)}
          badName="with 5xx"
          show={rateText}
        />
        <CellChart title="95 % of answers began within" frame={traffic} values={totals.p95_ms} show={tookText} />
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <FailingUpstreams upstreams={traffic.upstreams} />
        <SlowestUpstreams upstreams={traffic.upstreams} window={window} />
      </SimpleGrid>
      <RecentFailures />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <RecentEvents />
        <GatewayState traffic={traffic} />
      </SimpleGrid>
    </Stack>
  );
}

function Controls({ window }: { readonly window: Window }) {
  const navigate = useNavigate();
  const { mode } = useLive();
  const isPaused = mode === 'paused';
  return (
    <Group gap="xs">
      <SegmentedControl
        aria-label="How far back"
        size="xs"
        data={windows.map((value) => ({ value, label: value.replace('m', ' min').replace('h', ' h') }))}
        value={window}
        onChange={(value) => void navigate({ to: '/', search: value === '5m' ? {} : { window: value }, replace: true })}
      />
      <Button
        size="xs"
        variant={isPaused ? 'filled' : 'default'}
        title={isPaused ? 'Figures stand still' : `Figures of the last ${windowText[window]} move by themselves`}
        leftSection={isPaused ? <IconPlayerPlay size={14} aria-hidden /> : <IconPlayerPause size={14} aria-hidden />}
        onClick={() => pauseLive(!isPaused)}
      >
        {isPaused ? 'Resume' : 'Pause'}
      </Button>
    </Group>
  );
}
