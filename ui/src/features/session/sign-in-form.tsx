import { Stack, TextInput } from '@mantine/core';
import { callApi } from '../../api/call-api.ts';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { SecretInput } from '../../components/secret-input.tsx';
import { useResourceForm } from '../../components/use-resource-form.ts';

/** E-mail and password. A wrong one, and having to wait after many wrong ones, are told as the gateway tells them. */
export function SignInForm({ email = '', onSignedIn }: { readonly email?: string; readonly onSignedIn: () => unknown }) {
  const { form, submit, busy, problem, shown } = useResourceForm({
    initial: { email, password: '' },
    toFields: (values) => values,
    isNew: true,
    save: async (_, values) => {
      await callApi('post', '/admin/login', { json: values }, { throwOn401: true });
      await onSignedIn();
    },
  });
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          required
          data-autofocus={email === '' || undefined}
          key={form.key('email')}
          {...form.getInputProps('email')}
        />
        <SecretInput
          label="Password"
          autoComplete="current-password"
          required
          data-autofocus={email !== '' || undefined}
          key={form.key('password')}
          {...form.getInputProps('password')}
        />
        <FormProblem problem={problem} shown={shown} />
        <FormActions submit="Sign in" busy={busy} />
      </Stack>
    </form>
  );
}
