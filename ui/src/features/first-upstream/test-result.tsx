import { List, Stack, Text } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import type { UpstreamTest } from '../../api/admin-schema.ts';
import { Notice } from '../../components/notice.tsx';

/** What a test of an upstream found, in a few words: whether it answers, else why not and what to do. */
export function TestResult({ test }: { readonly test: UpstreamTest }) {
  const { answer, problem, total_ms: total } = test;
  if (test.answers && answer !== null) {
    return (
      <Notice kind="success" title="It answers">
        {answer.status} {answer.reason} {total !== null && `in ${Math.round(total)} ms`}
        {answer.status >= 400 && '. That is fine: this path may need a credential, or there may be nothing at it.'}
      </Notice>
    );
  }
  return (
    <Notice kind="danger" icon={IconPlugConnectedX} title={problem?.title ?? 'It does not answer'}>
      <Stack gap="xs">
        {problem !== null && <Text size="sm">{problem.cause}</Text>}
        {problem !== null && problem.next.length > 0 && (
          <List size="sm">
            {problem.next.map((step) => (
              <List.Item key={step}>{step}</List.Item>
            ))}
          </List>
        )}
      </Stack>
    </Notice>
  );
}
