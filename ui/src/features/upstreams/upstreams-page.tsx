import { Button, Group, Stack, Text } from '@mantine/core';
import { AddLink } from '../../components/add-link.tsx';
import { usePageHotkey } from '../../components/use-page-hotkey.ts';
import { IconServer2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useDeferredValue, useMemo, useState } from 'react';
import { problemOf } from '../../api/api-problem.ts';
import { useLive } from '../../api/use-live.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { useListSearch } from '../../components/use-list-search.ts';
import { DeleteUpstreamDialog } from './delete-upstream-dialog.tsx';
import { LiveControl } from './live-control.tsx';
import { SummaryStrip } from './summary-strip.tsx';
import { TestUpstreamDialog } from './test-upstream-dialog.tsx';
import { UpstreamMenu } from './upstream-menu.tsx';
import { allUpstreamsQuery, routesByUpstreamQuery, useTraffic } from './upstream-queries.ts';
import { byUrgency, isFound, upstreamRows, type HealthState, type UpstreamRow } from './upstream-row.ts';
import { UpstreamTable } from './upstream-table.tsx';
import { useSwitchUpstreams } from './use-switch-upstreams.ts';

export function UpstreamsPage() {
  const { q, setQ } = useListSearch();
  const { state } = useSearch({ from: '/shell/upstreams' });
  const navigate = useNavigate();
  const live = useLive();
  const upstreams = useQuery(allUpstreamsQuery);
  const traffic = useTraffic();
  const routes = useQuery(routesByUpstreamQuery);
  const { switching, switchAll } = useSwitchUpstreams();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState<{ readonly what: 'test' | 'delete'; readonly row: UpstreamRow }>();
  usePageHotkey('n', () => void navigate({ to: '/upstreams/new' }));

  const all = useMemo(
    () =>
      upstreams.data === undefined
        ? undefined
        : upstreamRows({ upstreams: upstreams.data, traffic: traffic.data, live, routes: routes.data }).toSorted(byUrgency),
    [upstreams.data, traffic.data, live, routes.data],
  );
  const words = useDeferredValue(q);
  const rows = useMemo(
    () => all?.filter((row) => (state === undefined || row.state === state) && (words === '' || isFound(row, words))),
    [all, state, words],
  );
  const choose = (chosen: HealthState | undefined): void => {
    void navigate({
      to: '/upstreams',
      search: { ...(q === '' ? {} : { q }), ...(chosen === undefined ? {} : { state: chosen }) },
      replace: true,
    });
  };
  const chosen = rows?.filter(({ upstream }) => selected.has(upstream.id)).map(({ upstream }) => upstream) ?? [];
  const switchChosen = async (enabled: boolean): Promise<void> => {
    await switchAll(chosen, enabled);
    setSelected(new Set());
  };
  const switchOne = useCallback(({ upstream }: UpstreamRow, enabled: boolean): void => void switchAll([upstream], enabled), [switchAll]);
  const menu = useCallback(
    (row: UpstreamRow) => (
      <UpstreamMenu
        upstream={row.upstream}
        onTest={() => setAsking({ what: 'test', row })}
        onDelete={() => setAsking({ what: 'delete', row })}
      />
    ),
    [],
  );
  const add = <AddLink to="/upstreams/new">Add Upstream</AddLink>;

  if (upstreams.isError && all === undefined) {
    return (
      <>
        <PageHeader title="Upstreams" actions={add} />
        <ErrorState problem={problemOf(upstreams.error)} onRetry={() => void upstreams.refetch()} />
      </>
    );
  }
  if (all?.length === 0) {
    return (
      <>
        <PageHeader title="Upstreams" description="The services that requests are proxied to." />
        <EmptyState
          icon={IconServer2}
          title="Where is your API?"
          description="Paste its address. The gateway tests it, suggests a name, and makes the upstream and a route to it."
        >
          <Button component={Link} to="/first-upstream">
            Paste an address
          </Button>
          <Button component={Link} to="/upstreams/new" variant="default">
            Fill in the whole form
          </Button>
        </EmptyState>
      </>
    );
  }
  return (
    <>
      <PageHeader title="Upstreams" description="The services that requests are proxied to." actions={add} />
      <Stack>
        <Group justify="space-between">
          {all === undefined ? <span /> : <SummaryStrip rows={all} chosen={state} onChoose={choose} />}
          <LiveControl />
        </Group>
        <Group mih={36}>
          <SearchField label="Search upstreams" value={q} onSearch={setQ} flex="1 1 14rem" />
          {chosen.length > 0 && (
            <Group gap="xs" role="group" aria-label="Change those selected">
              <Text size="sm" role="status">
                {chosen.length} selected
              </Text>
              <Button size="xs" variant="default" loading={switching.size > 0} onClick={() => void switchChosen(true)}>
                Enable
              </Button>
              <Button size="xs" variant="default" loading={switching.size > 0} onClick={() => void switchChosen(false)}>
                Disable
              </Button>
              <Button size="xs" variant="subtle" onClick={() => setSelected(new Set())}>
                Clear
              </Button>
            </Group>
          )}
        </Group>
        {traffic.isError && <ErrorState problem={problemOf(traffic.error)} onRetry={() => void traffic.refetch()} />}
        {rows?.length === 0 ? (
          <EmptyState
            icon={IconServer2}
            title="No upstream matches"
            description={
              q === ''
                ? `None is ${state}.`
                : `None${state === undefined ? '' : ` that is ${state}`} has “${q}” in its name, address or description.`
            }
          >
            <Button variant="default" onClick={() => void navigate({ to: '/upstreams', search: {}, replace: true })}>
              Show all upstreams
            </Button>
          </EmptyState>
        ) : (
          <UpstreamTable rows={rows} selected={selected} onSelect={setSelected} switching={switching} onSwitch={switchOne} menu={menu} />
        )}
        {rows !== undefined && rows.length > 0 && all !== undefined && rows.length < all.length && (
          <Text size="sm" c="dimmed" role="status">
            {rows.length} of {all.length} upstreams
          </Text>
        )}
      </Stack>
      {asking?.what === 'test' && <TestUpstreamDialog upstream={asking.row.upstream} onClose={() => setAsking(undefined)} />}
      {asking?.what === 'delete' && (
        <DeleteUpstreamDialog upstream={asking.row.upstream} routes={asking.row.routes} onClose={() => setAsking(undefined)} />
      )}
    </>
  );
}
