import { Anchor, Button, Group, Radio, Stack, Text, TextInput } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState, type SyntheticEvent } from 'react';
import { useClientOrigin } from '../../components/client-origin.ts';
import { CommandLine } from '../../components/command-line.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { sentenceOf } from '../../components/sentence-of.ts';
import { NarrowPage } from '../session/narrow-page.tsx';
import { suggestName } from './suggest-name.ts';
import { tellChange } from '../../components/tell-change.tsx';
import { UpstreamTestResult } from '../../components/upstream-test-result.tsx';
import { useMakeApi, useUpstreamTest, type MadeApi } from './use-first-upstream.ts';

/** From nothing to a request that goes through: one question, one test, one command. */
export function FirstUpstreamPage() {
  const [baseUrl, setBaseUrl] = useState('');
  const [name, setName] = useState('');
  const [access, setAccess] = useState('key');
  const origin = useClientOrigin();
  const test = useUpstreamTest();
  const { making: make, startOver } = useMakeApi((made) => tellMade(made, startOver));
  if (make.data !== undefined) return <ItWorks made={make.data} />;

  const wanted = /^[a-z][a-z\d+.-]*:\/\//i.test(baseUrl.trim()) ? baseUrl.trim() : `https://${baseUrl.trim()}`;
  const runTest = (event: SyntheticEvent): void => {
    event.preventDefault();
    setBaseUrl(wanted);
    setName((before) => (before === '' ? suggestName(wanted) : before));
    test.mutate(wanted);
  };
  const tested = test.data !== undefined && test.variables === baseUrl;
  const urlError = test.error?.errors.find(({ field }) => field === 'upstream.base_url')?.message;
  const fieldErrors = new Map(make.error?.errors.map(({ field, message }) => [field, sentenceOf(message)]));
  return (
    <NarrowPage
      title="Where is your API?"
      description="Paste its address. The gateway tries to reach it before anything is saved."
      width={560}
    >
      <Stack gap="lg">
        <form onSubmit={runTest} noValidate>
          <Group align="flex-end" gap="xs">
            <TextInput
              flex="1 1 16rem"
              label="Address"
              type="url"
              inputMode="url"
              placeholder="https://api.example.com"
              data-autofocus
              spellCheck={false}
              value={baseUrl}
              onChange={(event) => setBaseUrl(event.currentTarget.value)}
              error={tested || urlError === undefined ? undefined : sentenceOf(urlError)}
            />
            <Button type="submit" variant={tested ? 'default' : 'filled'} loading={test.isPending} disabled={baseUrl.trim() === ''}>
              {tested ? 'Test again' : 'Test'}
            </Button>
          </Group>
        </form>
        {test.error !== null && urlError === undefined && <FormProblem problem={test.error} />}
        {tested && <UpstreamTestResult test={test.data} />}
        {tested && (
          <form
            noValidate
            onSubmit={(event) => {
              event.preventDefault();
              make.mutate({ baseUrl, name: name.trim(), needsKey: access === 'key' });
            }}
          >
            <Stack>
              <TextInput
                label="Name"
                description={`Clients will find it at ${origin}/${name.trim()}`}
                required
                autoComplete="off"
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
                error={fieldErrors.get('name') ?? fieldErrors.get('path_pattern')}
              />
              <Radio.Group label="Who may call it" value={access} onChange={setAccess}>
                <Stack gap="xs" mt="xs">
                  <Radio value="key" label="Clients with an API key" description="A first key is made for you." />
                  <Radio value="anybody" label="Anybody who reaches the gateway" />
                </Stack>
              </Radio.Group>
              <FormProblem problem={make.error ?? undefined} shown={['name', 'path_pattern']} />
              <Group justify="flex-end">
                <Button type="submit" loading={make.isPending} disabled={name.trim() === ''}>
                  {test.data.answers ? 'Add it' : 'Add it anyway'}
                </Button>
              </Group>
            </Stack>
          </form>
        )}
        <Text size="sm">
          <Anchor component={Link} to="/">
            Skip this
          </Anchor>
        </Text>
      </Stack>
    </NarrowPage>
  );
}

function tellMade({ name, secret, revisions }: MadeApi, startOver: () => void): void {
  const [since, revision] = [Math.min(...revisions), Math.max(...revisions)];
  // With others' changes between them they cannot be taken back as one.
  const isWhole = revision - since + 1 === revisions.length;
  tellChange({
    message: `${name} was added, with a route${secret === undefined ? '' : ' and a key'}.`,
    revision: isWhole ? revision : undefined,
    since,
    undone: `${name} is gone again.`,
    ofKeys: secret !== undefined,
    onUndone: startOver,
  });
}

function ItWorks({ made: { name, path, secret } }: { readonly made: MadeApi }) {
  const origin = useClientOrigin();
  const header = secret === undefined ? '' : `-H 'X-API-Key: ${secret}' `;
  return (
    <NarrowPage title={`${name} is ready`} description="This request goes through the gateway now:" width={640}>
      <Stack>
        <CommandLine text={`curl ${header}${origin}${path}/`} what="the command" />
        {secret !== undefined && (
          <Text size="sm" c="dimmed">
            The key in it is shown this once. More keys, limits and expiry: API keys in the sidebar.
          </Text>
        )}
        <Group mt="xs">
          <Button component={Link} to="/upstreams">
            Go to the upstreams
          </Button>
          <Anchor component={Link} to="/">
            Overview
          </Anchor>
        </Group>
      </Stack>
    </NarrowPage>
  );
}
