import { Anchor, Group, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Item, Traffic } from '../../api/admin-schema.ts';
import { readApi } from '../../api/call-api.ts';
import { useObservable } from '../../api/observable-value.ts';
import { listKey, revisionKey } from '../../api/query-client.ts';
import { awaySince } from '../../api/session-state.ts';
import { settingsQuery } from '../../api/settings-query.ts';
import { useLive, type LiveMode } from '../../api/use-live.ts';
import { causeText } from '../../components/cause-text.ts';
import { changesText } from '../../components/config-changes.tsx';
import { clockText } from '../../components/local-time.ts';
import { RequestTable } from '../../components/request-table.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import classes from './overview.module.css';
import { More, Section } from './upstream-lists.tsx';

const failures = { failed: 'true', limit: '5' } as const;
const someEvents = { limit: '8' };

/** The last requests that somebody has to act on. */
export function RecentFailures() {
  const { refetchInterval } = useLive();
  const { data } = useQuery({
    queryKey: listKey('requests', failures),
    queryFn: ({ signal }) => readApi('/admin/requests', { query: failures }, signal),
    refetchInterval,
  });
  if (data?.data.length === 0) {
    return (
      <Section title="Recent failures">
        <div className={classes['none']}>No request has failed since the gateway started.</div>
      </Section>
    );
  }
  return (
    <section aria-labelledby="recent-failures">
      <Group justify="space-between" mb="xs" align="baseline">
        <Title order={2} id="recent-failures">
          Recent failures
        </Title>
        <Anchor size="sm" renderRoot={(props) => <Link to="/live" search={{ failed: true }} {...props} />}>
          All failures
        </Anchor>
      </Group>
      <RequestTable label="Recent failures" rows={data?.data} />
    </section>
  );
}

type TimelineEvent = Item<'/admin/events'>;

/** Changes of the gateway config, and upstreams that began or ceased to answer, on one line of time. */
export function RecentEvents() {
  const { refetchInterval } = useLive();
  const { data } = useQuery({
    queryKey: listKey('events', someEvents),
    queryFn: ({ signal }) => readApi('/admin/events', { query: someEvents }, signal),
    refetchInterval,
  });
  return (
    <Section title="What happened" more={<More to="/history">History</More>}>
      {data?.data.length === 0 ? (
        <div className={classes['none']}>Nothing yet.</div>
      ) : (
        <ul className={classes['list']} aria-busy={data === undefined}>
          {data?.data.map((event) => (
            <li key={event.kind === 'health' ? `health ${event.id}` : `revision ${event.revision}`} className={classes['item']}>
              <div className={classes['main']}>
                <EventText event={event} />
              </div>
              <div className={classes['side']}>{event.time !== null && <TimeAgo time={event.time} />}</div>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

const flips = { healthy: 'answers again', failing: 'is failing', unknown: 'is unknown', disabled: 'is disabled' } as const;

function EventText({ event }: { readonly event: TimelineEvent }) {
  if (event.kind === 'health') {
    const { upstream, upstream_id: id, from, to } = event;
    return (
      <>
        <Anchor component={Link} to={`/upstreams/${id}`} size="sm" fw={600} c="var(--mantine-color-text)">
          {upstream}
        </Anchor>{' '}
        {to === 'healthy' && from !== 'failing' ? 'answers' : flips[to]}
        {to === 'failing' && (
          <Text size="xs" c="dimmed">
            {causeText(event)}
          </Text>
        )}
      </>
    );
  }
  const { revision, counts, changes, actor, rollback_to: back } = event;
  return (
    <>
      <Anchor component={Link} to={`/history/${revision}`} size="sm" fw={600} c="var(--mantine-color-text)">
        Revision {revision}
      </Anchor>{' '}
      {back === null ? '' : `went back to ${back}: `}
      {changesText(changes, counts.create + counts.update + counts.delete)}
      {actor !== null && (
        <Text size="xs" c="dimmed">
          {actor.label === '' ? actor.kind : actor.label}
        </Text>
      )}
    </>
  );
}

const modeWords: Readonly<Record<LiveMode, string>> = {
  connecting: 'read every few seconds',
  live: 'as they come',
  polling: 'read every few seconds',
  paused: 'paused',
};

/** The gateway itself. */
export function GatewayState({ traffic }: { readonly traffic: Traffic }) {
  const { data: version } = useQuery({ queryKey: revisionKey, queryFn: ({ signal }) => readApi('/version', {}, signal) });
  const { data: settings } = useQuery(settingsQuery);
  const live = useLive();
  const away = useObservable(awaySince);
  const setting = (key: string) => settings?.data.find((each) => each.key === key)?.value;
  const connections = live.traffic?.totals.connections ?? traffic.totals.connections.at(-1) ?? 0;
  const most = setting('max_connections');
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['Version', version === undefined ? '…' : `APIGate ${version.version}, Node.js ${version.node ?? ''}`],
    ['Counting since', <TimeAgo key="since" time={traffic.since} />],
    ['Revision', version?.revision ?? '…'],
    ['Workers', String(setting('workers') ?? '…')],
    [
      'Connections of clients',
      `${connections.toLocaleString('en')}${typeof most === 'number' ? ` of at most ${most.toLocaleString('en')}` : ''}`,
    ],
    ['These figures', away === undefined ? modeWords[live.mode] : `old, of ${clockText(away)}`],
  ];
  return (
    <Section title="Gateway" more={<More to="/settings">Settings</More>}>
      <ul className={classes['list']}>
        {facts.map(([name, value]) => (
          <li key={name} className={classes['item']}>
            <span className={classes['main']}>{name}</span>
            <span className={classes['side']}>{value}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
