import { Modal, Text } from '@mantine/core';
import { meKey, queryClient } from '../../api/query-client.ts';
import { useObservable } from '../../api/observable-value.ts';
import { resumeSession, sessionEnded } from '../../api/session-state.ts';
import type { Me } from '../../api/admin-schema.ts';
import { SignInForm } from './sign-in-form.tsx';

/** Over the page, which stays as it is: what was to be saved is saved once somebody has signed in again. */
export function SessionEndedDialog() {
  const ended = useObservable(sessionEnded);
  const me = queryClient.getQueryData<Me>(meKey);
  const signedIn = async (): Promise<void> => {
    resumeSession();
    await queryClient.invalidateQueries();
  };
  return (
    <Modal
      opened={ended}
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title="Your session has ended"
      centered
      zIndex={400}
    >
      <Text size="sm" c="dimmed" mb="md">
        Sign in again to go on. What you have typed stays, and what you were saving is saved then.
      </Text>
      <SignInForm email={me?.label ?? ''} onSignedIn={signedIn} />
    </Modal>
  );
}
