import { Button, Group, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { Upstream, UpstreamTest } from '../../api/admin-schema.ts';
import { ApiProblem, problemOf } from '../../api/api-problem.ts';
import { callApi } from '../../api/call-api.ts';
import { FormProblem } from '../../components/form-problem.tsx';
import { sentenceOf } from '../../components/sentence-of.ts';
import { UpstreamTestResult } from '../../components/upstream-test-result.tsx';
import { testCommand } from './test-command.ts';
import { fieldsOfUpstream, type UpstreamValues } from './upstream-values.ts';

export interface DraftTestProps {
  readonly form: UseFormReturnType<UpstreamValues>;
  /** The upstream that is edited; undefined for a new one. */
  readonly stored: Upstream | undefined;
  /** What differs from the stored one. */
  readonly changed: () => Partial<ReturnType<typeof fieldsOfUpstream>>;
}

interface Tested {
  readonly test: UpstreamTest;
  readonly command: string;
}

/** Tests what the form holds, before anything is saved. */
export function DraftTest({ form, stored, changed }: DraftTestProps) {
  const [path, setPath] = useState('');
  const testing = useMutation<Tested>({
    mutationFn: async () => {
      form.clearErrors();
      const asked = path.trim() === '' ? {} : { path: path.trim() };
      if (stored !== undefined) {
        const upstream = changed();
        const json = { ...asked, ...(Object.keys(upstream).length === 0 ? {} : { upstream }) };
        const { value } = await callApi('post', '/admin/upstreams/:id/test', { param: { id: stored.id }, json });
        return { test: value, command: testCommand(stored.name, upstream, asked.path) };
      }
      const { name, ...upstream } = fieldsOfUpstream(form.getValues());
      const json = { ...asked, upstream: { ...upstream, ...(name === '' ? {} : { name }) } };
      const { value } = await callApi('post', '/admin/upstreams/test', { json });
      return { test: value, command: testCommand(undefined, upstream, asked.path) };
    },
    onError: (error) => {
      const messages = problemOf(error).errors.flatMap(({ field, message }) =>
        field.startsWith('upstream.') ? [[fieldOfDraft(field), sentenceOf(message)] as const] : [],
      );
      form.setErrors(Object.fromEntries(messages));
      const first = Object.keys(form.getValues()).find((name) => messages.some(([field]) => field === name));
      if (first !== undefined) requestAnimationFrame(() => form.getInputNode(first)?.focus());
    },
  });
  const problem = testing.error === null ? undefined : withoutPrefix(problemOf(testing.error));
  return (
    <Stack className="surface" p={{ base: 'md', sm: 'lg' }} gap="md">
      <div>
        <Text fw={650}>Test before saving</Text>
        <Text size="sm" c="dimmed">
          One GET with what stands in the form, as the gateway would send it. Nothing is saved.
        </Text>
      </div>
      <Group align="flex-end" gap="xs">
        <TextInput
          label="Path to ask for"
          placeholder="/health"
          description="Behind the base URL. Empty: the base URL itself."
          flex="1 1 14rem"
          autoComplete="off"
          spellCheck={false}
          value={path}
          onChange={(event) => setPath(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            testing.mutate();
          }}
          error={problem?.errors.find(({ field }) => field === 'path')?.message}
        />
        <Button variant="light" loading={testing.isPending} onClick={() => testing.mutate()}>
          Test
        </Button>
      </Group>
      <div aria-live="polite" aria-busy={testing.isPending}>
        {testing.isPending ? (
          <Skeleton height={160} />
        ) : testing.data === undefined ? (
          <FormProblem problem={problem} shown={['path', ...Object.keys(form.getValues())]} />
        ) : (
          <UpstreamTestResult test={testing.data.test} command={testing.data.command} />
        )}
      </div>
    </Stack>
  );
}

function fieldOfDraft(apiField: string): string {
  return apiField.split('.')[1] ?? apiField;
}

function withoutPrefix(problem: ApiProblem): ApiProblem {
  return new ApiProblem({
    status: problem.status,
    code: problem.code,
    title: problem.title,
    detail: problem.message,
    requestId: problem.requestId,
    retryAfter: problem.retryAfter,
    errors: problem.errors.map(({ field, message }) => ({ field: field.replace(/^upstream\./, ''), message })),
  });
}
