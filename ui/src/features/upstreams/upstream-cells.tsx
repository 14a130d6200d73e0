import { Anchor, Badge, Switch, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { causeText } from '../../components/cause-text.ts';
import { rateText, shareText, tookText } from '../../components/figures.ts';
import { HealthMark } from '../../components/health-mark.tsx';
import { Heartbeat } from '../../components/heartbeat.tsx';
import { Sparkline } from '../../components/sparkline.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { credentialWords } from './credential-words.ts';
import type { UpstreamRow } from './upstream-row.ts';
import classes from './upstream-table.module.css';

export interface UpstreamColumn {
  readonly header: string;
  /** Its place in the card of a narrow window. */
  readonly area: string;
  readonly cell: (row: UpstreamRow, actions: RowActions) => ReactNode;
}

export interface RowActions {
  readonly onSwitch: (row: UpstreamRow, enabled: boolean) => void;
  /** Those whose switch is on its way to the gateway. */
  readonly switching: ReadonlySet<string>;
}

const known = <T,>(value: T | null, show: (value: T) => string): string => (value === null ? '—' : show(value));

/** From left to right. */
export const upstreamColumns: readonly UpstreamColumn[] = [
  {
    header: 'Name',
    area: 'name',
    cell: ({ upstream }) => (
      <>
        <Anchor
          component={Link}
          to={`/upstreams/${upstream.id}`}
          className={classes['cut']}
          title={upstream.name}
          fw={600}
          fz="sm"
          c="var(--mantine-color-text)"
        >
          {upstream.name}
        </Anchor>
        <Text size="xs" c="dimmed" className={classes['cut']} title={upstream.base_url}>
          {hostOf(upstream.base_url)}
        </Text>
      </>
    ),
  },
  {
    header: 'Health',
    area: 'health',
    cell: ({ state, lastOkAt, cause, problem, heartbeat }) => (
      <>
        <div className={classes['pair']}>
          <HealthMark state={state} />
          {lastOkAt !== null && (
            <Text size="xs" c="dimmed" span>
              last ok <TimeAgo time={lastOkAt} short />
            </Text>
          )}
        </div>
        <Heartbeat cells={heartbeat} />
        {state !== 'healthy' && (
          <Text size="xs" c="dimmed" className={classes['clamp']} title={cause}>
            {causeText({ problem, cause })}
          </Text>
        )}
      </>
    ),
  },
  {
    header: 'Requests',
    area: 'rate',
    cell: ({ rate, requests }) => (
      <Figure text={known(rate, rateText)}>
        <Sparkline values={requests} label="Requests of the last 5 minutes" />
      </Figure>
    ),
  },
  {
    header: 'p95',
    area: 'p95',
    cell: ({ latestP95, p95 }) => (
      <Figure text={known(latestP95, tookText)}>
        <Sparkline values={p95} label="95th percentile of the latency of the last 5 minutes" />
      </Figure>
    ),
  },
  {
    header: 'Errors',
    area: 'errors',
    cell: ({ errorShare }) => (
      <Text size="sm" c={errorShare !== null && errorShare > 0 ? 'var(--tone-danger)' : 'inherit'} className={classes['figure']}>
        {shareText(errorShare)}
      </Text>
    ),
  },
  {
    header: 'Pool',
    area: 'pool',
    cell: ({ active, idle, upstream }) => (
      <div className={classes['figure']}>
        <div>{active} active</div>
        <Text size="xs" c="dimmed" title={`Idle connections kept for reuse, of at most ${upstream.max_idle_conns}`}>
          {idle}/{upstream.max_idle_conns} idle
        </Text>
      </div>
    ),
  },
  {
    header: 'Routes',
    area: 'routes',
    cell: ({ routes, upstream }) => (
      <>
        <Anchor component={Link} to={`/upstreams/${upstream.id}`} search={{ tab: 'routes' } as never} fz="sm">
          {routes.length} {routes.length === 1 ? 'route' : 'routes'}
        </Anchor>
        <div>
          <Badge size="sm" variant="default" tt="none" fw={500} title={credentialWords(upstream)}>
            {upstream.auth_type === 'none' ? 'no auth' : upstream.auth_type}
          </Badge>
        </div>
      </>
    ),
  },
  {
    header: 'Last used',
    area: 'used',
    cell: ({ lastUsedAt }) => <Text size="sm">{lastUsedAt === null ? 'Never' : <TimeAgo time={lastUsedAt} short />}</Text>,
  },
  {
    header: 'Enabled',
    area: 'enabled',
    cell: (row, { onSwitch, switching }) => (
      <Switch
        aria-label={`Enabled: ${row.upstream.name}`}
        title={row.upstream.managed ? 'Made from --upstream: it is changed there' : undefined}
        checked={row.upstream.enabled}
        disabled={row.upstream.managed}
        // Not disabled meanwhile, which would take the focus from whoever pressed it.
        aria-busy={switching.has(row.upstream.id)}
        onChange={(event) => {
          if (!switching.has(row.upstream.id)) onSwitch(row, event.currentTarget.checked);
        }}
      />
    ),
  },
];

function Figure({ text, children }: { readonly text: string; readonly children: ReactNode }) {
  return (
    <div>
      <div className={classes['figure']}>{text}</div>
      {children}
    </div>
  );
}

function hostOf(baseUrl: string): string {
  const url = URL.parse(baseUrl);
  return url === null ? baseUrl : url.host + (url.pathname === '/' ? '' : url.pathname);
}
