import { MultiSelect, NumberInput, Stack, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { ApiKey } from '../../api/admin-schema.ts';
import { localTime } from '../../components/local-time.ts';
import { useRouteNames } from './key-queries.ts';

/** A key as its form holds it. */
export interface KeyValues extends Record<string, unknown> {
  readonly name: string;
  readonly routes: string[];
  /** '' means no limit. */
  readonly rate_limit_per_minute: number | string;
  /** As `<input type="datetime-local">` has it, in the browser's time zone; '' means never. */
  readonly expires_at: string;
}

export const newKeyValues: KeyValues = { name: '', routes: [], rate_limit_per_minute: '', expires_at: '' };

export function valuesOfKey(key: ApiKey): KeyValues {
  return {
    name: key.name,
    routes: [...key.routes],
    rate_limit_per_minute: key.rate_limit_per_minute ?? '',
    expires_at: key.expires_at === null ? '' : localTime(new Date(key.expires_at)),
  };
}

/** The fields of the API; null means the default. */
export function fieldsOfKey({ name, routes, rate_limit_per_minute: limit, expires_at: at }: KeyValues) {
  return {
    name: name.trim(),
    routes,
    rate_limit_per_minute: limit === '' ? null : Number(limit),
    expires_at: at === '' ? null : new Date(at).toISOString(),
  };
}

export function KeyFields({ form }: { readonly form: UseFormReturnType<KeyValues> }) {
  const { data: routes = [] } = useRouteNames();
  return (
    <Stack>
      <TextInput
        label="Name"
        description="Who uses it: a client, a team, a machine."
        required
        autoComplete="off"
        data-autofocus
        key={form.key('name')}
        {...form.getInputProps('name')}
      />
      <MultiSelect
        label="Routes it opens"
        description="None chosen: every route."
        placeholder={form.getValues().routes.length === 0 ? 'All routes' : ''}
        data={routes}
        searchable
        clearable
        nothingFoundMessage="No such route"
        key={form.key('routes')}
        {...form.getInputProps('routes')}
      />
      <NumberInput
        label="Requests per minute"
        description="As many may come at once. Empty: no limit."
        placeholder="No limit"
        min={1}
        allowDecimal={false}
        thousandSeparator=","
        key={form.key('rate_limit_per_minute')}
        {...form.getInputProps('rate_limit_per_minute')}
      />
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
