import { Box, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { problemOf } from '../../api/api-problem.ts';
import { callApi } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { tellChange } from '../../components/tell-change.tsx';
import { useResourceForm } from '../../components/use-resource-form.ts';
import { DraftTest } from './draft-test.tsx';
import { UpstreamFields } from './upstream-fields.tsx';
import { useUpstream } from './upstream-queries.ts';
import { fieldsOfUpstream, newUpstreamValues, valuesOfUpstream, type UpstreamValues } from './upstream-values.ts';

export function NewUpstreamPage() {
  const { from } = useSearch({ from: '/shell/upstreams/new' });
  return from === undefined ? <NewUpstream initial={newUpstreamValues} /> : <Duplicate id={from} />;
}

/** Begins with another one's properties, all but its name and its credential. */
function Duplicate({ id }: { readonly id: string }) {
  const { data, error, refetch } = useUpstream(id);
  if (data !== undefined)
    return <NewUpstream initial={{ ...valuesOfUpstream(data.value), name: `${data.value.name}-copy` }} of={data.value.name} />;
  if (error !== null) return <ErrorState problem={problemOf(error)} onRetry={() => void refetch()} />;
  return <PageSkeleton />;
}

function NewUpstream({ initial, of }: { readonly initial: UpstreamValues; readonly of?: string }) {
  const navigate = useNavigate();
  const { form, submit, busy, problem, shown } = useResourceForm({
    initial,
    toFields: fieldsOfUpstream,
    isNew: true,
    unsaved: 'The new upstream',
    save: async (_, values) => {
      const { value, revision, warnings } = await callApi('post', '/admin/upstreams', { json: fieldsOfUpstream(values) });
      await invalidate('upstreams', 'traffic');
      tellChange({
        message: `${value.name} was added.`,
        revision,
        undone: `${value.name} is gone again.`,
        onUndone: () => {
          if (location.pathname.endsWith(`/upstreams/${value.id}`)) void navigate({ to: '/upstreams' });
        },
      });
      for (const message of warnings) notifications.show({ color: 'orange', message, autoClose: false });
      await navigate({ to: '/upstreams/$id', params: { id: value.id }, ignoreBlocker: true });
    },
  });
  return (
    <>
      <PageHeader
        title="Add Upstream"
        description={
          of === undefined ? 'A service that requests are proxied to.' : `As ${of} is, without its credential, which cannot be read.`
        }
      />
      <Box component="form" onSubmit={submit} noValidate maw={760}>
        <Stack gap="lg">
          <UpstreamFields form={form} credentialStored={false} isNew />
          <DraftTest form={form} stored={undefined} changed={() => ({})} />
          <FormProblem problem={problem} shown={shown} />
          <FormActions submit="Save" busy={busy} onCancel={() => void navigate({ to: '/upstreams' })} />
        </Stack>
      </Box>
    </>
  );
}
