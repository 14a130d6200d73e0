import { Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { callApi } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import type { ApiToken } from './token-fields.tsx';

export interface TokenEnding {
  readonly token: ApiToken;
  readonly how: 'revoke' | 'delete';
}

export interface EndTokenDialogProps {
  readonly ending: TokenEnding;
  readonly onClose: () => void;
  readonly onEnded?: () => void;
}

/** Asks before a token stops working, and says for whom. */
export function EndTokenDialog({ ending: { token, how }, onClose, onEnded }: EndTokenDialogProps) {
  const end = async (): Promise<void> => {
    const param = { id: token.id };
    if (how === 'revoke') await callApi('post', '/admin/tokens/:id/revoke', { param });
    else await callApi('delete', '/admin/tokens/:id', { param });
    await invalidate('tokens');
    notifications.show({ message: `${token.name} was ${how === 'revoke' ? 'revoked' : 'deleted'}.` });
    onEnded?.();
  };
  return (
    <ConfirmDialog
      title={how === 'revoke' ? `Revoke ${token.name}?` : `Delete ${token.name}?`}
      confirm={how === 'revoke' ? 'Revoke the token' : 'Delete the token'}
      onConfirm={end}
      onClose={onClose}
    >
      <Text>
        Programs that use it get 401 from now on, and streams that they follow end within seconds.{' '}
        {how === 'revoke'
          ? 'The token stays in the list; it cannot be made valid again.'
          : 'The token leaves the list. There is no way back: a new token would be another one.'}
      </Text>
      <Text mt="sm" fw={600}>
        {token.last_used_at === null ? (
          'Nobody has used it yet.'
        ) : (
          <>
            It was last used <TimeAgo time={token.last_used_at} />.
          </>
        )}
      </Text>
    </ConfirmDialog>
  );
}
