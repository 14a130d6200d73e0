import { Checkbox, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { AddRow, RemoveRow } from './rows.tsx';
import type { RouteValues } from './route-values.ts';
import type { ErrorsByField } from './errors-by-field.ts';

const ways = [
  { value: 'exact', label: 'is' },
  { value: 'regex', label: 'matches' },
];

/** Conditions on request headers, one row each. */
export function HeaderConditions({ form, errors }: { readonly form: UseFormReturnType<RouteValues>; readonly errors: ErrorsByField }) {
  const { headers } = form.getValues();
  return (
    <Stack gap="xs" role="group" aria-label="Header conditions">
      <div>
        <Text size="sm" fw={600}>
          Headers
        </Text>
        <Text size="xs" c="dimmed">
          Conditions on request headers; all must hold. Names in any case.
        </Text>
      </div>
      {headers.map((condition, index) => {
        // As the API counts them: rows that nobody has filled in are not sent.
        const at = `headers.${headers.slice(0, index).filter(({ name, value }) => name !== '' || value !== '').length}`;
        const of = condition.name === '' ? `condition ${index + 1}` : condition.name;
        return (
          <Group key={condition.key} gap="xs" align="flex-start">
            <TextInput
              flex="1 1 6rem"
              data-row="headers"
              aria-label={`Header name of ${of}`}
              placeholder="X-API-Version"
              autoComplete="off"
              spellCheck={false}
              {...form.getInputProps(`headers.${index}.name`)}
              error={errors.at(`${at}.name`)}
            />
            <Select
              w={104}
              aria-label={`How the value of ${of} is compared`}
              data={ways}
              allowDeselect={false}
              value={condition.is_regex ? 'regex' : 'exact'}
              onChange={(way) => form.setFieldValue(`headers.${index}.is_regex`, way === 'regex')}
            />
            <TextInput
              flex="1 1 6rem"
              aria-label={`Value of ${of}`}
              placeholder={condition.is_regex ? '^v[12]$' : '2'}
              autoComplete="off"
              spellCheck={false}
              {...form.getInputProps(`headers.${index}.value`)}
              error={errors.at(`${at}.value`)}
            />
            <Checkbox
              mt={9}
              label="must be sent"
              aria-label={`${of} must be sent`}
              title="Without it a request that has no such header fits too"
              checked={condition.required}
              onChange={(event) => form.setFieldValue(`headers.${index}.required`, event.currentTarget.checked)}
            />
            <RemoveRow of={of} row="headers" onRemove={() => form.removeListItem('headers', index)} />
          </Group>
        );
      })}
      {errors.at('headers') !== undefined && (
        <Text size="xs" c="var(--mantine-color-error)">
          {errors.at('headers')}
        </Text>
      )}
      <AddRow
        label="Add a condition"
        row="headers"
        onAdd={() => form.insertListItem('headers', { key: crypto.randomUUID(), name: '', value: '', is_regex: false, required: true })}
      />
    </Stack>
  );
}
