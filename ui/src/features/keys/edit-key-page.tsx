import { Box, Button, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { problemOf } from '../../api/api-problem.ts';
import { callApi, type Answer } from '../../api/call-api.ts';
import type { ApiKey } from '../../api/admin-schema.ts';
import { invalidate } from '../../api/query-client.ts';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import { ConflictNotice } from '../../components/conflict-notice.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { useResourceForm } from '../../components/use-resource-form.ts';
import { EndKeyDialog, type KeyEnding } from './end-key-dialog.tsx';
import { fieldsOfKey, KeyFields, valuesOfKey } from './key-fields.tsx';
import { useKey } from './key-queries.ts';

export function EditKeyPage() {
  const { id } = useParams({ from: '/shell/keys/$id' });
  const { data, error, refetch } = useKey(id);
  if (data !== undefined) return <EditKey key={data.etag} stored={data} reload={() => void refetch()} />;
  if (error !== null) return <ErrorState problem={problemOf(error)} onRetry={() => void refetch()} />;
  return <PageSkeleton />;
}

function EditKey({ stored, reload }: { readonly stored: Answer<ApiKey>; readonly reload: () => void }) {
  const { value: key } = stored;
  const navigate = useNavigate();
  const [ending, setEnding] = useState<KeyEnding>();
  const etag = useRef(stored.etag);
  const { form, submit, busy, problem, shown, isConflict } = useResourceForm({
    initial: valuesOfKey(key),
    toFields: fieldsOfKey,
    isNew: false,
    save: async (fields) => {
      await callApi('patch', '/admin/keys/:id', { param: { id: key.id }, json: fields }, { ifMatch: etag.current });
      await invalidate('keys');
      notifications.show({ message: `${form.getValues().name} was saved.` });
      await navigate({ to: '/keys' });
    },
  });
  const overwrite = (newer: Answer<ApiKey>): void => {
    etag.current = newer.etag;
    submit();
  };
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
          {isConflict ? (
            <ConflictNotice
              what="key"
              id={key.id}
              read={(signal) => callApi('get', '/admin/keys/:id', { param: { id: key.id } }, { signal })}
              fieldsOf={(newer) => fieldsOfKey(valuesOfKey(newer))}
              before={fieldsOfKey(valuesOfKey(key))}
              mine={fieldsOfKey(form.getValues())}
              onOverwrite={overwrite}
              onReload={reload}
            />
          ) : (
            <FormProblem problem={problem} shown={shown} />
          )}
          <FormActions submit="Save" busy={busy} disabled={!form.isDirty()} onCancel={() => void navigate({ to: '/keys' })} />
        </Stack>
      </Box>
      {ending !== undefined && (
        <EndKeyDialog ending={ending} onClose={() => setEnding(undefined)} onEnded={() => void navigate({ to: '/keys' })} />
      )}
    </>
  );
}
