import { Box, Button, Group, Stack } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { callApi } from '../../api/call-api.ts';
import type { Output } from '../../api/admin-schema.ts';
import { invalidate } from '../../api/query-client.ts';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { useRouteSample } from '../../components/use-route-sample.ts';
import { useUnsavedInput } from '../../components/unsaved-input.ts';
import { useResourceForm } from '../../components/use-resource-form.ts';
import { fieldsOfKey, KeyFields, newKeyValues } from './key-fields.tsx';
import { ShownOnce } from './shown-once.tsx';

type CreatedKey = Output<'post', '/admin/keys'>;

export function NewKeyPage() {
  const navigate = useNavigate();
  // Known by the time that the command is shown: it does not become another one under the eyes of whoever copies it.
  const sampleUrl = useRouteSample();
  const [created, setCreated] = useState<CreatedKey>();
  const { form, submit, busy, problem, shown } = useResourceForm({
    initial: newKeyValues,
    toFields: fieldsOfKey,
    isNew: true,
    unsaved: 'The new API key',
    save: async (_, values) => {
      const { value } = await callApi('post', '/admin/keys', { json: fieldsOfKey(values) });
      setCreated(value);
      await invalidate('keys');
    },
  });
  useUnsavedInput({ what: 'The API key', fields: () => (created === undefined ? [] : ['the key itself, which is shown this once']) });
  if (created !== undefined) {
    return (
      <>
        <PageHeader key="created" title="Copy the key now" description={`${created.name} is ready, and works already.`} />
        <Box maw={720}>
          <ShownOnce secret={created.key} url={sampleUrl} />
          <Group mt="lg">
            <Button component={Link} to="/keys" ignoreBlocker>
              I have copied it
            </Button>
          </Group>
        </Box>
      </>
    );
  }
  return (
    <>
      <PageHeader title="Add API key" description="The key itself is made by the gateway and shown once." />
      <Box component="form" onSubmit={submit} noValidate className="surface" p={{ base: 'md', sm: 'lg' }} maw={560}>
        <Stack>
          <KeyFields form={form} />
          <FormProblem problem={problem} shown={shown} />
          <FormActions submit="Add API key" busy={busy} onCancel={() => void navigate({ to: '/keys' })} />
        </Stack>
      </Box>
    </>
  );
}
