import { Box, Button, Stack, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { problemOf } from '../../api/api-problem.ts';
import { callApi, readApi, type Answer } from '../../api/call-api.ts';
import { invalidate, meKey, oneKey, queryClient } from '../../api/query-client.ts';
import { useOne } from '../../api/use-one.ts';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import { MissingResource } from '../../components/missing-resource.tsx';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { SecretInput } from '../../components/secret-input.tsx';
import { useEditForm } from '../../components/use-edit-form.tsx';
import { DeleteAdminDialog, type Admin } from './admins-list.tsx';

export function EditAdminPage() {
  const { id } = useParams({ from: '/shell/access/admins/$id' });
  const { data: me } = useQuery({ queryKey: meKey, queryFn: ({ signal }) => readApi('/admin/me', {}, signal), staleTime: Infinity });
  const { data, error, refetch } = useOne('admins', id, (id, signal) => callApi('get', '/admin/admins/:id', { param: { id } }, { signal }));
  if (data !== undefined && me !== undefined) return <EditAdmin key={id} stored={data} isMe={me.id === data.value.id} readError={error} />;
  if (error !== null)
    return <MissingResource what="admin" problem={problemOf(error)} onRetry={() => void refetch()} list={['/access', 'All admins']} />;
  return <PageSkeleton />;
}

interface AdminValues extends Record<string, unknown> {
  readonly email: string;
  readonly password: string;
  readonly current_password: string;
}

function valuesOfAdmin({ email }: Admin): AdminValues {
  return { email, password: '', current_password: '' };
}

function fieldsOfAdmin({ email, password, current_password }: AdminValues) {
  return {
    email: email.trim(),
    // An empty field is no new password.
    password: password === '' ? undefined : password,
    current_password: password === '' ? undefined : current_password,
  };
}

interface EditAdminProps {
  readonly stored: Answer<Admin>;
  readonly isMe: boolean;
  readonly readError: Error | null;
}

function EditAdmin({ stored, isMe, readError }: EditAdminProps) {
  const { value: admin } = stored;
  const { id } = useParams({ from: '/shell/access/admins/$id' });
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  const { form, submit, busy, problem, shown, conflict } = useEditForm({
    what: 'admin',
    queryKey: oneKey('admins', id),
    stored,
    readError,
    unsaved: `Admin ${admin.email}`,
    valuesOf: valuesOfAdmin,
    toFields: fieldsOfAdmin,
    visible: ({ email }) => ({ email }),
    save: (json, ifMatch) => callApi('patch', '/admin/admins/:id', { param: { id: admin.id }, json }, { ifMatch }),
    onSaved: async (_, fields) => {
      if (isMe) await queryClient.invalidateQueries({ queryKey: meKey });
      await invalidate('admins', 'sessions');
      const hasPassword = 'password' in fields;
      notifications.show({
        message: hasPassword
          ? `The new password was saved; ${isMe ? 'your other' : 'their'} sessions have ended.`
          : 'The e-mail address was saved.',
      });
      await navigate({ to: '/access' });
    },
  });
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
          {conflict ?? <FormProblem problem={problem} shown={shown} />}
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
          onDeleted={() => void navigate({ to: '/access', ignoreBlocker: true })}
        />
      )}
    </>
  );
}
