import { List, Stack, Text } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { inFieldWords } from './field-words.ts';
import { Notice, type NoticeProps } from './notice.tsx';

export interface ProblemNoticeProps {
  readonly kind: NoticeProps['kind'];
  readonly problem: {
    readonly title: string;
    readonly cause: string;
    readonly next: readonly string[];
    /** How often it failed in a row, and what did. */
    readonly consecutive_failures?: number;
    readonly source?: 'traffic' | 'check';
  };
}

/** What is wrong with an upstream, and what to do about it, the likeliest first. */
export function ProblemNotice({ kind, problem: { title, cause, next, consecutive_failures: count, source } }: ProblemNoticeProps) {
  return (
    <Notice kind={kind} icon={IconPlugConnectedX} title={title}>
      <Stack gap="xs">
        <Text size="sm">
          {inFieldWords(cause)}
          {count !== undefined && count > 1 && (
            // It grows while one looks: that is not to interrupt a screen reader each time.
            <span aria-live="off">
              {' '}
              {count.toLocaleString('en')} {source === 'check' ? 'health checks' : 'requests'} failed in a row.
            </span>
          )}
        </Text>
        {next.length > 0 && (
          <List size="sm" aria-label="What to do">
            {next.map((step) => (
              <List.Item key={step}>{inFieldWords(step)}</List.Item>
            ))}
          </List>
        )}
      </Stack>
    </Notice>
  );
}
