import { Anchor, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { callApi, readApi } from '../../api/call-api.ts';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { SecretInput } from '../../components/secret-input.tsx';
import { useResourceForm } from '../../components/use-resource-form.ts';
import { NarrowPage } from './narrow-page.tsx';

/** Makes the first admin. The link that the gateway prints brings the code behind #, which never leaves the browser by itself. */
export function SetupPage() {
  const { data: state } = useQuery({ queryKey: ['setup'], queryFn: ({ signal }) => readApi('/admin/setup', {}, signal) });
  if (state?.required === false) {
    return (
      <NarrowPage title="Already set up" description="This gateway has an admin; the set-up code has done its work.">
        <Anchor component={Link} to="/sign-in">
          Sign in
        </Anchor>
      </NarrowPage>
    );
  }
  return (
    <NarrowPage title="Welcome to APIGate" description="Make the first admin: the account that manages this gateway.">
      <SetupForm />
    </NarrowPage>
  );
}

function SetupForm() {
  const navigate = useNavigate();
  const [codeOfLink] = useState(takeCode);
  const { form, submit, busy, problem, shown } = useResourceForm({
    initial: { code: codeOfLink, email: '', password: '' },
    toFields: (values) => values,
    isNew: true,
    save: async (_, values) => {
      await callApi('post', '/admin/setup', { json: values }, { throwOn401: true });
      await navigate({ to: '/first-upstream' });
    },
  });
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput
          label="Set-up code"
          description={codeOfLink === '' ? 'The gateway printed it when it started: XXXX-XXXX-XXXX-XXXX-XXXX.' : 'Taken from the link.'}
          autoComplete="one-time-code"
          spellCheck={false}
          required
          data-autofocus={codeOfLink === '' || undefined}
          key={form.key('code')}
          {...form.getInputProps('code')}
        />
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          required
          data-autofocus={codeOfLink !== '' || undefined}
          key={form.key('email')}
          {...form.getInputProps('email')}
        />
        <SecretInput
          label="Password"
          description="At least 12 characters."
          autoComplete="new-password"
          required
          key={form.key('password')}
          {...form.getInputProps('password')}
        />
        <FormProblem problem={problem} shown={shown} />
        <FormActions submit="Create admin" busy={busy} />
        <Text size="xs" c="dimmed">
          Lost the code? Restart the gateway: it prints a new one as long as there is no admin.
        </Text>
      </Stack>
    </form>
  );
}

let taken: string | undefined;

/** Reads the code once and takes it out of the address bar, where others could see it. */
function takeCode(): string {
  if (taken === undefined) {
    taken = new URLSearchParams(location.hash.slice(1)).get('code') ?? '';
    if (taken !== '') history.replaceState(history.state, '', location.pathname + location.search);
  }
  return taken;
}
