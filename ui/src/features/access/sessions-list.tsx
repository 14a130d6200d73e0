import { Badge, Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconDeviceLaptop } from '@tabler/icons-react';
import { useState } from 'react';
import type { Item } from '../../api/admin-schema.ts';
import { ApiProblem } from '../../api/api-problem.ts';
import { callApi } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListSection } from '../../components/list-section.tsx';
import { ResourceTable, type Column } from '../../components/resource-table.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { useListSearch } from '../../components/use-list-search.ts';
import { usePages } from '../../components/use-pages.ts';
import { browserText } from './browser-text.ts';

type Session = Item<'/admin/sessions'>;

/** Everybody who is signed in, and from where. */
export function SessionsList() {
  const { q, setQ } = useListSearch();
  const sessions = usePages('sessions', '/admin/sessions', { q, all: 'true' }, 500);
  const [ending, setEnding] = useState<readonly Session[]>();
  const rows = sessions.data?.pages.flatMap(({ data }) => data) ?? [];
  const mine = rows.find(({ current }) => current)?.admin_id;
  const others = rows.filter(({ admin_id, current }) => admin_id === mine && !current);
  return (
    <>
      <ListSection
        list={sessions}
        nouns={['session', 'sessions']}
        head={
          <Group justify="space-between">
            <SearchField label="Search by e-mail" value={q} onSearch={setQ} flex="1 1 12rem" />
            {others.length > 0 && (
              <Button variant="default" onClick={() => setEnding(others)}>
                End my other sessions…
              </Button>
            )}
          </Group>
        }
        empty={
          <EmptyState
            icon={IconDeviceLaptop}
            title="No session matches"
            description={`Nobody with “${q}” in the e-mail address is signed in.`}
          />
        }
      >
        {(shown) => (
          <ResourceTable
            label="Sessions"
            columns={columns}
            rows={shown}
            rowKey={({ id }) => id}
            actions={(session) =>
              session.current ? undefined : (
                <Button
                  size="xs"
                  variant="default"
                  aria-label={`End the session of ${session.email} from ${session.remote_address}`}
                  onClick={() => setEnding([session])}
                >
                  End…
                </Button>
              )
            }
          />
        )}
      </ListSection>
      {ending !== undefined && <EndSessionsDialog sessions={ending} onClose={() => setEnding(undefined)} />}
    </>
  );
}

const columns: readonly Column<Session>[] = [
  {
    header: 'Who',
    cell: ({ email, current }) => (
      <Group gap={8} miw={{ base: 0, sm: '14rem' }}>
        <Text fw={600} size="sm" style={{ overflowWrap: 'anywhere' }}>
          {email}
        </Text>
        {current && (
          <Badge variant="light" tt="none" fw={500} c="var(--mantine-color-text)">
            this browser
          </Badge>
        )}
      </Group>
    ),
  },
  { header: 'Browser', cell: ({ user_agent: agent }) => <span title={agent}>{browserText(agent)}</span> },
  { header: 'From', cell: ({ remote_address: address }) => address },
  { header: 'Last seen', cell: ({ last_seen_at: at }) => <TimeAgo time={at} /> },
  { header: 'Signed in', cell: ({ created_at: at }) => <TimeAgo time={at} /> },
  { header: 'Ends', cell: ({ expires_at: at }) => <TimeAgo time={at} /> },
];

function EndSessionsDialog({ sessions, onClose }: { readonly sessions: readonly Session[]; readonly onClose: () => void }) {
  const [first] = sessions;
  const isOne = sessions.length === 1;
  const end = async (): Promise<void> => {
    for (const { id } of sessions) {
      // One that has ended meanwhile is as good as ended.
      await callApi('delete', '/admin/sessions/:id', { param: { id } }).catch((error: unknown) => {
        if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
      });
    }
    await invalidate('sessions');
    notifications.show({ message: isOne ? 'The session has ended.' : `${sessions.length} sessions have ended.` });
  };
  return (
    <ConfirmDialog
      title={isOne ? `End the session of ${first?.email ?? ''}?` : `End ${sessions.length} sessions of yours?`}
      confirm={isOne ? 'End the session' : 'End them'}
      onConfirm={end}
      onClose={onClose}
    >
      <Text>
        {isOne
          ? `Whoever uses it (${browserText(first?.user_agent ?? '')}, from ${first?.remote_address ?? ''}) has to sign in again. What is open there and not saved stays on their screen until they do.`
          : 'All but this browser: whoever uses them has to sign in again.'}
      </Text>
      <Text mt="sm" size="sm" c="dimmed">
        Somebody who knows the password can sign in again; change it to keep them out.
      </Text>
    </ConfirmDialog>
  );
}
