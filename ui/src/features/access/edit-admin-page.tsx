import { Box, Button, Stack, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { problemOf } from '../../api/api-problem.ts';
import { callApi, readApi, type Answer } from '../../api/call-api.ts';
import { invalidate, meKey, oneKey, queryClient } from '../../api/query-client.ts';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import { ConflictNotice } from '../../components/conflict-notice.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { SecretInput } from '../../components/secret-input.tsx';
import { useResourceForm } from '../../components/use-resource-form.ts';
import { DeleteAdminDialog, type Admin } from './admins-list.tsx';

export function EditAdminPage() {
  const { id } = useParams({ from: '/shell/access/admins/$id' });
  const { data: me } = useQuery({ queryKey: meKey, queryFn: ({ signal }) => readApi('/admin/me', {}, signal), staleTime: Infinity });
  const { data, error, refetch } = useQuery({
    queryKey: oneKey('admins', id),
    queryFn: ({ signal }) => callApi('get', '/admin/admins/:id', { param: { id } }, { signal }),
    staleTime: Infinity,
    gcTime: 0,
  });
  if (data !== undefined && me !== undefined)
    return <EditAdmin key={data.etag} stored={data} isMe={me.id === data.value.id} reload={() => void refetch()} />;
  if (error !== null) return <ErrorState problem={problemOf(error)} onRetry={() => void refetch()} />;
  return <PageSkeleton />;
}

interface EditAdminProps {
  readonly stored: Answer<Admin>;
  readonly isMe: boolean;
  readonly reload: () => void;
}

function EditAdmin({ stored, isMe, reload }: EditAdminProps) {
  const { value: admin } = stored;
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  const etag = useRef(stored.etag);
  const { form, submit, busy, problem, shown, isConflict } = useResourceForm({
    initial: { email: admin.email, password: '', current_password: '' },
    toFields: ({ email, password, current_password }) => ({
      email: email.trim(),
      // An empty field is no new password.
      password: password === '' ? undefined : password,
      current_password: password === '' ? undefined : current_password,
    }),
    isNew: false,
    save: async (fields) => {
      await callApi('patch', '/admin/admins/:id', { param: { id: admin.id }, json: fields }, { ifMatch: etag.current });
      if (isMe) await queryClient.invalidateQueries({ queryKey: meKey });
      await invalidate('admins', 'sessions');
      const hasPassword = 'password' in fields;
      notifications.show({
        message: hasPassword
          ? `The new password holds; ${isMe ? 'your other' : 'their'} sessions have ended.`
          : 'The e-mail address was saved.',
      });
      await navigate({ to: '/access' });
    },
  });
  const overwrite = (newer: Answer<Admin>): void => {
    etag.current = newer.etag;
    submit();
  };
  return (
    <>
      <PageHeader
        title={admin.email}
        description={isMe ? 'Your own account.' : 'An admin of this gateway.'}
        actions={
          <Button variant="default" c="var(--mantine-color-error)" onClick={() => setDeleting(true)}>
            Delete…
          </Button>
        }
      />
      <Box component="form" onSubmit={submit} noValidate className="surface" p={{ base: 'md', sm: 'lg' }} maw={560}>
        <Stack>
          <TextInput label="E-mail" type="email" required autoComplete="off" key={form.key('email')} {...form.getInputProps('email')} />
          <SecretInput
            label="New password"
            description={`At least 12 characters. Empty: it stays as it is. A new one ends ${isMe ? 'your other' : 'their'} sessions.`}
            autoComplete="new-password"
            key={form.key('password')}
            {...form.getInputProps('password')}
          />
          {isMe && (
            <SecretInput
              label="Your present password"
              description="Needed for a new password."
              autoComplete="current-password"
              key={form.key('current_password')}
              {...form.getInputProps('current_password')}
            />
          )}
          {isConflict ? (
            <ConflictNotice
              what="admin"
              id={admin.id}
              read={(signal) => callApi('get', '/admin/admins/:id', { param: { id: admin.id } }, { signal })}
              fieldsOf={({ email }) => ({ email })}
              before={{ email: admin.email }}
              mine={{ email: form.getValues().email.trim() }}
              onOverwrite={overwrite}
              onReload={reload}
            />
          ) : (
            <FormProblem problem={problem} shown={shown} />
          )}
          <FormActions submit="Save" busy={busy} disabled={!form.isDirty()} onCancel={() => void navigate({ to: '/access' })} />
        </Stack>
      </Box>
      {!isMe && (
        <Text size="sm" c="dimmed" mt="md">
          In a terminal: apigate admins update {admin.email}
        </Text>
      )}
      {isDeleting && (
        <DeleteAdminDialog
          admin={admin}
          isMe={isMe}
          onClose={() => setDeleting(false)}
          onDeleted={() => void navigate({ to: '/access' })}
        />
      )}
    </>
  );
}
