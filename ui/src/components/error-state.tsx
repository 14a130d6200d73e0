import { Button, Code, Stack, Text } from '@mantine/core';
import type { ApiProblem } from '../api/api-problem.ts';
import { Notice } from './notice.tsx';

/** In the place of what could not be read: why, and how to try again. */
export function ErrorState({ problem, onRetry }: { readonly problem: ApiProblem; readonly onRetry?: () => void }) {
  return (
    <Notice kind="danger" title={problem.title}>
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{problem.message}</Text>
        {problem.requestId !== undefined && (
          <Text size="xs" c="dimmed">
            Request <Code>{problem.requestId}</Code> in the log.
          </Text>
        )}
        {onRetry !== undefined && (
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Stack>
    </Notice>
  );
}
