import { Anchor, Button, Group, Skeleton, Switch, Tabs, Text } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { problemOf } from '../../api/api-problem.ts';
import type { Answer } from '../../api/call-api.ts';
import type { Upstream } from '../../api/admin-schema.ts';
import { useLive } from '../../api/use-live.ts';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import { causeText } from '../../components/cause-text.ts';
import { rateText, shareText, tookText } from '../../components/figures.ts';
import { HealthMark } from '../../components/health-mark.tsx';
import { lazyPart } from '../../components/lazy-part.tsx';
import { MissingResource } from '../../components/missing-resource.tsx';
import { Notice } from '../../components/notice.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { useShownTab } from '../../components/use-shown-tab.ts';
import { CredentialTab } from './credential-tab.tsx';
import { DeleteUpstreamDialog } from './delete-upstream-dialog.tsx';
import { FailuresTab } from './failures-tab.tsx';
import { OverviewTab } from './overview-tab.tsx';
import { RoutesTab } from './routes-tab.tsx';
import { TestUpstreamDialog } from './test-upstream-dialog.tsx';
import { UpstreamMenu } from './upstream-menu.tsx';
import classes from './upstream-page.module.css';
import { routesByUpstreamQuery, useTraffic, useUpstream } from './upstream-queries.ts';
import { upstreamRows, type UpstreamRow } from './upstream-row.ts';
import type { UpstreamPageSearch, UpstreamTab } from './upstream-search.ts';
import { useSwitchUpstreams } from './use-switch-upstreams.ts';

/** With its fields it is the larger half of the page, and few come to edit. */
const SettingsTab = lazyPart(async () => (await import('./settings-tab.tsx')).SettingsTab, <Skeleton height={420} maw={760} />);
const HistoryTab = lazyPart(async () => (await import('./history-tab.tsx')).HistoryTab, <Skeleton height={220} />);

export function UpstreamPage() {
  const { id } = useParams({ from: '/shell/upstreams/$id' });
  const { data, error, refetch } = useUpstream(id);
  if (data !== undefined) return <OneUpstream key={id} stored={data} readError={error} />;
  if (error !== null)
    return (
      <MissingResource what="upstream" problem={problemOf(error)} onRetry={() => void refetch()} list={['/upstreams', 'All upstreams']} />
    );
  return <PageSkeleton />;
}

const tabWords: Readonly<Record<UpstreamTab, string>> = {
  overview: 'Overview',
  routes: 'Routes',
  settings: 'Settings',
  credential: 'Credential',
  failures: 'Recent failures',
  history: 'History',
};

function OneUpstream({ stored, readError }: { readonly stored: Answer<Upstream>; readonly readError: Error | null }) {
  const { value: upstream } = stored;
  const { tab = 'overview', window = '5m' } = useSearch({ from: '/shell/upstreams/$id' });
  const navigate = useNavigate();
  const live = useLive();
  const traffic = useTraffic();
  const routes = useQuery(routesByUpstreamQuery);
  const { switching, switchAll } = useSwitchUpstreams();
  const [asking, setAsking] = useState<'test' | 'delete'>();
  const isGone = readError !== null && problemOf(readError).status === 404;
  const [row] = upstreamRows({ upstreams: [upstream], traffic: traffic.data, live, routes: routes.data });
  const mine = routes.data === undefined ? undefined : (routes.data.get(upstream.id) ?? []);
  // The number of routes makes its tab wider.
  const tabs = useShownTab<HTMLDivElement>(`${tab} ${mine?.length}`);
  const choose = (wanted: string | null): void => {
    const search: UpstreamPageSearch =
      wanted === null || wanted === 'overview' ? {} : { tab: wanted as NonNullable<UpstreamPageSearch['tab']> };
    void navigate({ to: '/upstreams/$id', params: { id: upstream.id }, search });
  };
  return (
    <>
      <PageHeader
        title={upstream.name}
        description={
          <>
            <Anchor href={upstream.base_url} target="_blank" rel="noreferrer" c="inherit" style={{ overflowWrap: 'anywhere' }}>
              {upstream.base_url}
            </Anchor>
            {upstream.description !== '' && <span className={classes['description']}>{upstream.description}</span>}
          </>
        }
        actions={
          <>
            <Switch
              label="Enabled"
              labelPosition="left"
              checked={upstream.enabled}
              disabled={upstream.managed}
              aria-busy={switching.size > 0}
              onChange={(event) => {
                if (switching.size === 0) void switchAll([upstream], event.currentTarget.checked);
              }}
            />
            <Button leftSection={<IconPlugConnected size={16} aria-hidden />} onClick={() => setAsking('test')}>
              Test
            </Button>
            <UpstreamMenu upstream={upstream} onTest={() => setAsking('test')} onDelete={() => setAsking('delete')} />
          </>
        }
      />
      <Facts row={row!} />
      {isGone && tab !== 'settings' && (
        <Notice kind="danger" title="This upstream was deleted meanwhile">
          What you see is how it was. History can bring it back.
        </Notice>
      )}
      <Tabs value={tab} onChange={choose} keepMounted={false}>
        <Tabs.List ref={tabs} mb="md" className={classes['tabs'] ?? ''}>
          {(Object.keys(tabWords) as UpstreamTab[]).map((each) => (
            <Tabs.Tab key={each} value={each}>
              {tabWords[each]}
              {each === 'routes' && mine !== undefined && ` (${mine.length})`}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview">
          <OverviewTab row={row!} window={window} />
        </Tabs.Panel>
        <Tabs.Panel value="routes">
          <RoutesTab upstream={upstream} routes={mine} />
        </Tabs.Panel>
        <Tabs.Panel value="settings">
          <SettingsTab stored={stored} readError={readError} />
        </Tabs.Panel>
        <Tabs.Panel value="credential">
          <CredentialTab stored={stored} />
        </Tabs.Panel>
        <Tabs.Panel value="failures">
          <FailuresTab upstream={upstream} />
        </Tabs.Panel>
        <Tabs.Panel value="history">
          <HistoryTab stored={stored} />
        </Tabs.Panel>
      </Tabs>
      {asking === 'test' && <TestUpstreamDialog upstream={upstream} onClose={() => setAsking(undefined)} />}
      {asking === 'delete' && (
        <DeleteUpstreamDialog
          upstream={upstream}
          routes={mine ?? []}
          onClose={() => setAsking(undefined)}
          onDeleted={() => void navigate({ to: '/upstreams', ignoreBlocker: true })}
        />
      )}
    </>
  );
}

/** How it does just now, in one line. */
function Facts({ row }: { readonly row: UpstreamRow }) {
  const { state, lastOkAt, lastUsedAt, rate, latestP95, errorShare, active, idle, upstream } = row;
  return (
    <div className={`surface ${classes['facts']}`}>
      <Group gap="xs">
        <HealthMark state={state} size={18} />
        <Text size="sm" c="dimmed">
          {lastOkAt === null ? '' : 'last ok '}
          {lastOkAt !== null && <TimeAgo time={lastOkAt} short />}
          {lastOkAt === null ? '' : ' · '}
          {causeText(row)}
        </Text>
      </Group>
      <dl className={classes['figures']}>
        {(
          [
            ['Now', rate === null ? '—' : rateText(rate)],
            ['p95', latestP95 === null ? '—' : tookText(latestP95)],
            ['Errors, 5 min', shareText(errorShare)],
            ['Pool', `${active} active · ${idle}/${upstream.max_idle_conns} idle`],
          ] as const
        ).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div>
          <dt>Last used</dt>
          <dd>{lastUsedAt === null ? 'never' : <TimeAgo time={lastUsedAt} short />}</dd>
        </div>
      </dl>
    </div>
  );
}
