import { Radio, Stack, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { Item } from '../../api/admin-schema.ts';
import { localTime } from '../../components/local-time.ts';

export type ApiToken = Item<'/admin/tokens'>;

/** A token as its form holds it. */
export interface TokenValues extends Record<string, unknown> {
  readonly name: string;
  readonly scope: ApiToken['scope'];
  /** As `<input type="datetime-local">` has it, in the browser's time zone; '' means never. */
  readonly expires_at: string;
}

const day = 86_400_000;

/** A token that nobody thinks of any more should not open doors for ever. */
export function newTokenValues(): TokenValues {
  return { name: '', scope: 'read', expires_at: localTime(new Date(Date.now() + 90 * day)).slice(0, 16) };
}

export function valuesOfToken({ name, scope, expires_at: at }: ApiToken): TokenValues {
  return { name, scope, expires_at: at === null ? '' : localTime(new Date(at)) };
}

/** The fields of the API; null means never. */
export function fieldsOfToken({ name, scope, expires_at: at }: TokenValues) {
  return { name: name.trim(), scope, expires_at: at === '' ? null : new Date(at).toISOString() };
}

const scopes = [
  ['read', 'Read', 'Sees everything but secrets: for monitoring.'],
  ['write', 'Write', 'Also changes upstreams, routes and API keys: for deployments.'],
  ['admin', 'Admin', 'Also admins, tokens, sessions and the audit log: everything an admin may.'],
] as const;

export function TokenFields({ form }: { readonly form: UseFormReturnType<TokenValues> }) {
  return (
    <Stack>
      <TextInput
        label="Name"
        description="What uses it: a pipeline, a monitoring system."
        required
        autoComplete="off"
        data-autofocus
        key={form.key('name')}
        {...form.getInputProps('name')}
      />
      <Radio.Group label="Scope" key={form.key('scope')} {...form.getInputProps('scope')}>
        <Stack gap="xs" mt="xs">
          {scopes.map(([value, label, description]) => (
            <Radio key={value} value={value} label={label} description={description} />
          ))}
        </Stack>
      </Radio.Group>
      <TextInput
        type="datetime-local"
        label="Expires"
        description="In your time zone. Empty: never."
        key={form.key('expires_at')}
        {...form.getInputProps('expires_at')}
      />
    </Stack>
  );
}
