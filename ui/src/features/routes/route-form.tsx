import { Stack, Tabs } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState, type ReactNode, type SyntheticEvent } from 'react';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import type { FieldError } from '../../api/api-problem.ts';
import { useClientOrigin } from '../../components/client-origin.ts';
import { sampleHeadersOf, sampleUrlOf } from '../../components/sample-url.ts';
import { FormActions } from '../../components/form-actions.tsx';
import { FormProblem } from '../../components/form-problem.tsx';
import { lazyPart } from '../../components/lazy-part.tsx';
import { Notice } from '../../components/notice.tsx';
import type { ResourceForm } from '../../components/use-resource-form.ts';
import { ErrorsByField } from './errors-by-field.ts';
import type { RouteValues } from './route-values.ts';
import classes from './routes.module.css';
import { SettingsTab } from './settings-tab.tsx';
import { draftProblems, transformOfDraft } from './transform-draft.ts';
import { useRoutePreview, type Sample } from './use-route-preview.ts';

export interface RouteFormProps {
  readonly resource: ResourceForm<RouteValues>;
  /** Of the stored route; a draft has none yet. */
  readonly routeId?: string;
  readonly submitLabel: string;
  /** Whether there is nothing to save. */
  readonly isUnchanged?: boolean;
  readonly onCancel: () => void;
  /** In the place of the gateway's objections: what to do about a conflict. */
  readonly conflict?: ReactNode;
  /** Told whether something is typed that cannot be read yet, and so is in no field. */
  readonly onHold?: (isHeld: boolean) => void;
  readonly isReadOnly?: boolean;
}

/** Loaded when somebody looks at it: most routes change nothing. */
const TransformationsTab = lazyPart(async () => (await import('./transformations-tab.tsx')).TransformationsTab, <PageSkeleton />);

const transforming = new Set(['path_rewrite', 'method_override', 'request_transform', 'response_transform', 'json']);

/** Everything that a route has, on two tabs, with what the gateway makes of it beside it. */
export function RouteForm(props: RouteFormProps) {
  const { resource, routeId, submitLabel, isUnchanged = false, onCancel, conflict, onHold, isReadOnly = false } = props;
  const { form, submit, busy, problem, shown } = resource;
  const values = form.getValues();
  const origin = useClientOrigin();
  const { tab = 'settings' } = useSearch({ strict: false }) as { tab?: string };
  const navigate = useNavigate();
  const element = useRef<HTMLFormElement>(null);
  const [jsonProblem, setJsonProblem] = useState<string>();
  const [own, setOwn] = useState<readonly FieldError[]>([]);
  const [typed, setTyped] = useState<Partial<Sample>>({});

  const sample: Sample = {
    method: values.methods[0] ?? 'GET',
    url: sampleUrlOf({ ...values, host_match_type: values.host_match_type === 'auto' ? 'exact' : values.host_match_type }, origin),
    headers: sampleHeadersOf(values.headers),
    body: '',
    ...(transformOfDraft(values.response_transform, 'response') === null ? {} : { response: sampleResponse }),
    ...typed,
  };
  const preview = useRoutePreview(values, routeId, sample);
  const errors = new ErrorsByField([...own, ...(problem?.errors ?? [])]);
  // In the steps one sees at once what the gateway has against them; in the settings only when they are saved.
  const stepErrors = new ErrorsByField([
    ...own,
    ...(problem?.errors ?? []),
    ...(preview.problem?.errors ?? [])
      .filter(({ field }) => field.startsWith('route.'))
      .map(({ field, message }) => ({ field: field.slice(6), message })),
  ]);

  const setTab = (next: string | null): void =>
    void navigate({
      to: '.',
      search: (before: Record<string, unknown>) => {
        const { tab: _, ...others } = before;
        return next === 'transformations' ? { ...others, tab: next } : others;
      },
      replace: true,
    });
  const showErrors = (found: readonly FieldError[]): void => {
    if (found.length === 0) return;
    const isOfSteps = found.every(({ field }) => transforming.has(field.split('.', 1)[0] ?? ''));
    if (isOfSteps !== (tab === 'transformations')) setTab(isOfSteps ? 'transformations' : 'settings');
    // Once the tab is there.
    setTimeout(() => element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), 50);
  };
  useEffect(() => {
    showErrors(problem?.errors ?? []);
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- once for each answer of the gateway
  }, [problem]);
  const trySubmit = (event: SyntheticEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const found = [
      ...(jsonProblem === undefined ? [] : [{ field: 'json', message: jsonProblem }]),
      ...draftProblems(values.request_transform, 'request_transform'),
      ...draftProblems(values.response_transform, 'response_transform'),
    ];
    setOwn(found);
    if (found.length > 0) showErrors(found);
    else submit(event);
  };
  const isOwn = ({ id, name }: { readonly id: string; readonly name: string }): boolean =>
    routeId === undefined ? name === (values.name.trim() === '' ? 'draft' : values.name.trim()) : id === routeId;
  const changes = [values.request_transform, values.response_transform].some(
    (draft, index) => transformOfDraft(draft, index === 0 ? 'request' : 'response') !== null,
  );
  const isTransforming = changes || values.path_rewrite !== '' || values.method_override !== '';
  return (
    <form ref={element} onSubmit={trySubmit} noValidate>
      <fieldset disabled={isReadOnly} className={classes['plain']}>
        <Tabs value={tab} onChange={setTab} keepMounted={false}>
          <Tabs.List mb="md">
            <Tabs.Tab value="settings">Settings</Tabs.Tab>
            <Tabs.Tab value="transformations">Transformations{isTransforming ? ' •' : ''}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="settings">
            <SettingsTab
              form={form}
              errors={errors}
              preview={preview}
              sampleUrl={sample.url}
              onSampleUrl={(url) => setTyped({ ...typed, url })}
              isOwn={isOwn}
            />
          </Tabs.Panel>
          <Tabs.Panel value="transformations">
            <TransformationsTab
              form={form}
              errors={stepErrors}
              preview={preview}
              sample={sample}
              onSample={setTyped}
              isOwn={isOwn}
              onJsonProblem={(problem) => {
                setJsonProblem(problem);
                onHold?.(problem !== undefined);
              }}
            />
          </Tabs.Panel>
        </Tabs>
      </fieldset>
      <div className={classes['foot']}>
        <Stack gap="sm">
          {conflict ?? <FormProblem problem={problem} shown={shown} />}
          {own.length > 0 && <Notice kind="danger">Please see to the fields marked above; nothing was saved.</Notice>}
          {!isReadOnly && <FormActions submit={submitLabel} busy={busy} disabled={isUnchanged} onCancel={onCancel} />}
        </Stack>
      </div>
    </form>
  );
}

const sampleResponse: NonNullable<Sample['response']> = {
  status: 200,
  headers: 'Content-Type: application/json',
  body: '{"id":1,"email":"ann@example.com"}',
};
