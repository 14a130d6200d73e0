import { Button, Code, Group, List, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import type { Route } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { callApi, readApi } from '../../api/call-api.ts';
import { invalidate, listKey } from '../../api/query-client.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';

export interface DeleteRouteDialogProps {
  readonly route: Route;
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
}

/** Asks before a route stops taking requests, says what hangs on it, and offers to bring it back. */
export function DeleteRouteDialog({ route, onClose, onDeleted }: DeleteRouteDialogProps) {
  const { data: keys } = useQuery({
    queryKey: listKey('keys', { limit: '500' }),
    queryFn: ({ signal }) => readApi('/admin/keys', { query: { limit: '500' } }, signal),
    select: ({ data }) => data.filter(({ routes, revoked_at }) => revoked_at === null && routes.includes(route.id)),
  });
  const end = async (): Promise<void> => {
    const { revision } = await callApi('delete', '/admin/routes/:id', { param: { id: route.id } });
    await invalidate('routes');
    onDeleted?.();
    const id = `deleted-${route.id}`;
    notifications.show({
      id,
      autoClose: 15_000,
      message: (
        <Group gap="xs" justify="space-between">
          {route.name} was deleted.
          {revision !== undefined && (
            <Button size="compact-sm" variant="default" onClick={() => void undo(route.name, revision, id)}>
              Undo
            </Button>
          )}
        </Group>
      ),
    });
  };
  return (
    <ConfirmDialog title={`Delete ${route.name}?`} confirm="Delete the route" onConfirm={end} onClose={onClose}>
      <Text>
        Requests for <Code>{route.host_pattern + route.path_pattern}</Code> go to the next route that fits from now on; where none does,
        clients get 404.
      </Text>
      {keys !== undefined && keys.length > 0 && (
        <>
          <Text mt="sm">
            {keys.length === 1 ? 'One API key is' : `${keys.length} API keys are`} limited to routes with this one among them, and will open
            one route fewer:
          </Text>
          <List size="sm">
            {keys.slice(0, 5).map(({ id, name }) => (
              <List.Item key={id}>{name}</List.Item>
            ))}
            {keys.length > 5 && <List.Item>and {keys.length - 5} more</List.Item>}
          </List>
        </>
      )}
    </ConfirmDialog>
  );
}

/** Goes back to the revision before, unless somebody has changed anything since. */
async function undo(name: string, revision: number, id: string): Promise<void> {
  notifications.hide(id);
  try {
    await callApi('post', '/admin/history/:revision/rollback', {
      param: { revision: String(revision - 1) },
      query: { expect_revision: String(revision), keep_keys: 'true' },
    });
    await invalidate('routes', 'keys');
    notifications.show({ message: `${name} is back.` });
  } catch (error) {
    const problem = problemOf(error);
    const message =
      problem.status === 412
        ? 'The gateway config was changed since. History shows what the route was and can go back to it.'
        : problem.message;
    notifications.show({ color: 'red', title: `${name} stays deleted`, message, autoClose: 15_000 });
  }
}
