import { Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import type { ApiKey } from '../../api/admin-schema.ts';
import { callApi } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';

export interface KeyEnding {
  readonly key: ApiKey;
  readonly how: 'revoke' | 'delete';
}

export interface EndKeyDialogProps {
  readonly ending: KeyEnding;
  readonly onClose: () => void;
  readonly onEnded?: () => void;
}

/** Asks before a key stops working, and says for whom. */
export function EndKeyDialog({ ending: { key, how }, onClose, onEnded }: EndKeyDialogProps) {
  const end = async (): Promise<void> => {
    const param = { id: key.id };
    if (how === 'revoke') await callApi('post', '/admin/keys/:id/revoke', { param });
    else await callApi('delete', '/admin/keys/:id', { param });
    await invalidate('keys');
    notifications.show({ message: `${key.name} was ${how === 'revoke' ? 'revoked' : 'deleted'}.` });
    onEnded?.();
  };
  return (
    <ConfirmDialog
      title={how === 'revoke' ? `Revoke ${key.name}?` : `Delete ${key.name}?`}
      confirm={how === 'revoke' ? 'Revoke the key' : 'Delete the key'}
      onConfirm={end}
      onClose={onClose}
    >
      <Text>
        {how === 'revoke'
          ? 'Clients that use this key get 401 key_revoked from now on. The key stays in the list; it cannot be made valid again.'
          : 'Clients that use this key get 401 invalid_api_key from now on, and the key leaves the list. There is no way back: a new key would be another one.'}
      </Text>
      <Text mt="sm" fw={600}>
        {key.last_used_at === null ? (
          'Nobody has used it yet.'
        ) : (
          <>
            It was last used <TimeAgo time={key.last_used_at} />.
          </>
        )}
      </Text>
    </ConfirmDialog>
  );
}
