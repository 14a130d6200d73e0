import { Stack } from '@mantine/core';
import { IconTerminal2 } from '@tabler/icons-react';
import { CommandLine } from './command-line.tsx';
import { EmptyState } from './empty-state.tsx';
import { PageHeader } from './page-header.tsx';

/** A section that has no page yet: says so, and which command does the same. */
export function CliForNow({ title, command }: { readonly title: string; readonly command: string }) {
  return (
    <>
      <PageHeader title={title} />
      <EmptyState icon={IconTerminal2} title="Not in the UI yet" description="The command line and the REST API do this today.">
        <Stack w="100%">
          <CommandLine text={command} what="the command" />
        </Stack>
      </EmptyState>
    </>
  );
}
