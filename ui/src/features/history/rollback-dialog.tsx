import { Button, Checkbox, Code, Group, List, Skeleton, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Output } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { callApi } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';
import { ConfigChanges } from '../../components/config-changes.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { Notice } from '../../components/notice.tsx';
import { Dialog } from '../../components/dialog.tsx';

type Rollback = Output<'post', '/admin/history/:revision/rollback'>;

/** Shows what going back to a revision changes, asks, and does that and nothing else. */
export function RollbackDialog({ to, onClose }: { readonly to: number; readonly onClose: () => void }) {
  const navigate = useNavigate();
  const [keepKeys, setKeepKeys] = useState(false);
  const param = { revision: String(to) };
  const keep_keys = keepKeys ? ('true' as const) : ('false' as const);
  const preview = useQuery({
    queryKey: ['rollback', to, keepKeys],
    queryFn: async ({ signal }) =>
      (await callApi('post', '/admin/history/:revision/rollback', { param, query: { dry_run: 'true', keep_keys } }, { signal })).value,
    gcTime: 0,
    staleTime: Infinity,
  });
  const doing = useMutation({
    mutationFn: async (expected: number) => {
      const query = { keep_keys, expect_revision: String(expected) };
      return (await callApi('post', '/admin/history/:revision/rollback', { param, query })).value;
    },
    onSuccess: async ({ revision }) => {
      await invalidate('upstreams', 'routes', 'keys');
      notifications.show({ message: `Everything is as in revision ${to} again.` });
      onClose();
      await navigate({ to: `/history/${revision}` });
    },
  });
  const problem = doing.error ?? preview.error;
  const isStale = doing.error !== null && problemOf(doing.error).status === 412;
  const endsKeys = preview.data?.changes.some(({ type, action }) => type === 'key' && action === 'delete') ?? false;
  const again = (): void => {
    doing.reset();
    void preview.refetch();
  };
  return (
    <Dialog onClose={onClose} title={`Go back to revision ${to}?`} size={760}>
      <Stack>
        <Text size="sm">
          This makes a new revision in which everything is what it was then, stored credentials included, replaced ones too. It is live at
          once, and can be undone{endsKeys ? ', but for the API keys that it deletes' : ''}.
        </Text>
        {preview.data === undefined && preview.error === null && <Skeleton height={120} />}
        {preview.data !== undefined && <Preview planned={preview.data} />}
        <Checkbox
          label="Leave API keys as they are now"
          description="Without it, keys made since are deleted, and cannot be brought back."
          checked={keepKeys}
          onChange={(event) => setKeepKeys(event.currentTarget.checked)}
        />
        {isStale ? (
          <Notice kind="warning" title="Something was changed meanwhile">
            <Text size="sm">So what is shown above is no longer all that would be done. Nothing was changed.</Text>
            <Button size="xs" mt="xs" variant="default" onClick={again}>
              Show the new preview
            </Button>
          </Notice>
        ) : (
          <FormProblem problem={problem === null ? undefined : problemOf(problem)} />
        )}
        <Text size="xs" c="dimmed">
          In a terminal:{' '}
          <Code>
            apigate rollback {to}
            {keepKeys ? ' --keep-keys' : ''}
          </Code>
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button
            loading={doing.isPending}
            disabled={preview.data === undefined || preview.isFetching || preview.data.changes.length === 0 || isStale}
            onClick={() => preview.data !== undefined && doing.mutate(preview.data.revision)}
          >
            Go back to revision {to}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

function Preview({ planned: { changes, warnings } }: { readonly planned: Rollback }) {
  return (
    <>
      {changes.length === 0 ? (
        <Text fw={600}>All is so already: there is nothing to change.</Text>
      ) : (
        <ConfigChanges changes={changes} isPlanned />
      )}
      {warnings.length > 0 && (
        <Notice kind="warning" title="What is not as it was">
          <List size="sm">
            {warnings.map(({ field, message }) => (
              <List.Item key={`${field} ${message}`}>
                {field}: {message}
              </List.Item>
            ))}
          </List>
        </Notice>
      )}
    </>
  );
}
