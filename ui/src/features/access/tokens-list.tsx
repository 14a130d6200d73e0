import { Anchor, Badge, Button, Code, Group, Menu, Text } from '@mantine/core';
import { AddLink } from '../../components/add-link.tsx';
import { usePageHotkey } from '../../components/use-page-hotkey.ts';
import { IconBan, IconPencil, IconRobot, IconTrash } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListSection } from '../../components/list-section.tsx';
import { ResourceTable, type Column } from '../../components/resource-table.tsx';
import { RowMenu } from '../../components/row-menu.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { useListSearch } from '../../components/use-list-search.ts';
import { usePages } from '../../components/use-pages.ts';
import { EndTokenDialog, type TokenEnding } from './end-token-dialog.tsx';
import type { ApiToken } from './token-fields.tsx';

export function TokensList() {
  const { q, setQ } = useListSearch();
  const navigate = useNavigate();
  const tokens = usePages('tokens', '/admin/tokens', { q });
  const [ending, setEnding] = useState<TokenEnding>();
  usePageHotkey('n', () => void navigate({ to: '/access/tokens/new' }));
  const add = <AddLink to="/access/tokens/new">Add API token</AddLink>;
  const isEmpty = tokens.data?.pages[0]?.total === 0 && q === '';
  return (
    <>
      <ListSection
        list={tokens}
        nouns={['token', 'tokens']}
        head={
          !isEmpty && (
            <Group justify="space-between">
              <SearchField label="Search API tokens" value={q} onSearch={setQ} flex="1 1 12rem" />
              {add}
            </Group>
          )
        }
        empty={
          isEmpty ? (
            <EmptyState
              icon={IconRobot}
              title="No API tokens yet"
              description="A token lets a pipeline, a script or a monitoring system use the admin API and the command line from afar."
            >
              {add}
            </EmptyState>
          ) : (
            <EmptyState icon={IconRobot} title="No token matches" description={`No API token has “${q}” in its name.`}>
              <Button variant="default" onClick={() => setQ('')}>
                Show all tokens
              </Button>
            </EmptyState>
          )
        }
      >
        {(rows) => (
          <ResourceTable
            label="API tokens"
            columns={columns}
            rows={rows}
            rowKey={({ id }) => id}
            actions={(token) => (
              <RowMenu of={token.name}>
                <Menu.Item component={Link} to={`/access/tokens/${token.id}`} leftSection={<IconPencil size={16} aria-hidden />}>
                  Edit
                </Menu.Item>
                {token.revoked_at === null && (
                  <Menu.Item leftSection={<IconBan size={16} aria-hidden />} onClick={() => setEnding({ token, how: 'revoke' })}>
                    Revoke…
                  </Menu.Item>
                )}
                <Menu.Item
                  color="red"
                  leftSection={<IconTrash size={16} aria-hidden />}
                  onClick={() => setEnding({ token, how: 'delete' })}
                >
                  Delete…
                </Menu.Item>
              </RowMenu>
            )}
          />
        )}
      </ListSection>
      {ending !== undefined && <EndTokenDialog ending={ending} onClose={() => setEnding(undefined)} />}
    </>
  );
}

const columns: readonly Column<ApiToken>[] = [
  {
    header: 'Name',
    cell: ({ id, name, prefix }) => (
      <div>
        <Anchor component={Link} to={`/access/tokens/${id}`} fw={600} fz="sm" c="var(--mantine-color-text)">
          {name}
        </Anchor>
        <Text size="xs" c="dimmed">
          <Code bg="transparent" p={0} c="dimmed">
            {prefix}…
          </Code>
        </Text>
      </div>
    ),
  },
  { header: 'State', cell: (token) => <TokenState token={token} /> },
  { header: 'Scope', cell: ({ scope }) => scope },
  { header: 'Expires', cell: ({ expires_at: at }) => (at === null ? 'Never' : <TimeAgo time={at} />) },
  { header: 'Last used', cell: ({ last_used_at: at }) => (at === null ? 'Never' : <TimeAgo time={at} />) },
  { header: 'Made by', cell: ({ created_by: by }) => by },
];

function TokenState({ token }: { readonly token: ApiToken }) {
  const [label, color] = stateOf(token);
  return (
    <Badge variant="dot" color={color} tt="none" fw={500}>
      {label}
    </Badge>
  );
}

function stateOf({ revoked_at: revoked, expires_at: expires }: ApiToken): [string, string] {
  if (revoked !== null) return ['Revoked', 'red'];
  return expires !== null && Date.parse(expires) <= Date.now() ? ['Expired', 'orange'] : ['Active', 'green'];
}
