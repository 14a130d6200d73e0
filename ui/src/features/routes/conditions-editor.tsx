import { Paper, Stack, Text, TextInput, Title, Group } from '@mantine/core';
import { AddRow, RemoveRow } from './rows.tsx';
import { StepsEditor } from './steps-editor.tsx';
import type { ErrorsByField } from './errors-by-field.ts';
import { TemplateInput } from './template-input.tsx';
import type { TemplateVariable } from './template-variables.ts';
import { newCondition, newNamedStep, type ConditionDraft } from './transform-draft.ts';

export interface ConditionsEditorProps {
  readonly conditions: readonly ConditionDraft[];
  readonly onChange: (conditions: readonly ConditionDraft[]) => void;
  readonly field: string;
  readonly message: 'request' | 'response';
  readonly errors: ErrorsByField;
  readonly variables: readonly TemplateVariable[];
}

/** Steps for some messages only, each group with when it applies. */
export function ConditionsEditor({ conditions, onChange, field, message, errors, variables }: ConditionsEditorProps) {
  const change = (key: string, next: ConditionDraft): void => onChange(conditions.map((one) => (one.key === key ? next : one)));
  return (
    <Stack gap="sm" role="group" aria-label={`Conditions on the ${message}`}>
      <div>
        <Text size="sm" fw={600}>
          Conditions
        </Text>
        <Text size="xs" c="dimmed">
          More steps, for messages of which all that is filled in holds, as they came in.
        </Text>
      </div>
      {conditions.map((condition, index) => {
        const at = `${field}.conditions.${index}`;
        const set = (changes: Partial<ConditionDraft>): void => change(condition.key, { ...condition, ...changes });
        return (
          <Paper key={condition.key} withBorder p="md" bg="transparent" role="group" aria-label={`Condition ${index + 1}`}>
            <Group justify="space-between" mb="xs">
              <Title order={3} size="sm">
                When…
              </Title>
              <RemoveRow
                of={`condition ${index + 1}`}
                row={`${field}.conditions`}
                onRemove={() => onChange(conditions.filter(({ key }) => key !== condition.key))}
              />
            </Group>
            <Stack gap="sm">
              {errors.at(`${at}.when`) !== undefined && (
                <Text size="xs" c="var(--mantine-color-error)" role="alert">
                  {errors.at(`${at}.when`)}
                </Text>
              )}
              <Group gap="xs" align="flex-start" grow preventGrowOverflow={false}>
                <TextInput
                  miw={130}
                  data-row={`${field}.conditions`}
                  label="Method is"
                  placeholder="POST, PUT"
                  value={condition.method}
                  onChange={(event) => set({ method: event.currentTarget.value })}
                  error={firstWithin(errors, `${at}.when.method`)}
                />
                <TextInput
                  miw={150}
                  label="Path matches"
                  placeholder="^/orders"
                  spellCheck={false}
                  value={condition.path_matches}
                  onChange={(event) => set({ path_matches: event.currentTarget.value })}
                  error={firstWithin(errors, `${at}.when.path_matches`)}
                />
                <TextInput
                  miw={150}
                  label="Header exists"
                  placeholder="X-Debug"
                  spellCheck={false}
                  value={condition.header_exists}
                  onChange={(event) => set({ header_exists: event.currentTarget.value })}
                  error={firstWithin(errors, `${at}.when.header_exists`)}
                />
                {message === 'response' && (
                  <TextInput
                    miw={120}
                    label="Status is"
                    placeholder="404, 5xx"
                    value={condition.status}
                    onChange={(event) => set({ status: event.currentTarget.value })}
                    error={firstWithin(errors, `${at}.when.status`)}
                  />
                )}
              </Group>
              {condition.header_equals.map((row, number) => {
                const changeRow = (changes: Partial<typeof row>): void =>
                  set({ header_equals: condition.header_equals.map((one) => (one.key === row.key ? { ...one, ...changes } : one)) });
                return (
                  <Group key={row.key} gap="xs" align="flex-start">
                    <TextInput
                      flex="1 1 8rem"
                      data-row={`${at}.equals`}
                      aria-label={`Name of header ${number + 1} to equal`}
                      placeholder="X-Env"
                      value={row.name}
                      onChange={(event) => changeRow({ name: event.currentTarget.value })}
                    />
                    <Text mt={8} size="sm">
                      is
                    </Text>
                    <TextInput
                      flex="1 1 8rem"
                      aria-label={`Value of header ${number + 1} to equal`}
                      placeholder="test"
                      value={row.value}
                      onChange={(event) => changeRow({ value: event.currentTarget.value })}
                      error={errors.at(`${at}.when.header_equals.${row.name}`)}
                    />
                    <RemoveRow
                      of={`header ${number + 1} to equal`}
                      row={`${at}.equals`}
                      onRemove={() => set({ header_equals: condition.header_equals.filter(({ key }) => key !== row.key) })}
                    />
                  </Group>
                );
              })}
              <AddRow
                label="Header equals…"
                row={`${at}.equals`}
                onAdd={() => set({ header_equals: [...condition.header_equals, newNamedStep('set')] })}
              />
              <Title order={3} size="sm" mt="xs">
                Then…
              </Title>
              {message === 'request' && (
                <TemplateInput
                  label="Path becomes"
                  placeholder="As it is otherwise"
                  variables={variables}
                  value={condition.path_rewrite}
                  onChange={(path_rewrite) => set({ path_rewrite })}
                  error={errors.at(`${at}.path_rewrite`)}
                />
              )}
              <StepsEditor
                draft={condition}
                onChange={(next) => change(condition.key, next)}
                field={at}
                message={message}
                errors={errors}
                variables={variables}
              />
            </Stack>
          </Paper>
        );
      })}
      <AddRow label="Add a condition" row={`${field}.conditions`} onAdd={() => onChange([...conditions, newCondition()])} />
    </Stack>
  );
}

function firstWithin(errors: ErrorsByField, field: string): string | undefined {
  return errors.within(field)[0]?.message;
}
