import { Anchor, Button, Code, Group, Menu, Stack, Text } from '@mantine/core';
import { AddLink } from '../../components/add-link.tsx';
import { usePageHotkey } from '../../components/use-page-hotkey.ts';
import { IconBan, IconKey, IconPencil, IconTrash } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ApiKey } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { ResourceTable, type Column } from '../../components/resource-table.tsx';
import { RowMenu } from '../../components/row-menu.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { useListSearch } from '../../components/use-list-search.ts';
import { EndKeyDialog, type KeyEnding } from './end-key-dialog.tsx';
import { keysQuery, useRouteNames } from './key-queries.ts';
import { KeyState } from './key-state.tsx';

export function KeysPage() {
  const { q, setQ } = useListSearch();
  const navigate = useNavigate();
  const keys = useInfiniteQuery(keysQuery(q));
  const columns = useColumns();
  const [ending, setEnding] = useState<KeyEnding>();
  usePageHotkey('n', () => void navigate({ to: '/keys/new' }));
  const rows = keys.data?.pages.flatMap(({ data }) => data);
  const total = keys.data?.pages[0]?.total ?? 0;
  const add = <AddLink to="/keys/new">Add API key</AddLink>;
  const isEmpty = rows?.length === 0;
  return (
    <>
      <PageHeader title="API keys" description="Credentials of the clients that call your APIs." actions={add} />
      <Stack>
        {!(isEmpty && q === '') && <SearchField label="Search API keys" value={q} onSearch={setQ} />}
        {keys.isError && rows === undefined ? (
          <ErrorState problem={problemOf(keys.error)} onRetry={() => void keys.refetch()} />
        ) : isEmpty && q === '' ? (
          <EmptyState icon={IconKey} title="No API keys yet" description="Routes that ask for a key answer nobody until there is one.">
            {add}
          </EmptyState>
        ) : isEmpty ? (
          <EmptyState icon={IconKey} title="No key matches" description={`No API key has “${q}” in its name.`}>
            <Button variant="default" onClick={() => setQ('')}>
              Show all keys
            </Button>
          </EmptyState>
        ) : (
          <ResourceTable
            label="API keys"
            columns={columns}
            rows={rows}
            rowKey={({ id }) => id}
            actions={(key) => <KeyMenu apiKey={key} onEnd={(how) => setEnding({ key, how })} />}
          />
        )}
        {rows !== undefined && !isEmpty && (
          <Group justify="space-between">
            <Text size="sm" c="dimmed" role="status">
              {rows.length === total ? `${total} ${total === 1 ? 'key' : 'keys'}` : `${rows.length} of ${total} keys`}
            </Text>
            {keys.hasNextPage && (
              <Button variant="default" loading={keys.isFetchingNextPage} onClick={() => void keys.fetchNextPage()}>
                Show more
              </Button>
            )}
          </Group>
        )}
      </Stack>
      {ending !== undefined && <EndKeyDialog ending={ending} onClose={() => setEnding(undefined)} />}
    </>
  );
}

function useColumns(): Column<ApiKey>[] {
  const { data: routes } = useRouteNames();
  return [
    {
      header: 'Name',
      cell: (key) => (
        <div>
          <Anchor component={Link} to={`/keys/${key.id}`} fw={600} fz="sm" c="var(--mantine-color-text)">
            {key.name}
          </Anchor>
          <Text size="xs" c="dimmed">
            <Code bg="transparent" p={0} c="dimmed">
              {key.prefix}…
            </Code>
          </Text>
        </div>
      ),
    },
    { header: 'State', cell: (key) => <KeyState apiKey={key} /> },
    {
      header: 'Opens',
      isWhole: true,
      cell: ({ routes: opened }) =>
        opened.length === 0
          ? 'All routes'
          : opened.length === 1
            ? (routes?.find(({ value }) => value === opened[0])?.label ?? '1 route')
            : `${opened.length} routes`,
    },
    {
      header: 'Limit',
      isWhole: true,
      cell: ({ rate_limit_per_minute: limit }) => (limit === null ? 'None' : `${limit.toLocaleString('en')} / min`),
    },
    { header: 'Expires', cell: ({ expires_at: at }) => (at === null ? 'Never' : <TimeAgo time={at} />) },
    { header: 'Last used', cell: ({ last_used_at: at }) => (at === null ? 'Never' : <TimeAgo time={at} />) },
  ];
}

function KeyMenu({ apiKey, onEnd }: { readonly apiKey: ApiKey; readonly onEnd: (how: KeyEnding['how']) => void }) {
  return (
    <RowMenu of={apiKey.name}>
      <Menu.Item component={Link} to={`/keys/${apiKey.id}`} leftSection={<IconPencil size={16} aria-hidden />}>
        Edit
      </Menu.Item>
      {apiKey.revoked_at === null && (
        <Menu.Item leftSection={<IconBan size={16} aria-hidden />} onClick={() => onEnd('revoke')}>
          Revoke…
        </Menu.Item>
      )}
      <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => onEnd('delete')}>
        Delete…
      </Menu.Item>
    </RowMenu>
  );
}
