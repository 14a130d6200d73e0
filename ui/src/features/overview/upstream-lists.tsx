import { Anchor, Group, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useId, type ReactNode } from 'react';
import type { Traffic } from '../../api/admin-schema.ts';
import { causeText } from '../../components/cause-text.ts';
import { shareText, tookText } from '../../components/figures.ts';
import { HealthMark } from '../../components/health-mark.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { highest, shareOf, sum } from './cell-figures.ts';
import classes from './overview.module.css';
import { windowText, type Window } from './overview-search.ts';

type Row = Traffic['upstreams'][number];

const shown = 5;

/** Those that do not answer, each with its cause; else how many are well. */
export function FailingUpstreams({ upstreams }: { readonly upstreams: readonly Row[] }) {
  const failing = upstreams.filter(({ state }) => state === 'failing');
  const count = (state: Row['state']): number => upstreams.filter((each) => each.state === state).length;
  const words = (['healthy', 'unknown', 'disabled'] as const)
    .filter((state) => count(state) > 0)
    .map((state) => `${count(state)} ${state}`);
  return (
    <Section title="Failing upstreams" more={<More to="/upstreams">All upstreams</More>}>
      {failing.length === 0 ? (
        <div className={classes['none']}>None is failing: {words.join(', ')}.</div>
      ) : (
        <ul className={classes['list']}>
          {failing.slice(0, shown).map(({ upstream_id: id, upstream, cause, problem, last_ok_at: ok }) => (
            <li key={id} className={classes['item']}>
              <div className={classes['main']}>
                <Group gap="xs">
                  <HealthMark state="failing" />
                  <UpstreamLink id={id} name={upstream} />
                </Group>
                <Text size="sm" title={cause}>
                  {causeText({ cause, problem })}
                </Text>
              </div>
              <div className={classes['side']}>
                {ok === null ? (
                  'never answered'
                ) : (
                  <>
                    last ok <TimeAgo time={ok} />
                  </>
                )}
              </div>
            </li>
          ))}
          {failing.length > shown && <li className={classes['none']}>and {failing.length - shown} more</li>}
        </ul>
      )}
    </Section>
  );
}

/** By the longest p95 of late. */
export function SlowestUpstreams({ upstreams, window }: { readonly upstreams: readonly Row[]; readonly window: Window }) {
  const slowest = upstreams
    .map((row) => ({ ...row, p95: highest(row.p95_ms) }))
    .filter((row): row is typeof row & { p95: number } => row.p95 !== undefined)
    .toSorted((a, b) => b.p95 - a.p95)
    .slice(0, shown);
  return (
    <Section title={`Slowest upstreams of the last ${windowText[window]}`}>
      {slowest.length === 0 ? (
        <div className={classes['none']}>No upstream answered in this time.</div>
      ) : (
        <ul className={classes['list']}>
          {slowest.map(({ upstream_id: id, upstream, p95, requests, errors, server_errors: own }) => (
            <li key={id} className={classes['item']}>
              <div className={classes['main']}>
                <UpstreamLink id={id} name={upstream} />
                <Text size="xs" c="dimmed">
                  {sum(requests).toLocaleString('en')} requests, {shareText(shareOf(sum(errors) + sum(own), sum(requests)))} failed
                </Text>
              </div>
              <div className={classes['side']}>
                p95 up to <b>{tookText(p95)}</b>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function UpstreamLink({ id, name }: { readonly id: string; readonly name: string }) {
  return (
    <Anchor component={Link} to={`/upstreams/${id}`} size="sm" fw={600} c="var(--mantine-color-text)">
      {name}
    </Anchor>
  );
}

export function More({ to, children }: { readonly to: string; readonly children: ReactNode }) {
  return (
    <Anchor component={Link} to={to} size="sm">
      {children}
    </Anchor>
  );
}

export function Section({ title, more, children }: { readonly title: string; readonly more?: ReactNode; readonly children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <Group justify="space-between" mb="xs" align="baseline">
        <Title order={2} id={id}>
          {title}
        </Title>
        {more}
      </Group>
      <div className="surface">{children}</div>
    </section>
  );
}
