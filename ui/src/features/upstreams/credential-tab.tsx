import { Box, Button, Code, Group, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useRef, useState, type SyntheticEvent } from 'react';
import type { Upstream } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { callApi, type Answer } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';
import { ConflictNotice } from '../../components/conflict-notice.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { SecretInput } from '../../components/secret-input.tsx';
import { sentenceOf } from '../../components/sentence-of.ts';
import { tellChange } from '../../components/tell-change.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { useUnsavedInput } from '../../components/unsaved-input.ts';
import { UpstreamTestResult } from '../../components/upstream-test-result.tsx';
import { shellQuote } from '../../components/shell-quote.ts';
import { credentialWords } from './credential-words.ts';
import { isSameTab } from './upstream-search.ts';
import { fieldsOfUpstream, valuesOfUpstream } from './upstream-values.ts';

/** The credential of an upstream, which is never shown, and its rotation: enter the new one, test with it, swap. */
export function CredentialTab({ stored }: { readonly stored: Answer<Upstream> }) {
  const { value: upstream } = stored;
  const { auth_type: type, auth_value_set: isSet, auth_value_updated_at: setAt } = upstream;
  return (
    <Stack maw={760}>
      <Stack className="surface" p={{ base: 'md', sm: 'lg' }} gap={4}>
        <Text fw={650}>What the gateway adds</Text>
        <Code block>{credentialWords(upstream)}</Code>
        {type !== 'none' && (
          <Text size="sm" c="dimmed">
            {isSet && setAt !== null ? (
              <>
                Set <TimeAgo time={setAt} />. Stored encrypted, never shown.
              </>
            ) : (
              'Not set: requests to this upstream answer 503 until it is.'
            )}
          </Text>
        )}
      </Stack>
      {!upstream.managed && <Rotate stored={stored} />}
    </Stack>
  );
}

function Rotate({ stored }: { readonly stored: Answer<Upstream> }) {
  const input = useRef<HTMLInputElement>(null);
  const [value, setValue] = useState('');
  // It follows what is stored until somebody begins to type; then it says what was changed.
  const [opened, setOpened] = useState(stored);
  if (value === '' && opened !== stored) setOpened(stored);
  useUnsavedInput({ what: `Upstream ${stored.value.name}`, fields: () => (value === '' ? [] : ['the new credential']), isKept: isSameTab });
  const { value: upstream, etag } = opened;
  const param = { id: upstream.id };
  const testing = useMutation({
    mutationFn: async (auth_value: string) => ({
      value: auth_value,
      test: (await callApi('post', '/admin/upstreams/:id/test', { param, json: { upstream: { auth_value } } })).value,
    }),
  });
  const swapping = useMutation({
    mutationFn: async () => {
      const { revision, warnings } = await callApi(
        'patch',
        '/admin/upstreams/:id',
        { param, json: { auth_value: value } },
        { ifMatch: etag },
      ).catch(async (error: unknown) => {
        // What is stored now is shown beside what was typed.
        if (problemOf(error).status === 412) await invalidate('upstreams');
        throw error;
      });
      // Nothing that was typed stays in the page.
      setValue('');
      // The button that was pressed has nothing to do any more.
      input.current?.focus();
      testing.reset();
      await invalidate('upstreams');
      tellChange({
        message: `The credential of ${upstream.name} was swapped: new requests carry the new one. Undo ${
          upstream.auth_value_set ? 'brings the old one back' : 'takes it away again'
        }.`,
        revision,
        undone: upstream.auth_value_set ? `${upstream.name} has its old credential again.` : `${upstream.name} has no credential again.`,
      });
      for (const message of warnings) notifications.show({ color: 'orange', message, autoClose: false });
    },
  });
  const problem = swapping.error ?? testing.error;
  const told = problem === null ? undefined : problemOf(problem);
  const fieldError = told?.errors.find(({ field }) => field.endsWith('auth_value'))?.message;
  const tested = testing.data !== undefined && testing.data.value === value ? testing.data.test : undefined;
  const isFine = tested !== undefined && tested.answers && tested.problem?.kind !== 'credential_rejected';
  const goOn = (): void => {
    setOpened(stored);
    // What a test found holds for the state before.
    testing.reset();
    swapping.reset();
  };
  const test = (event: SyntheticEvent): void => {
    event.preventDefault();
    swapping.reset();
    testing.mutate(value);
  };
  if (upstream.auth_type === 'none') return <Text size="sm">How requests are authenticated is chosen in Settings.</Text>;
  return (
    <Box component="form" onSubmit={test} noValidate className="surface" p={{ base: 'md', sm: 'lg' }}>
      <Stack>
        <div>
          <Text fw={650}>Rotate</Text>
          <Text size="sm" c="dimmed">
            Enter the new one, test with it, then swap. Until then the old one is in use; requests under way keep it to their end.
          </Text>
        </div>
        <SecretInput
          ref={input}
          label={
            upstream.auth_type === 'basic' ? 'New user name and password' : upstream.auth_type === 'bearer' ? 'New token' : 'New value'
          }
          placeholder={upstream.auth_type === 'basic' ? 'username:password' : ''}
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
          error={fieldError === undefined ? undefined : sentenceOf(fieldError)}
        />
        <div aria-live="polite">
          {tested !== undefined && (
            <UpstreamTestResult test={tested} command={`apigate upstreams test ${shellQuote(upstream.name)} --auth-value -`} />
          )}
        </div>
        {stored.etag !== etag && !swapping.isPending ? (
          <ConflictNotice
            what="upstream"
            before={shownOf(upstream)}
            mine={{ ...shownOf(upstream), auth_value: 'what you typed' }}
            theirs={shownOf(stored.value)}
            overwrite="Go on with the new state"
            onOverwrite={goOn}
            onReload={() => {
              setValue('');
              goOn();
            }}
          />
        ) : (
          <FormProblem problem={told} shown={['auth_value', 'upstream.auth_value']} />
        )}
        <Group justify="flex-end">
          <Button type="submit" variant={isFine ? 'default' : 'filled'} loading={testing.isPending} disabled={value === ''}>
            Test with it
          </Button>
          <Button
            variant={isFine ? 'filled' : 'default'}
            loading={swapping.isPending}
            disabled={value === '' || tested === undefined}
            onClick={() => swapping.mutate()}
          >
            {tested === undefined || isFine ? 'Swap' : 'Swap all the same'}
          </Button>
        </Group>
      </Stack>
    </Box>
  );
}

/** What is compared of an upstream; of its credential, which is never shown, when it was set. */
function shownOf(upstream: Upstream): Readonly<Record<string, unknown>> {
  const { auth_value_updated_at: setAt } = upstream;
  return { ...fieldsOfUpstream(valuesOfUpstream(upstream)), auth_value: setAt === null ? null : `set ${new Date(setAt).toLocaleString()}` };
}
