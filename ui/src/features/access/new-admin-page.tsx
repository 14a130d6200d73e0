import { Box, Stack, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useNavigate } from '@tanstack/react-router';
import { callApi } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { SecretInput } from '../../components/secret-input.tsx';
import { useResourceForm } from '../../components/use-resource-form.ts';

export function NewAdminPage() {
  const navigate = useNavigate();
  const { form, submit, busy, problem, shown } = useResourceForm({
    initial: { email: '', password: '' },
    toFields: ({ email, password }) => ({ email: email.trim(), password }),
    isNew: true,
    unsaved: 'The new admin',
    save: async (_, { email, password }) => {
      await callApi('post', '/admin/admins', { json: { email: email.trim(), password } });
      await invalidate('admins');
      notifications.show({ message: `${email.trim()} may sign in now.` });
      await navigate({ to: '/access', ignoreBlocker: true });
    },
  });
  return (
    <>
      <PageHeader title="Add admin" description="A person who may sign in and change everything here." />
      <Box component="form" onSubmit={submit} noValidate className="surface" p={{ base: 'md', sm: 'lg' }} maw={560}>
        <Stack>
          <TextInput
            label="E-mail"
            type="email"
            description="To sign in with; nothing is sent there."
            required
            autoComplete="off"
            data-autofocus
            key={form.key('email')}
            {...form.getInputProps('email')}
          />
          <SecretInput
            label="Password"
            description="At least 12 characters. Hand it over in a safe way; they can change it afterwards."
            required
            autoComplete="new-password"
            key={form.key('password')}
            {...form.getInputProps('password')}
          />
          <FormProblem problem={problem} shown={shown} />
          <FormActions submit="Add admin" busy={busy} onCancel={() => void navigate({ to: '/access' })} />
        </Stack>
      </Box>
    </>
  );
}
