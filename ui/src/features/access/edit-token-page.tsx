import { Box, Button, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { problemOf } from '../../api/api-problem.ts';
import { callApi, type Answer } from '../../api/call-api.ts';
import { invalidate, oneKey } from '../../api/query-client.ts';
import { useOne } from '../../api/use-one.ts';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import { MissingResource } from '../../components/missing-resource.tsx';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { useEditForm } from '../../components/use-edit-form.tsx';
import { EndTokenDialog, type TokenEnding } from './end-token-dialog.tsx';
import { fieldsOfToken, TokenFields, valuesOfToken, type ApiToken } from './token-fields.tsx';

export function EditTokenPage() {
  const { id } = useParams({ from: '/shell/access/tokens/$id' });
  const { data, error, refetch } = useOne('tokens', id, (id, signal) => callApi('get', '/admin/tokens/:id', { param: { id } }, { signal }));
  if (data !== undefined) return <EditToken key={id} stored={data} readError={error} />;
  if (error !== null)
    return (
      <MissingResource
        what="API token"
        problem={problemOf(error)}
        onRetry={() => void refetch()}
        list={['/access/tokens', 'All API tokens']}
      />
    );
  return <PageSkeleton />;
}

function EditToken({ stored, readError }: { readonly stored: Answer<ApiToken>; readonly readError: Error | null }) {
  const { value: token } = stored;
  const { id } = useParams({ from: '/shell/access/tokens/$id' });
  const navigate = useNavigate();
  const [ending, setEnding] = useState<TokenEnding>();
  const { form, submit, busy, problem, shown, conflict } = useEditForm({
    what: 'token',
    queryKey: oneKey('tokens', id),
    stored,
    readError,
    unsaved: `API token ${token.name}`,
    valuesOf: valuesOfToken,
    toFields: fieldsOfToken,
    save: (json, ifMatch) => callApi('patch', '/admin/tokens/:id', { param: { id: token.id }, json }, { ifMatch }),
    onSaved: async ({ value }) => {
      await invalidate('tokens');
      notifications.show({ message: `${value.name} was saved.` });
      await navigate({ to: '/access/tokens' });
    },
  });
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
          {conflict ?? <FormProblem problem={problem} shown={shown} />}
          <FormActions submit="Save" busy={busy} disabled={!form.isDirty()} onCancel={() => void navigate({ to: '/access/tokens' })} />
        </Stack>
      </Box>
      {ending !== undefined && (
        <EndTokenDialog
          ending={ending}
          onClose={() => setEnding(undefined)}
          onEnded={() => void navigate({ to: '/access/tokens', ignoreBlocker: true })}
        />
      )}
    </>
  );
}
