import { Box, Button, Group, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useParams } from '@tanstack/react-router';
import { useState, type SyntheticEvent } from 'react';
import type { Upstream } from '../../api/admin-schema.ts';
import { callApi, type Answer } from '../../api/call-api.ts';
import { invalidate, oneKey } from '../../api/query-client.ts';
import { FieldChanges } from '../../components/field-changes.tsx';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { Notice } from '../../components/notice.tsx';
import { tellChange } from '../../components/tell-change.tsx';
import { useEditForm } from '../../components/use-edit-form.tsx';
import { DraftTest } from './draft-test.tsx';
import { UpstreamFields } from './upstream-fields.tsx';
import { isSameTab } from './upstream-search.ts';
import { fieldsOfUpstream, upstreamChanges, valuesOfUpstream, type UpstreamFields as Fields } from './upstream-values.ts';
import { Dialog } from '../../components/dialog.tsx';

export interface SettingsTabProps {
  readonly stored: Answer<Upstream>;
  readonly readError: Error | null;
}

/** The form of a stored upstream; what it changes is shown before it is saved. */
export function SettingsTab({ stored, readError }: SettingsTabProps) {
  const { id } = useParams({ from: '/shell/upstreams/$id' });
  const [reviewing, setReviewing] = useState(false);
  const {
    form,
    submit,
    busy,
    problem,
    shown,
    conflict,
    opened: upstream,
  } = useEditForm({
    what: 'upstream',
    queryKey: oneKey('upstreams', id),
    stored,
    readError,
    unsaved: `Upstream ${stored.value.name}`,
    isKept: isSameTab,
    valuesOf: valuesOfUpstream,
    toFields: fieldsOfUpstream,
    visible: withoutSecret,
    save: (json, ifMatch) => callApi('patch', '/admin/upstreams/:id', { param: { id: stored.value.id }, json }, { ifMatch }),
    onSaved: async ({ value, revision, warnings }) => {
      tellChange({ message: `${value.name} was saved.`, revision, undone: `${value.name} is as it was.` });
      for (const message of warnings) notifications.show({ color: 'orange', message, autoClose: false });
      await invalidate('upstreams', 'traffic', 'events');
    },
  });
  const before = fieldsOfUpstream(valuesOfUpstream(upstream));
  const mine = (): Fields => fieldsOfUpstream(form.getValues());
  const changes = upstreamChanges(before, mine());
  const changed = (): Partial<Fields> => {
    const fields = mine();
    return Object.fromEntries(changes.map(({ field }) => [field, fields[field]]));
  };
  const review = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (changes.length > 0) setReviewing(true);
  };
  if (upstream.managed) {
    return (
      <Notice kind="warning" title="Made from --upstream">
        This upstream follows the setting APIGATE_UPSTREAM_URL (--upstream) at every start, so it is changed there.
      </Notice>
    );
  }
  return (
    <Box component="form" onSubmit={review} noValidate maw={760}>
      <Stack gap="lg">
        <UpstreamFields form={form} credentialStored={upstream.auth_value_set} isNew={false} />
        <DraftTest form={form} stored={upstream} changed={changed} />
        {conflict ?? <FormProblem problem={problem} shown={shown} />}
        <FormActions
          submit="Save"
          busy={busy}
          disabled={changes.length === 0}
          cancel="Discard changes"
          onCancel={changes.length === 0 ? undefined : () => form.reset()}
        />
      </Stack>
      {reviewing && (
        <Dialog onClose={() => setReviewing(false)} title={`Save changes of ${upstream.name}?`} size="lg">
          <Stack>
            <FieldChanges label="What is saved" changes={changes} before="Now" after="After saving" />
            <Text size="sm" c="dimmed">
              Requests under way end as they began; new ones go by the new state.
            </Text>
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setReviewing(false)}>
                Back
              </Button>
              <Button
                data-autofocus
                onClick={() => {
                  setReviewing(false);
                  submit();
                }}
              >
                Save changes
              </Button>
            </Group>
          </Stack>
        </Dialog>
      )}
    </Box>
  );
}

/** A credential is never shown, not even the one that was typed. */
function withoutSecret(fields: Fields): Fields {
  return { ...fields, auth_value: undefined };
}
