import { Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { Upstream } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { callApi } from '../../api/call-api.ts';
import { FormProblem } from '../../components/form-problem.tsx';
import { UpstreamTestResult } from '../../components/upstream-test-result.tsx';
import { shellQuote } from '../../components/shell-quote.ts';
import { Dialog } from '../../components/dialog.tsx';

export interface TestUpstreamDialogProps {
  readonly upstream: Pick<Upstream, 'id' | 'name' | 'base_url'>;
  readonly onClose: () => void;
}

/** Tests a saved upstream as soon as it opens. */
export function TestUpstreamDialog({ upstream, onClose }: TestUpstreamDialogProps) {
  const test = useMutation({
    mutationFn: async () => (await callApi('post', '/admin/upstreams/:id/test', { param: { id: upstream.id }, json: {} })).value,
  });
  const begun = useRef(false);
  const { mutate } = test;
  useEffect(() => {
    if (!begun.current) mutate();
    begun.current = true;
  }, [mutate]);
  return (
    <Dialog onClose={onClose} title={`Test ${upstream.name}`} size="lg">
      <Stack>
        <Text size="sm" c="dimmed">
          One request to {upstream.base_url}, sent as the gateway sends those of clients.
        </Text>
        <div aria-live="polite" aria-busy={test.isPending}>
          {test.isPending ? (
            <Stack gap="xs">
              <Text size="sm">Testing…</Text>
              <Skeleton height={64} />
              <Skeleton height={160} />
            </Stack>
          ) : test.data === undefined ? (
            test.error !== null && <FormProblem problem={problemOf(test.error)} />
          ) : (
            <UpstreamTestResult test={test.data} command={`apigate upstreams test ${shellQuote(upstream.name)}`} />
          )}
        </div>
        <Group justify="flex-end">
          <Button variant="default" loading={test.isPending} onClick={() => mutate()}>
            Test again
          </Button>
          <Button onClick={onClose}>Close</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
