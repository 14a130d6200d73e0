import { Button, Group, Text } from '@mantine/core';
import { IconGitMerge } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Notice } from './notice.tsx';

export interface ConflictNoticeProps {
  /** "key" in "This key was changed meanwhile". */
  readonly what: string;
  /** Saves what was typed on top of the new state: only the fields that one changed oneself. */
  readonly onOverwrite: () => void;
  /** Throws away what was typed. */
  readonly onReload: () => void;
  /** What differs: the new state beside what was typed. */
  readonly children?: ReactNode;
}

/** After 412: somebody else was faster. Nothing is lost until one says what to do. */
export function ConflictNotice({ what, onOverwrite, onReload, children }: ConflictNoticeProps) {
  return (
    <Notice kind="warning" icon={IconGitMerge} title={`This ${what} was changed meanwhile`}>
      <Text size="sm">Somebody else saved a change after you opened this form. What you typed is still here; nothing was saved.</Text>
      {children}
      <Group mt="sm" gap="xs">
        <Button size="xs" onClick={onOverwrite}>
          Save my changes on top
        </Button>
        <Button size="xs" variant="default" onClick={onReload}>
          Show the new state
        </Button>
      </Group>
    </Notice>
  );
}
