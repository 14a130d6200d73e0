import { Checkbox, NumberInput, Select, SimpleGrid, Stack, Switch, TagsInput, Text, Textarea, TextInput, Title } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { CorsFields } from './cors-fields.tsx';
import type { ErrorsByField } from './errors-by-field.ts';
import { HeaderConditions } from './header-conditions.tsx';
import { PathCheck } from './path-check.tsx';
import type { RouteValues } from './route-values.ts';
import classes from './routes.module.css';
import { protocolNames, protocols } from './routes-search.ts';
import { UpstreamSelect } from './upstream-select.tsx';
import type { PreviewState } from './use-route-preview.ts';

const kinds = [
  { value: 'prefix', label: 'Prefix: and all below' },
  { value: 'exact', label: 'Exact: this path alone' },
  { value: 'regex', label: 'Regular expression' },
];
const hostKinds = [
  { value: 'auto', label: 'As it looks' },
  { value: 'exact', label: 'Exact' },
  { value: 'wildcard', label: 'Wildcard' },
  { value: 'regex', label: 'Expression' },
];
const usualMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'];

const protocolHints: Readonly<Record<RouteValues['protocol'], string>> = {
  http: 'Requests and responses, streamed both ways.',
  http_stream: 'Streams whose bodies are never changed; their bytes are counted as they pass.',
  sse: 'Server-sent events: each chunk goes on at once, and no total timeout ends them.',
  websocket: 'Plain requests, and upgrades to WebSockets.',
};

export interface SettingsTabProps {
  readonly form: UseFormReturnType<RouteValues>;
  readonly errors: ErrorsByField;
  readonly preview: PreviewState;
  readonly sampleUrl: string;
  readonly onSampleUrl: (url: string) => void;
  readonly isOwn: (winner: { readonly id: string; readonly name: string }) => boolean;
}

/** Which requests the route takes, where they go, and who may send them. */
export function SettingsTab({ form, errors, preview, sampleUrl, onSampleUrl, isOwn }: SettingsTabProps) {
  const values = form.getValues();
  return (
    <div className={classes['halves']}>
      <Stack gap="lg" className={classes['half'] ?? ''}>
        <section className="surface" aria-labelledby="which">
          <Stack p={{ base: 'md', sm: 'lg' }}>
            <Title order={2} id="which">
              Which requests
            </Title>
            <TextInput
              label="Name"
              description="For people and commands."
              required
              autoComplete="off"
              maxLength={100}
              {...form.getInputProps('name')}
            />
            <SimpleGrid cols={{ base: 1, xs: 2 }}>
              <TextInput
                label="Path"
                required
                placeholder={values.match_type === 'regex' ? '^/v[0-9]+/users' : '/users/{id}'}
                description={
                  values.match_type === 'regex' ? 'RE2 syntax; begin with ^ unless it may be anywhere.' : '{id} stands for any one segment.'
                }
                autoComplete="off"
                spellCheck={false}
                {...form.getInputProps('path_pattern')}
              />
              <Select
                label="How it is compared"
                description="With the path alone, without the query."
                data={kinds}
                allowDeselect={false}
                {...form.getInputProps('match_type')}
              />
              <TextInput
                label="Host"
                placeholder="Any host"
                description="*.example.com is one label more."
                autoComplete="off"
                spellCheck={false}
                {...form.getInputProps('host_pattern')}
              />
              <Select
                label="How the host is compared"
                description="As it looks: *. means wildcard."
                data={hostKinds}
                allowDeselect={false}
                {...form.getInputProps('host_match_type')}
              />
            </SimpleGrid>
            <TagsInput
              label="Methods"
              description="None chosen: all. HEAD follows GET."
              placeholder={values.methods.length === 0 ? 'All methods' : ''}
              data={usualMethods}
              clearable
              {...form.getInputProps('methods')}
              error={errors.within('methods')[0]?.message}
            />
            <HeaderConditions form={form} errors={errors} />
            <NumberInput
              label="Priority"
              description="Of several routes that fit the highest wins; where it is equal, the more specific one."
              allowDecimal={false}
              min={-1_000_000}
              max={1_000_000}
              clampBehavior="none"
              {...form.getInputProps('priority')}
            />
          </Stack>
        </section>
        <section className="surface" aria-labelledby="where">
          <Stack p={{ base: 'md', sm: 'lg' }}>
            <Title order={2} id="where">
              Where they go
            </Title>
            <UpstreamSelect
              label="Upstream"
              description="Type a part of its name."
              placeholder="Choose an upstream"
              required
              data-path="upstream_id"
              value={values.upstream_id}
              onChange={(id) => form.setFieldValue('upstream_id', id)}
              error={form.errors['upstream_id']}
            />
            <Select
              label="Protocol"
              description={protocolHints[values.protocol]}
              data={protocols.map((value) => ({ value, label: protocolNames[value] }))}
              allowDeselect={false}
              {...form.getInputProps('protocol')}
            />
          </Stack>
        </section>
        <section className="surface" aria-labelledby="who">
          <Stack p={{ base: 'md', sm: 'lg' }}>
            <Title order={2} id="who">
              Who may send them
            </Title>
            <Switch
              label="Clients need an API key"
              description={values.auth_required ? 'Without one: 401.' : 'Open to everybody who reaches the gateway; no rate limit.'}
              {...form.getInputProps('auth_required', { type: 'checkbox' })}
            />
            <Checkbox
              label="The key may come as ?api_key= too"
              description="For WebSockets and EventSource in browsers, which cannot set headers. URLs end up in histories and logs: use keys that expire."
              {...form.getInputProps('api_key_query', { type: 'checkbox' })}
            />
            <CorsFields form={form} errors={errors} />
          </Stack>
        </section>
        <section className="surface" aria-labelledby="more">
          <Stack p={{ base: 'md', sm: 'lg' }}>
            <Title order={2} id="more">
              More
            </Title>
            <Textarea
              label="Description"
              description="For people to read."
              autosize
              minRows={2}
              maxRows={8}
              {...form.getInputProps('description')}
            />
            <Switch
              label="Enabled"
              description="A disabled route takes nothing: requests go to the next one that fits."
              {...form.getInputProps('enabled', { type: 'checkbox' })}
            />
            <Text size="xs" c="dimmed">
              Timeouts and limits are the upstream's.
            </Text>
          </Stack>
        </section>
      </Stack>
      <PathCheck values={values} preview={preview} sampleUrl={sampleUrl} onSampleUrl={onSampleUrl} isOwn={isOwn} />
    </div>
  );
}
