import { Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { TimeAgo } from './time-ago.tsx';

/** `revoke`: it stays in the list. */
export type HowToEnd = 'revoke' | 'delete';

export interface EndCredentialDialogProps {
  readonly what: 'key' | 'token';
  readonly of: { readonly name: string; readonly last_used_at: string | null };
  readonly how: HowToEnd;
  /** What that means for whoever uses it. */
  readonly consequence: string;
  readonly end: () => Promise<unknown>;
  readonly onClose: () => void;
  readonly onEnded?: (() => void) | undefined;
}

/** Asks before an API key or an API token stops working, and says when it was used last. */
export function EndCredentialDialog({
  what,
  of: { name, last_used_at: used },
  how,
  consequence,
  end,
  onClose,
  onEnded,
}: EndCredentialDialogProps) {
  const word = how === 'revoke' ? 'Revoke' : 'Delete';
  const confirm = async (): Promise<void> => {
    await end();
    notifications.show({ message: `${name} was ${how === 'revoke' ? 'revoked' : 'deleted'}.` });
    onEnded?.();
  };
  return (
    <ConfirmDialog title={`${word} ${name}?`} confirm={`${word} the ${what}`} onConfirm={confirm} onClose={onClose}>
      <Text>{consequence}</Text>
      <Text mt="sm" fw={600}>
        {used === null ? (
          'Nobody has used it yet.'
        ) : (
          <>
            It was last used <TimeAgo time={used} />.
          </>
        )}
      </Text>
    </ConfirmDialog>
  );
}
