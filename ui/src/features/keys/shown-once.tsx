import { Stack, Text } from '@mantine/core';
import { IconEyeOff } from '@tabler/icons-react';
import { CommandLine } from '../../components/command-line.tsx';
import { Notice } from '../../components/notice.tsx';

/** A new API key with its secret, and a command that uses it with this URL: `useRouteSample()`. */
export function ShownOnce({ secret, url }: { readonly secret: string; readonly url: string }) {
  return (
    <Stack>
      <Notice kind="warning" icon={IconEyeOff} title="Shown once">
        The gateway keeps only a fingerprint of it: whoever loses the key needs a new one.
      </Notice>
      <CommandLine text={secret} what="the key" />
      <Text fw={600}>Try it</Text>
      <CommandLine text={`curl -H 'X-API-Key: ${secret}' ${url}`} what="the command" />
    </Stack>
  );
}
