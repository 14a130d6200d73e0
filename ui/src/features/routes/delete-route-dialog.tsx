import { Code, List, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Route } from '../../api/admin-schema.ts';
import { callApi, readApi } from '../../api/call-api.ts';
import { invalidate, listKey } from '../../api/query-client.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { tellChange } from '../../components/tell-change.tsx';

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
    tellChange({ message: `${route.name} was deleted.`, revision, undone: `${route.name} is back.` });
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
