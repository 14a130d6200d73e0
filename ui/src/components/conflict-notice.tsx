import { Box, Button, Group, Text } from '@mantine/core';
import { IconGitMerge } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { Answer } from '../api/call-api.ts';
import { FieldChanges } from './field-changes.tsx';
import { Notice } from './notice.tsx';

type Fields = Readonly<Record<string, unknown>>;

export interface ConflictNoticeProps<Stored> {
  /** "key" in "This key was changed meanwhile". */
  readonly what: string;
  readonly id: string;
  /** Reads the state that is stored now. */
  readonly read: (signal: AbortSignal) => Promise<Answer<Stored>>;
  /** The fields that the form shows, of a stored state; no secrets. */
  readonly fieldsOf: (stored: Stored) => Fields;
  /** As the form was opened with. */
  readonly before: Fields;
  /** As they stand in the form. */
  readonly mine: Fields;
  /** Saves what was typed on top of the new state: only the fields that one changed oneself. */
  readonly onOverwrite: (newer: Answer<Stored>) => void;
  /** Throws away what was typed. */
  readonly onReload: () => void;
}

/** After 412: somebody else was faster. Shows both versions, field by field; nothing is lost until one says what to do. */
export function ConflictNotice<Stored>(props: ConflictNoticeProps<Stored>) {
  const { what, id, read, fieldsOf, before, mine, onOverwrite, onReload } = props;
  const { data: newer } = useQuery({ queryKey: ['conflict', what, id], queryFn: ({ signal }) => read(signal), gcTime: 0, staleTime: 0 });
  const theirs = newer === undefined ? undefined : fieldsOf(newer.value);
  return (
    <Notice kind="warning" icon={IconGitMerge} title={`This ${what} was changed meanwhile`}>
      <Text size="sm">Somebody else saved a change after you opened this form. What you typed is still here; nothing was saved.</Text>
      {theirs !== undefined && (
        <Box mt="sm">
          <FieldChanges
            label="Both versions"
            before="Saved by others"
            after="Yours"
            changes={Object.keys(mine)
              .filter((field) => differ(theirs[field], before[field]) || differ(mine[field], before[field]))
              .map((field) => ({
                field,
                from: differ(theirs[field], before[field]) ? theirs[field] : 'unchanged',
                to: differ(mine[field], before[field]) ? mine[field] : 'unchanged',
              }))}
          />
        </Box>
      )}
      <Group mt="sm" gap="xs">
        <Button size="xs" disabled={newer === undefined} onClick={() => newer !== undefined && onOverwrite(newer)}>
          Save my changes on top
        </Button>
        <Button size="xs" variant="default" onClick={onReload}>
          Show the new state
        </Button>
      </Group>
    </Notice>
  );
}

function differ(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}
