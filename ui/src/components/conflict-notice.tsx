import { Box, Button, Group, Text } from '@mantine/core';
import { IconGitMerge } from '@tabler/icons-react';
import { FieldChanges } from './field-changes.tsx';
import { Notice } from './notice.tsx';

type Fields = Readonly<Record<string, unknown>>;

export interface ConflictNoticeProps {
  /** "key" in "This key was changed meanwhile". */
  readonly what: string;
  /** The fields that the form shows, as it was opened with; no secrets. */
  readonly before: Fields;
  /** As they stand in the form. */
  readonly mine: Fields;
  /** As they are stored now; undefined while that is not known. */
  readonly theirs: Fields | undefined;
  /** What is done with both: "Save my changes on top" when not given. */
  readonly overwrite?: string;
  readonly onOverwrite: () => void;
  /** Throws away what was typed. */
  readonly onReload: () => void;
}

/** Somebody else was faster. Shows both versions, field by field; nothing is lost until one says what to do. */
export function ConflictNotice(props: ConflictNoticeProps) {
  const { what, before, mine, theirs, overwrite = 'Save my changes on top', onOverwrite, onReload } = props;
  const isTheirs = (field: string): boolean => theirs !== undefined && differ(theirs[field], before[field]);
  const isMine = (field: string): boolean => differ(mine[field], before[field]);
  return (
    <Notice kind="warning" icon={IconGitMerge} title={`This ${what} was changed meanwhile`}>
      <Text size="sm">
        A change of it was saved after you opened this form. What you typed is still here; nothing of it was saved.
        {theirs !== undefined && !Object.keys(mine).some(isTheirs) && ' What was changed is nothing that this form shows.'}
      </Text>
      {theirs !== undefined && (
        <Box mt="sm">
          <FieldChanges
            label="Both versions"
            before="Saved by others"
            after="Yours"
            changes={Object.keys(mine)
              .filter((field) => isTheirs(field) || isMine(field))
              .map((field) => ({
                field,
                from: isTheirs(field) ? theirs[field] : 'as it was',
                to: isMine(field) ? mine[field] : 'as it was',
              }))}
          />
        </Box>
      )}
      <Group mt="sm" gap="xs">
        <Button size="xs" disabled={theirs === undefined} onClick={onOverwrite}>
          {overwrite}
        </Button>
        <Button size="xs" variant="default" disabled={theirs === undefined} onClick={onReload}>
          Show the new state
        </Button>
      </Group>
    </Notice>
  );
}

function differ(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}
