import { Box, Button, Stack } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { problemOf } from '../../api/api-problem.ts';
import { callApi, type Answer } from '../../api/call-api.ts';
import type { ApiKey } from '../../api/admin-schema.ts';
import { invalidate, oneKey } from '../../api/query-client.ts';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import { MissingResource } from '../../components/missing-resource.tsx';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { tellChange } from '../../components/tell-change.tsx';
import { useEditForm } from '../../components/use-edit-form.tsx';
import { EndKeyDialog, type KeyEnding } from './end-key-dialog.tsx';
import { fieldsOfKey, KeyFields, valuesOfKey } from './key-fields.tsx';
import { useKey } from './key-queries.ts';

export function EditKeyPage() {
  const { id } = useParams({ from: '/shell/keys/$id' });
  const { data, error, refetch } = useKey(id);
  if (data !== undefined) return <EditKey key={id} stored={data} readError={error} />;
  if (error !== null)
    return <MissingResource what="API key" problem={problemOf(error)} onRetry={() => void refetch()} list={['/keys', 'All API keys']} />;
  return <PageSkeleton />;
}

function EditKey({ stored, readError }: { readonly stored: Answer<ApiKey>; readonly readError: Error | null }) {
  const { value: key } = stored;
  const { id } = useParams({ from: '/shell/keys/$id' });
  const navigate = useNavigate();
  const [ending, setEnding] = useState<KeyEnding>();
  const { form, submit, busy, problem, shown, conflict } = useEditForm({
    what: 'key',
    queryKey: oneKey('keys', id),
    stored,
    readError,
    unsaved: `API key ${key.name}`,
    valuesOf: valuesOfKey,
    toFields: fieldsOfKey,
    save: (json, ifMatch) => callApi('patch', '/admin/keys/:id', { param: { id: key.id }, json }, { ifMatch }),
    onSaved: async ({ value, revision }) => {
      await invalidate('keys');
      tellChange({ message: `${value.name} was saved.`, revision, undone: `${value.name} is as it was.`, ofKeys: true });
      await navigate({ to: '/keys' });
    },
  });
  return (
    <>
      <PageHeader
        title={key.name}
        description={`API key ${key.prefix}…`}
        actions={
          <>
            {key.revoked_at === null && (
              <Button variant="default" onClick={() => setEnding({ key, how: 'revoke' })}>
                Revoke…
              </Button>
            )}
            <Button variant="default" c="var(--mantine-color-error)" onClick={() => setEnding({ key, how: 'delete' })}>
              Delete…
            </Button>
          </>
        }
      />
      <Box component="form" onSubmit={submit} noValidate className="surface" p={{ base: 'md', sm: 'lg' }} maw={560}>
        <Stack>
          <KeyFields form={form} />
          {conflict ?? <FormProblem problem={problem} shown={shown} />}
          <FormActions submit="Save" busy={busy} disabled={!form.isDirty()} onCancel={() => void navigate({ to: '/keys' })} />
        </Stack>
      </Box>
      {ending !== undefined && (
        <EndKeyDialog
          ending={ending}
          onClose={() => setEnding(undefined)}
          onEnded={() => void navigate({ to: '/keys', ignoreBlocker: true })}
        />
      )}
    </>
  );
}
