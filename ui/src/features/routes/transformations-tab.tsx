import { Group, SegmentedControl, Select, SimpleGrid, Stack, Text, Textarea, TextInput, Title } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useState } from 'react';
import { ConditionsEditor } from './conditions-editor.tsx';
import type { ErrorsByField } from './errors-by-field.ts';
import { DraftErrors, PreviewMessages, TakesNotice } from './preview-result.tsx';
import type { RouteValues } from './route-values.ts';
import { StepsEditor } from './steps-editor.tsx';
import { TemplateInput } from './template-input.tsx';
import { variablesFor } from './template-variables.ts';
import { TransformJson } from './transform-json.tsx';
import type { PreviewState, Sample } from './use-route-preview.ts';
import classes from './routes.module.css';

export interface TransformationsTabProps {
  readonly form: UseFormReturnType<RouteValues>;
  readonly errors: ErrorsByField;
  readonly preview: PreviewState;
  readonly sample: Sample;
  readonly onSample: (sample: Sample) => void;
  readonly isOwn: (winner: { readonly id: string; readonly name: string }) => boolean;
  /** Text that is no JSON keeps the form from being saved. */
  readonly onJsonProblem: (problem: string | undefined) => void;
}

/** What the route changes, with a sample before and after beside it. */
export function TransformationsTab(props: TransformationsTabProps) {
  const { form, errors, preview, sample, onSample, isOwn, onJsonProblem } = props;
  const [view, setView] = useState('form');
  const [isJsonBroken, setJsonBroken] = useState(false);
  const values = form.getValues();
  const variables = variablesFor(values.path_pattern);
  const problemsOfJson = (problem: string | undefined): void => {
    setJsonBroken(problem !== undefined);
    onJsonProblem(problem);
  };
  return (
    <div className={classes['halves']}>
      <Stack gap="lg" className={classes['half'] ?? ''}>
        <Group justify="space-between">
          <Text size="sm" c="dimmed" maw="46ch">
            Values may hold variables: type {'${'} for the list of them.
          </Text>
          <SegmentedControl
            size="xs"
            aria-label="How the transformations are shown"
            data={[
              { value: 'form', label: 'Form' },
              { value: 'json', label: 'JSON' },
            ]}
            value={view}
            // What cannot be read yet would be lost.
            disabled={isJsonBroken}
            onChange={setView}
          />
        </Group>
        {view === 'json' ? (
          <TransformJson form={form} onProblem={problemsOfJson} errors={errors} />
        ) : (
          <>
            <section className="surface" aria-labelledby="request-steps">
              <Stack p="md" gap="lg">
                <Title order={2} id="request-steps">
                  Request
                </Title>
                <SimpleGrid cols={{ base: 1, xs: 2 }}>
                  <TemplateInput
                    label="Path becomes"
                    description={pathHint(values)}
                    placeholder="As it came"
                    variables={variables}
                    data-path="path_rewrite"
                    value={values.path_rewrite}
                    onChange={(value) => form.setFieldValue('path_rewrite', value)}
                    error={errors.at('path_rewrite')}
                  />
                  <TextInput
                    label="Method becomes"
                    description="What the upstream gets."
                    placeholder="As it came"
                    {...form.getInputProps('method_override')}
                    error={errors.at('method_override')}
                  />
                </SimpleGrid>
                {values.request_transform.path_rewrite !== '' && (
                  <TemplateInput
                    label="Path becomes, by request_transform"
                    description="Counts before the one above."
                    variables={variables}
                    value={values.request_transform.path_rewrite}
                    onChange={(value) => form.setFieldValue('request_transform', { ...values.request_transform, path_rewrite: value })}
                    error={errors.at('request_transform.path_rewrite')}
                  />
                )}
                <StepsEditor
                  draft={values.request_transform}
                  onChange={(draft) => form.setFieldValue('request_transform', draft)}
                  field="request_transform"
                  message="request"
                  errors={errors}
                  variables={variables}
                />
                <ConditionsEditor
                  conditions={values.request_transform.conditions}
                  onChange={(conditions) => form.setFieldValue('request_transform', { ...values.request_transform, conditions })}
                  field="request_transform"
                  message="request"
                  errors={errors}
                  variables={variables}
                />
              </Stack>
            </section>
            <section className="surface" aria-labelledby="response-steps">
              <Stack p="md" gap="lg">
                <Title order={2} id="response-steps">
                  Response
                </Title>
                <StepsEditor
                  draft={values.response_transform}
                  onChange={(draft) => form.setFieldValue('response_transform', draft)}
                  field="response_transform"
                  message="response"
                  errors={errors}
                  variables={variables}
                />
                <ConditionsEditor
                  conditions={values.response_transform.conditions}
                  onChange={(conditions) => form.setFieldValue('response_transform', { ...values.response_transform, conditions })}
                  field="response_transform"
                  message="response"
                  errors={errors}
                  variables={variables}
                />
              </Stack>
            </section>
          </>
        )}
      </Stack>
      <section className={`surface ${classes['half']} ${classes['beside']}`} aria-labelledby="preview" aria-busy={preview.isStale}>
        <Stack p="md">
          <div>
            <Title order={2} id="preview">
              Preview
            </Title>
            <Text size="xs" c="dimmed">
              By the gateway itself, from what stands in the form. Nothing is stored or sent.
            </Text>
          </div>
          <SampleFields sample={sample} onSample={onSample} />
          <div aria-live="polite">
            <Stack>
              {preview.missing !== undefined && (
                <Text size="sm" c="dimmed">
                  {preview.missing}
                </Text>
              )}
              {preview.problem !== undefined && (
                <DraftErrors
                  errors={
                    preview.problem.errors.length > 0
                      ? preview.problem.errors
                      : [{ field: preview.problem.title, message: preview.problem.message }]
                  }
                />
              )}
              {preview.preview !== undefined && <TakesNotice preview={preview.preview} isOwn={isOwn} />}
            </Stack>
          </div>
          {preview.preview !== undefined && <PreviewMessages preview={preview.preview} />}
        </Stack>
      </section>
    </div>
  );
}

function pathHint({ match_type, path_pattern }: RouteValues): string {
  if (match_type === 'prefix') return '$1 is what follows the prefix, as in /v2/$1.';
  return path_pattern.includes('{') ? '${pathParams.NAME} is a segment in braces.' : 'As in /v2${path}.';
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

function SampleFields({ sample, onSample }: { readonly sample: Sample; readonly onSample: (sample: Sample) => void }) {
  const { response } = sample;
  return (
    <Stack gap="xs">
      <Group gap="xs" align="flex-end">
        <Select
          w={110}
          label="Method"
          data={methods.includes(sample.method) ? methods : [sample.method, ...methods]}
          allowDeselect={false}
          value={sample.method}
          onChange={(method) => onSample({ ...sample, method: method ?? 'GET' })}
        />
        <TextInput
          flex="1 1 12rem"
          label="URL"
          spellCheck={false}
          autoComplete="off"
          value={sample.url}
          onChange={(event) => onSample({ ...sample, url: event.currentTarget.value })}
        />
      </Group>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
        <Textarea
          label="Request headers"
          placeholder="X-API-Version: 2"
          autosize
          minRows={2}
          maxRows={8}
          spellCheck={false}
          value={sample.headers}
          onChange={(event) => onSample({ ...sample, headers: event.currentTarget.value })}
        />
        <Textarea
          label="Request body"
          placeholder={'{ "name": "Ann" }'}
          autosize
          minRows={2}
          maxRows={8}
          spellCheck={false}
          value={sample.body}
          onChange={(event) => onSample({ ...sample, body: event.currentTarget.value })}
        />
        {response !== undefined && (
          <>
            <Textarea
              label="Upstream's headers"
              autosize
              minRows={2}
              maxRows={8}
              spellCheck={false}
              value={response.headers}
              onChange={(event) => onSample({ ...sample, response: { ...response, headers: event.currentTarget.value } })}
            />
            <Textarea
              label="Upstream's body"
              autosize
              minRows={2}
              maxRows={8}
              spellCheck={false}
              value={response.body}
              onChange={(event) => onSample({ ...sample, response: { ...response, body: event.currentTarget.value } })}
            />
            <TextInput
              label="Upstream's status"
              inputMode="numeric"
              value={response.status}
              onChange={(event) => onSample({ ...sample, response: { ...response, status: event.currentTarget.value } })}
            />
          </>
        )}
      </SimpleGrid>
    </Stack>
  );
}
