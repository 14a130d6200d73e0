import { Checkbox, List, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { Route, Upstream } from '../../api/admin-schema.ts';
import { callApi } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { tellChange } from '../../components/tell-change.tsx';

export interface DeleteUpstreamDialogProps {
  readonly upstream: Upstream;
  readonly routes: readonly Route[];
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
}

/** Routes that are listed one by one. */
const listed = 8;

/** Asks before an upstream goes; one that routes use stays, unless they are to go too. */
export function DeleteUpstreamDialog({ upstream, routes, onClose, onDeleted }: DeleteUpstreamDialogProps) {
  const [cascade, setCascade] = useState(false);
  const remove = async (): Promise<void> => {
    const { revision } = await callApi('delete', '/admin/upstreams/:id', {
      param: { id: upstream.id },
      query: cascade ? { cascade: 'true' } : {},
    });
    await invalidate('upstreams', 'routes', 'traffic');
    onDeleted?.();
    tellChange({ message: `${upstream.name} was deleted.`, revision, undone: `${upstream.name} is back.` });
  };
  const count = routes.length === 1 ? 'this route' : `these ${routes.length} routes`;
  return (
    <ConfirmDialog
      title={`Delete ${upstream.name}?`}
      confirm={cascade ? `Delete the upstream and ${routes.length === 1 ? '1 route' : `${routes.length} routes`}` : 'Delete the upstream'}
      disabled={routes.length > 0 && !cascade}
      onConfirm={remove}
      onClose={onClose}
    >
      {routes.length === 0 ? (
        <Text size="sm">No route uses it. Its credential is deleted with it. Undo, and later a rollback in History, bring both back.</Text>
      ) : (
        <Stack gap="sm">
          <Text size="sm">
            {routes.length === 1 ? 'A route uses it' : `${routes.length} routes use it`}, so it is not deleted by itself:
          </Text>
          <List size="sm">
            {routes.slice(0, listed).map((route) => (
              <List.Item key={route.id}>
                {route.name} ({route.path_pattern})
              </List.Item>
            ))}
            {routes.length > listed && <List.Item>and {routes.length - listed} more</List.Item>}
          </List>
          <Checkbox
            label={`Delete ${count} too`}
            description="What came that way gets 404 then, or goes to another route that matches."
            checked={cascade}
            onChange={(event) => setCascade(event.currentTarget.checked)}
          />
        </Stack>
      )}
    </ConfirmDialog>
  );
}
