import { Anchor, Group, Menu, Text } from '@mantine/core';
import { AddLink } from '../../components/add-link.tsx';
import { usePageHotkey } from '../../components/use-page-hotkey.ts';
import { notifications } from '@mantine/notifications';
import { IconPencil, IconTrash, IconUsers } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Item } from '../../api/admin-schema.ts';
import { callApi, readApi } from '../../api/call-api.ts';
import { invalidate, meKey } from '../../api/query-client.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListSection } from '../../components/list-section.tsx';
import { ResourceTable, type Column } from '../../components/resource-table.tsx';
import { RowMenu } from '../../components/row-menu.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { useListSearch } from '../../components/use-list-search.ts';
import { usePages } from '../../components/use-pages.ts';

export type Admin = Item<'/admin/admins'>;

export function AdminsList() {
  const { q, setQ } = useListSearch();
  const navigate = useNavigate();
  const admins = usePages('admins', '/admin/admins', { q });
  const { data: me } = useQuery({ queryKey: meKey, queryFn: ({ signal }) => readApi('/admin/me', {}, signal), staleTime: Infinity });
  const [deleting, setDeleting] = useState<Admin>();
  usePageHotkey('n', () => void navigate({ to: '/access/admins/new' }));
  return (
    <>
      <ListSection
        list={admins}
        nouns={['admin', 'admins']}
        head={
          <Group justify="space-between">
            <SearchField label="Search admins" value={q} onSearch={setQ} flex="1 1 12rem" />
            <AddLink to="/access/admins/new">Add admin</AddLink>
          </Group>
        }
        empty={<EmptyState icon={IconUsers} title="No admin matches" description={`No e-mail address has “${q}” in it.`} />}
      >
        {(rows) => (
          <ResourceTable
            label="Admins"
            columns={columnsFor(me?.id)}
            rows={rows}
            rowKey={({ id }) => id}
            actions={(admin) => (
              <RowMenu of={admin.email}>
                <Menu.Item component={Link} to={`/access/admins/${admin.id}`} leftSection={<IconPencil size={16} aria-hidden />}>
                  Change e-mail or password
                </Menu.Item>
                <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setDeleting(admin)}>
                  Delete…
                </Menu.Item>
              </RowMenu>
            )}
          />
        )}
      </ListSection>
      {deleting !== undefined && (
        <DeleteAdminDialog admin={deleting} isMe={deleting.id === me?.id} onClose={() => setDeleting(undefined)} />
      )}
    </>
  );
}

function columnsFor(me: string | undefined): Column<Admin>[] {
  return [
    {
      header: 'E-mail',
      cell: ({ id, email }) => (
        <Group gap={8}>
          <Anchor component={Link} to={`/access/admins/${id}`} fw={600} fz="sm" c="var(--mantine-color-text)">
            {email}
          </Anchor>
          {id === me && (
            <Text size="xs" c="dimmed">
              you
            </Text>
          )}
        </Group>
      ),
    },
    { header: 'Last sign-in', cell: ({ last_sign_in_at: at }) => (at === null ? 'Never' : <TimeAgo time={at} />) },
    { header: 'Added', cell: ({ created_at: at }) => <TimeAgo time={at} /> },
  ];
}

interface DeleteAdminDialogProps {
  readonly admin: Admin;
  readonly isMe: boolean;
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
}

export function DeleteAdminDialog({ admin, isMe, onClose, onDeleted }: DeleteAdminDialogProps) {
  const remove = async (): Promise<void> => {
    await callApi('delete', '/admin/admins/:id', { param: { id: admin.id } });
    await invalidate('admins', 'sessions');
    notifications.show({ message: `${admin.email} was deleted.` });
    onDeleted?.();
  };
  return (
    <ConfirmDialog title={`Delete ${admin.email}?`} confirm="Delete the admin" onConfirm={remove} onClose={onClose}>
      <Text>
        {isMe
          ? 'This is you: your sessions end at once, and only another admin can let you in again.'
          : 'Their sessions end at once, and they cannot sign in any more. API tokens that they made keep working.'}
      </Text>
      <Text mt="sm" size="sm" c="dimmed">
        What they did stays in the audit log.
      </Text>
    </ConfirmDialog>
  );
}
