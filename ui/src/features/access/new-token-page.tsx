import { Box, Button, Group, Stack, Text } from '@mantine/core';
import { IconEyeOff } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { callApi } from '../../api/call-api.ts';
import type { Output } from '../../api/admin-schema.ts';
import { invalidate } from '../../api/query-client.ts';
import { CommandLine } from '../../components/command-line.tsx';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { Notice } from '../../components/notice.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { useUnsavedInput } from '../../components/unsaved-input.ts';
import { useResourceForm } from '../../components/use-resource-form.ts';
import { fieldsOfToken, newTokenValues, TokenFields } from './token-fields.tsx';

type CreatedToken = Output<'post', '/admin/tokens'>;

export function NewTokenPage() {
  const navigate = useNavigate();
  const [created, setCreated] = useState<CreatedToken>();
  const [initial] = useState(newTokenValues);
  const { form, submit, busy, problem, shown } = useResourceForm({
    initial,
    toFields: fieldsOfToken,
    isNew: true,
    unsaved: 'The new API token',
    save: async (_, values) => {
      const { value } = await callApi('post', '/admin/tokens', { json: fieldsOfToken(values) });
      setCreated(value);
      await invalidate('tokens');
    },
  });
  if (created !== undefined) return <CopyToken created={created} />;
  return (
    <>
      <PageHeader title="Add API token" description="For programs that use the admin API or the command line. It is shown once." />
      <Box component="form" onSubmit={submit} noValidate className="surface" p={{ base: 'md', sm: 'lg' }} maw={560}>
        <Stack>
          <TokenFields form={form} />
          <FormProblem problem={problem} shown={shown} />
          <FormActions submit="Add API token" busy={busy} onCancel={() => void navigate({ to: '/access/tokens' })} />
        </Stack>
      </Box>
    </>
  );
}

function CopyToken({ created: { name, token } }: { readonly created: CreatedToken }) {
  useUnsavedInput({ what: 'The API token', fields: () => ['the token itself, which is shown this once'] });
  return (
    <>
      <PageHeader key="created" title="Copy the token now" description={`${name} is ready, and works already.`} />
      <Stack maw={760}>
        <Notice kind="warning" icon={IconEyeOff} title="Shown once">
          The gateway keeps only a fingerprint of it: whoever loses the token needs a new one.
        </Notice>
        <CommandLine text={token} what="the token" />
        <Text fw={600}>Try it</Text>
        <CommandLine text={`curl -H 'Authorization: Bearer ${token}' ${location.origin}/admin/upstreams`} what="the curl command" />
        <Text fw={600}>With the command line, from anywhere</Text>
        <CommandLine text={`APIGATE_TOKEN=${token} apigate upstreams list --server ${location.origin}`} what="the apigate command" />
        <Group mt="xs">
          <Button component={Link} to="/access/tokens" ignoreBlocker>
            I have copied it
          </Button>
        </Group>
      </Stack>
    </>
  );
}
