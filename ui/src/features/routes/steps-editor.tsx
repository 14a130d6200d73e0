import { Group, Select, Stack, Text, TextInput } from '@mantine/core';
import type { ErrorsByField } from './errors-by-field.ts';
import { AddRow, RemoveRow } from './rows.tsx';
import { TemplateInput } from './template-input.tsx';
import type { TemplateVariable } from './template-variables.ts';
import { newFieldStep, newNamedStep, type FieldStep, type NamedStep, type StepsDraft } from './transform-draft.ts';

export interface StepsEditorProps<Draft extends StepsDraft> {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  /** Where it stands in the route: `request_transform.conditions.0`. */
  readonly field: string;
  readonly message: 'request' | 'response';
  readonly errors: ErrorsByField;
  readonly variables: readonly TemplateVariable[];
}

/** The steps on one message: headers, query, JSON body. */
export function StepsEditor<Draft extends StepsDraft>({ draft, onChange, field, message, errors, variables }: StepsEditorProps<Draft>) {
  return (
    <Stack gap="lg">
      <NamedSteps
        title="Headers"
        one="header"
        placeholder="X-Env"
        rows={draft.headers}
        onChange={(headers) => onChange({ ...draft, headers })}
        field={`${field}.headers`}
        errors={errors}
        variables={variables}
      />
      {message === 'request' && (
        <NamedSteps
          title="Query"
          one="parameter"
          placeholder="page"
          rows={draft.query}
          onChange={(query) => onChange({ ...draft, query })}
          field={`${field}.query`}
          errors={errors}
          variables={variables}
        />
      )}
      <BodySteps draft={draft} onChange={onChange} field={`${field}.body.json`} errors={errors} variables={variables} />
    </Stack>
  );
}

const acts = [
  { value: 'remove', label: 'Remove' },
  { value: 'set', label: 'Set' },
  { value: 'add', label: 'Add' },
];

interface NamedStepsProps {
  readonly title: string;
  readonly one: string;
  readonly placeholder: string;
  readonly rows: readonly NamedStep[];
  readonly onChange: (rows: readonly NamedStep[]) => void;
  readonly field: string;
  readonly errors: ErrorsByField;
  readonly variables: readonly TemplateVariable[];
}

function NamedSteps({ title, one, placeholder, rows, onChange, field, errors, variables }: NamedStepsProps) {
  const change = (key: string, changes: Partial<NamedStep>): void =>
    onChange(rows.map((row) => (row.key === key ? { ...row, ...changes } : row)));
  return (
    <Stack gap="xs" role="group" aria-label={title}>
      <StepsTitle title={title} hint="In this order: remove, set (which replaces), add (which appends)." errors={errors} field={field} />
      {rows.map((row, index) => {
        const of = row.name === '' ? `${one} step ${index + 1}` : row.name;
        return (
          <Group key={row.key} gap="xs" align="flex-start" wrap="wrap">
            <Select
              w={108}
              aria-label={`What is done with ${of}`}
              data={acts}
              allowDeselect={false}
              value={row.act}
              onChange={(act) => change(row.key, { act: (act ?? 'set') as NamedStep['act'] })}
            />
            <TextInput
              flex="1 1 8rem"
              data-row={field}
              aria-label={`Name of ${one} step ${index + 1}`}
              placeholder={placeholder}
              autoComplete="off"
              spellCheck={false}
              value={row.name}
              onChange={(event) => change(row.key, { name: event.currentTarget.value })}
              error={row.act === 'remove' ? removeError(errors, field, rows, row) : undefined}
            />
            {row.act !== 'remove' && (
              <TemplateInput
                flex="2 1 11rem"
                aria-label={`Value of ${of}`}
                placeholder="text or ${variable}"
                variables={variables}
                value={row.value}
                onChange={(value) => change(row.key, { value })}
                error={errors.at(`${field}.${row.act}.${row.name}`)}
              />
            )}
            <RemoveRow of={of} row={field} onRemove={() => onChange(rows.filter(({ key }) => key !== row.key))} />
          </Group>
        );
      })}
      <AddRow label={`Add a ${one} step`} row={field} onAdd={() => onChange([...rows, newNamedStep()])} />
    </Stack>
  );
}

const fieldActs = [
  { value: 'remove', label: 'Remove' },
  { value: 'rename', label: 'Rename' },
  { value: 'mask', label: 'Mask' },
];

interface BodyStepsProps<Draft extends StepsDraft> {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  readonly field: string;
  readonly errors: ErrorsByField;
  readonly variables: readonly TemplateVariable[];
}

function BodySteps<Draft extends StepsDraft>({ draft, onChange, field, errors, variables }: BodyStepsProps<Draft>) {
  const rows = draft.fields;
  const setRows = (fields: readonly FieldStep[]): void => onChange({ ...draft, fields });
  const change = (key: string, changes: Partial<FieldStep>): void =>
    setRows(rows.map((row) => (row.key === key ? { ...row, ...changes } : row)));
  const injectErrors = errors.within(`${field}.inject`);
  return (
    <Stack gap="xs" role="group" aria-label="JSON body">
      <StepsTitle
        title="JSON body"
        hint="Dotted paths go into objects and every element of lists. In this order: merge, remove, rename, mask."
        errors={errors}
        field={field.replace(/\.json$/, '')}
      />
      <TemplateInput
        label="Merge in"
        rows={draft.inject.includes('\n') ? 5 : 2}
        placeholder={'{ "meta": { "served_by": "${host}" } }'}
        variables={variables}
        value={draft.inject}
        onChange={(inject) => onChange({ ...draft, inject })}
        error={injectErrors.length === 0 ? undefined : injectErrors.map(({ message }) => message).join('. ')}
      />
      {rows.map((row, index) => {
        const of = row.name === '' ? `body step ${index + 1}` : row.name;
        return (
          <Group key={row.key} gap="xs" align="flex-start">
            <Select
              w={108}
              aria-label={`What is done with ${of}`}
              data={fieldActs}
              allowDeselect={false}
              value={row.act}
              onChange={(act) => change(row.key, { act: (act ?? 'remove') as FieldStep['act'] })}
            />
            <TextInput
              flex="1 1 8rem"
              data-row={field}
              aria-label={`Path of body step ${index + 1}`}
              placeholder="user.email"
              autoComplete="off"
              spellCheck={false}
              value={row.name}
              onChange={(event) => change(row.key, { name: event.currentTarget.value })}
              error={row.act === 'rename' ? undefined : removeError(errors, field, rows, row)}
            />
            {row.act === 'rename' && (
              <TextInput
                flex="1 1 8rem"
                aria-label={`New name of ${of}`}
                placeholder="new name"
                autoComplete="off"
                spellCheck={false}
                value={row.value}
                onChange={(event) => change(row.key, { value: event.currentTarget.value })}
                error={errors.at(`${field}.rename.${row.name}`)}
              />
            )}
            <RemoveRow of={of} row={field} onRemove={() => setRows(rows.filter(({ key }) => key !== row.key))} />
          </Group>
        );
      })}
      <AddRow label="Add a body step" row={field} onAdd={() => setRows([...rows, newFieldStep()])} />
    </Stack>
  );
}

/** What is wrong with a row of a list, which the API knows by its number there. */
function removeError<Row extends NamedStep | FieldStep>(
  errors: ErrorsByField,
  field: string,
  rows: readonly Row[],
  row: Row,
): string | undefined {
  const index = rows.filter(({ act, name }) => act === row.act && name !== '').findIndex(({ key }) => key === row.key);
  return errors.at(`${field}.${row.act}.${index}`);
}

interface StepsTitleProps {
  readonly title: string;
  readonly hint: string;
  readonly errors: ErrorsByField;
  readonly field: string;
}

function StepsTitle({ title, hint, errors, field }: StepsTitleProps) {
  const own = errors.at(field);
  return (
    <div>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      <Text size="xs" c="dimmed">
        {hint}
      </Text>
      {own !== undefined && (
        <Text size="xs" c="var(--mantine-color-error)" role="alert">
          {own}
        </Text>
      )}
    </div>
  );
}
