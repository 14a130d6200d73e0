import { useForm, type UseFormReturnType } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { type ApiProblem, problemOf } from '../api/api-problem.ts';
import { sentenceOf } from './sentence-of.ts';
import { useUnsavedInput, type UnsavedInput } from './unsaved-input.ts';

export interface ResourceFormOptions<Values extends Record<string, unknown>, Fields extends Record<string, unknown>> {
  /** What the form begins with: the stored state, or the defaults of a new resource. */
  readonly initial: Values;
  /** The fields as the API takes them. Only those that differ from those of `initial` are sent when `isNew` is false. */
  readonly toFields: (values: Values) => Fields;
  readonly isNew: boolean;
  /** Sends them; rejects with ApiProblem. */
  readonly save: (fields: Partial<Fields>, values: Values) => Promise<unknown>;
  /** Which form field shows the message for a field of the API, where the names differ. */
  readonly fieldOf?: (apiField: string) => string;
  /** Names it for whoever is about to leave what they typed: "Route orders", "The new route". Nobody is asked when not given. */
  readonly unsaved?: string;
  /** See `UnsavedInput`. */
  readonly isKept?: UnsavedInput['isKept'];
  /** Whether something is typed that is not in the form's values yet. */
  readonly isHeld?: boolean;
}

export interface ResourceForm<Values extends Record<string, unknown>> {
  readonly form: UseFormReturnType<Values>;
  readonly submit: (event?: React.FormEvent<HTMLFormElement>) => void;
  readonly busy: boolean;
  readonly problem: ApiProblem | undefined;
  /** Names for `FormProblem`: their messages stand beside the fields. */
  readonly shown: readonly string[];
  /** Somebody else changed the resource meanwhile (412): see `useEditForm`. */
  readonly isConflict: boolean;
  readonly clearProblem: () => void;
}

/**
 * A form of one resource. Sends only what was changed, so that fields which the form does not know, or which somebody else
 * changed, stay as they are; puts the API's messages beside the fields and the focus on the first of them.
 */
export function useResourceForm<Values extends Record<string, unknown>, Fields extends Record<string, unknown>>(
  options: ResourceFormOptions<Values, Fields>,
): ResourceForm<Values> {
  const { initial, toFields, isNew, save, fieldOf = topField, unsaved, isKept, isHeld = false } = options;
  const form = useForm<Values>({ initialValues: initial, validateInputOnChange: false });
  const [problem, setProblem] = useState<ApiProblem>();
  const saving = useMutation({
    mutationFn: (values: Values) => save(isNew ? toFields(values) : changedFields(toFields(initial), toFields(values)), values),
    onMutate: () => {
      setProblem(undefined);
      form.clearErrors();
    },
    // For what stays on the page, a key that is shown once, say.
    onSuccess: () => form.resetDirty(),
    onError: (error) => {
      const found = problemOf(error);
      setProblem(found);
      const messages = Object.fromEntries(found.errors.map(({ field, message }) => [fieldOf(field), sentenceOf(message)]));
      form.setErrors(messages);
      const first = Object.keys(initial).find((name) => name in messages);
      if (first !== undefined) requestAnimationFrame(() => form.getInputNode(first)?.focus());
    },
  });
  const typed = (): readonly string[] => {
    if (unsaved === undefined) return [];
    const names = form.isDirty() ? Object.keys(changedFields(toFields(initial), toFields(form.getValues()))) : [];
    return isHeld ? [...names, 'what cannot be read yet'] : names;
  };
  useUnsavedInput({ what: unsaved ?? '', fields: typed, ...(isKept === undefined ? {} : { isKept }) });
  const shown = (problem?.errors ?? []).map(({ field }) => field).filter((field) => fieldOf(field) in initial);
  const submit = form.onSubmit((values) => saving.mutate(values));
  const clearProblem = (): void => setProblem(undefined);
  return { form, submit, busy: saving.isPending, problem, shown, isConflict: problem?.status === 412, clearProblem };
}

/** `routes.0` and `request_transform.headers` belong to the field that they begin with. */
function topField(apiField: string): string {
  return apiField.split('.', 1)[0] ?? apiField;
}

function changedFields<Fields extends Record<string, unknown>>(before: Fields, after: Fields): Partial<Fields> {
  return Object.fromEntries(
    Object.entries(after).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])),
  ) as Partial<Fields>;
}
