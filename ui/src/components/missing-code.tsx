import { Button, Group, Text } from '@mantine/core';
import { IconRefreshAlert } from '@tabler/icons-react';
import { Notice } from './notice.tsx';

/** A file of the admin UI's own code could not be had. */
export class MissingCode extends Error {}

/** For code that is loaded when it is needed: tells files that cannot be had from defects. */
export function fetched<Module>(load: () => Promise<Module>): () => Promise<Module> {
  return async () => {
    try {
      return await load();
    } catch (error) {
      throw new MissingCode('A file of the admin UI could not be loaded.', { cause: error });
    }
  };
}

/** In the place of what its code could not be had for. After an upgrade of the gateway the files of an open page are gone. */
export function MissingCodeNotice({ onRetry }: { readonly onRetry: () => void }) {
  return (
    <Notice kind="danger" icon={IconRefreshAlert} title="This part of the page could not be loaded">
      <Text size="sm">
        The gateway may have been upgraded since you opened the page: then reload it. Or it did not answer for a moment: then try again.
        What you have typed stays until you reload.
      </Text>
      <Group gap="xs" mt="sm">
        <Button size="xs" onClick={() => location.reload()}>
          Reload the page
        </Button>
        <Button size="xs" variant="default" onClick={onRetry}>
          Try again
        </Button>
      </Group>
    </Notice>
  );
}
