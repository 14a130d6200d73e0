import { Anchor, Badge, Button, Group, Menu, Stack, Text } from '@mantine/core';
import { IconArrowBackUp, IconArrowsDiff, IconFileDiff, IconHistory } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Item } from '../../api/admin-schema.ts';
import { CommandLine } from '../../components/command-line.tsx';
import { changesText } from '../../components/config-changes.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { FilterField } from '../../components/filter-field.tsx';
import { ListSection } from '../../components/list-section.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { ResourceTable, type Column } from '../../components/resource-table.tsx';
import { RowMenu } from '../../components/row-menu.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { historyQuery } from './history-query.ts';
import type { HistorySearch } from './history-search.ts';
import { RollbackDialog } from './rollback-dialog.tsx';
import { usePresentRevision } from './use-revision.ts';

type Revision = Item<'/admin/history'>;

/** Every change of the gateway config: who made it, when, and the way back. */
export function HistoryPage() {
  const search = useSearch({ from: '/shell/history' });
  const navigate = useNavigate();
  const revisions = useInfiniteQuery(historyQuery(search));
  const present = usePresentRevision();
  const [goingBackTo, setGoingBackTo] = useState<number>();
  const change = (changes: Partial<Record<keyof HistorySearch, string | undefined>>): void => {
    const next = Object.fromEntries(Object.entries({ ...search, ...changes }).filter(([, value]) => value !== undefined && value !== ''));
    void navigate({ to: '/history', search: next, replace: true });
  };
  const isFiltered = Object.keys(search).length > 0;
  return (
    <>
      <PageHeader
        title="History"
        description="Every change of upstreams, routes and API keys makes a revision. Any that is kept can be compared and gone back to."
        actions={
          <Button component={Link} to="/history/diff" variant="default" leftSection={<IconArrowsDiff size={16} aria-hidden />}>
            Compare revisions
          </Button>
        }
      />
      <Stack>
        <ListSection
          list={revisions}
          nouns={['revision', 'revisions']}
          head={
            <Group gap="xs" role="search" aria-label="Filter the history">
              <FilterField
                w={{ base: '100%', xs: 240 }}
                label="By whom"
                value={search.actor ?? ''}
                onFilter={(actor) => change({ actor })}
              />
              <FilterField
                w={{ base: '100%', xs: 240 }}
                label="Name, or upstream, route, key"
                value={search.resource ?? ''}
                onFilter={(resource) => change({ resource })}
              />
              {isFiltered && (
                <Button variant="subtle" size="compact-sm" onClick={() => void navigate({ to: '/history', search: {}, replace: true })}>
                  Clear filters
                </Button>
              )}
            </Group>
          }
          empty={
            isFiltered ? (
              <EmptyState
                icon={IconHistory}
                title="No revision matches"
                description="“By whom” is an e-mail address, a token's name or a kind such as cli; a name is matched whole."
              />
            ) : (
              <EmptyState
                icon={IconHistory}
                title="Nothing was changed yet"
                description="The first upstream, route or key makes the first revision."
              >
                <Button component={Link} to="/first-upstream">
                  Add a first API
                </Button>
              </EmptyState>
            )
          }
        >
          {(rows) => (
            <ResourceTable
              label="Revisions"
              columns={columnsFor(present)}
              rows={rows}
              rowKey={({ revision }) => String(revision)}
              actions={({ revision }) => (
                <RowMenu of={`revision ${revision}`}>
                  <Menu.Item component={Link} to={`/history/${revision}`} leftSection={<IconFileDiff size={16} aria-hidden />}>
                    See what it changed
                  </Menu.Item>
                  {revision !== present && (
                    <>
                      <Menu.Item
                        leftSection={<IconArrowsDiff size={16} aria-hidden />}
                        onClick={() => void navigate({ to: '/history/diff', search: { from: revision } })}
                      >
                        Compare with the present
                      </Menu.Item>
                      <Menu.Item leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={() => setGoingBackTo(revision)}>
                        Go back to it…
                      </Menu.Item>
                    </>
                  )}
                </RowMenu>
              )}
            />
          )}
        </ListSection>
        <Text size="sm" c="dimmed" mt="sm">
          The same in a terminal:
        </Text>
        <CommandLine text={historyCommand(search)} what="the command" />
      </Stack>
      {goingBackTo !== undefined && <RollbackDialog to={goingBackTo} onClose={() => setGoingBackTo(undefined)} />}
    </>
  );
}

function columnsFor(present: number | undefined): Column<Revision>[] {
  return [
    {
      header: 'Revision',
      cell: ({ revision }) => (
        <Group gap={8} wrap="nowrap">
          <Anchor
            component={Link}
            to={`/history/${revision}`}
            fw={600}
            fz="sm"
            c="var(--mantine-color-text)"
            style={{ whiteSpace: 'nowrap' }}
          >
            {revision}
          </Anchor>
          {revision === present && (
            <Badge variant="light" tt="none" fw={500} c="var(--mantine-color-text)" style={{ flex: 'none' }}>
              present
            </Badge>
          )}
        </Group>
      ),
    },
    {
      header: 'What',
      isProse: true,
      cell: ({ changes, counts, rollback_to: back }) => (
        <span style={{ overflowWrap: 'anywhere' }}>
          {back !== null && <b>Back to revision {back}: </b>}
          {changesText(changes, counts.create + counts.update + counts.delete)}
        </span>
      ),
    },
    { header: 'Who', cell: ({ actor }) => actorText(actor) },
    { header: 'When', cell: ({ at }) => (at === null ? 'Not known' : <TimeAgo time={at} />) },
  ];
}

export function actorText(actor: Revision['actor']): string {
  if (actor === null) return 'Not known';
  const label = actor.label === '' ? actor.kind : actor.label;
  return actor.kind === 'admin' || label === actor.kind ? label : `${label} (${actor.kind})`;
}

function historyCommand({ actor, resource }: HistorySearch): string {
  const quoted = (value: string): string => (/^[\w.@-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`);
  const flags = [
    ...(actor === undefined ? [] : [`--actor ${quoted(actor)}`]),
    ...(resource === undefined ? [] : [`--resource ${quoted(resource)}`]),
  ];
  return ['apigate history', ...flags].join(' ');
}
