import { Box, Button, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { problemOf } from '../../api/api-problem.ts';
import { callApi, type Answer } from '../../api/call-api.ts';
import { invalidate, oneKey } from '../../api/query-client.ts';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import { ConflictNotice } from '../../components/conflict-notice.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { useResourceForm } from '../../components/use-resource-form.ts';
import { EndTokenDialog, type TokenEnding } from './end-token-dialog.tsx';
import { fieldsOfToken, TokenFields, valuesOfToken, type ApiToken } from './token-fields.tsx';

export function EditTokenPage() {
  const { id } = useParams({ from: '/shell/access/tokens/$id' });
  const { data, error, refetch } = useQuery({
    queryKey: oneKey('tokens', id),
    queryFn: ({ signal }) => callApi('get', '/admin/tokens/:id', { param: { id } }, { signal }),
    staleTime: Infinity,
    gcTime: 0,
  });
  if (data !== undefined) return <EditToken key={data.etag} stored={data} reload={() => void refetch()} />;
  if (error !== null) return <ErrorState problem={problemOf(error)} onRetry={() => void refetch()} />;
  return <PageSkeleton />;
}

function EditToken({ stored, reload }: { readonly stored: Answer<ApiToken>; readonly reload: () => void }) {
  const { value: token } = stored;
  const navigate = useNavigate();
  const [ending, setEnding] = useState<TokenEnding>();
  const etag = useRef(stored.etag);
  const { form, submit, busy, problem, shown, isConflict } = useResourceForm({
    initial: valuesOfToken(token),
    toFields: fieldsOfToken,
    isNew: false,
    save: async (fields) => {
      await callApi('patch', '/admin/tokens/:id', { param: { id: token.id }, json: fields }, { ifMatch: etag.current });
      await invalidate('tokens');
      notifications.show({ message: `${form.getValues().name} was saved.` });
      await navigate({ to: '/access/tokens' });
    },
  });
  const overwrite = (newer: Answer<ApiToken>): void => {
    etag.current = newer.etag;
    submit();
  };
  return (
    <>
      <PageHeader
        title={token.name}
        description={`API token ${token.prefix}…, made by ${token.created_by}`}
        actions={
          <>
            {token.revoked_at === null && (
              <Button variant="default" onClick={() => setEnding({ token, how: 'revoke' })}>
                Revoke…
              </Button>
            )}
            <Button variant="default" c="var(--mantine-color-error)" onClick={() => setEnding({ token, how: 'delete' })}>
              Delete…
            </Button>
          </>
        }
      />
      <Box component="form" onSubmit={submit} noValidate className="surface" p={{ base: 'md', sm: 'lg' }} maw={560}>
        <Stack>
          <TokenFields form={form} />
          {isConflict ? (
            <ConflictNotice
              what="token"
              id={token.id}
              read={(signal) => callApi('get', '/admin/tokens/:id', { param: { id: token.id } }, { signal })}
              fieldsOf={(newer) => fieldsOfToken(valuesOfToken(newer))}
              before={fieldsOfToken(valuesOfToken(token))}
              mine={fieldsOfToken(form.getValues())}
              onOverwrite={overwrite}
              onReload={reload}
            />
          ) : (
            <FormProblem problem={problem} shown={shown} />
          )}
          <FormActions submit="Save" busy={busy} disabled={!form.isDirty()} onCancel={() => void navigate({ to: '/access/tokens' })} />
        </Stack>
      </Box>
      {ending !== undefined && (
        <EndTokenDialog ending={ending} onClose={() => setEnding(undefined)} onEnded={() => void navigate({ to: '/access/tokens' })} />
      )}
    </>
  );
}
