import { Textarea } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useState } from 'react';
import { CopyButton } from '../../components/copy-button.tsx';
import type { ErrorsByField } from './errors-by-field.ts';
import { DraftErrors } from './preview-result.tsx';
import type { RouteValues } from './route-values.ts';
import { draftOfTransform, isHeldWhole, transformOfDraft } from './transform-draft.ts';

const known = ['path_rewrite', 'method_override', 'request_transform', 'response_transform'] as const;

export interface TransformJsonProps {
  readonly form: UseFormReturnType<RouteValues>;
  readonly errors: ErrorsByField;
  readonly onProblem: (problem: string | undefined) => void;
}

/** The four fields of a route that change messages, as JSON to copy and to paste. What the form could not show is refused. */
export function TransformJson({ form, errors, onProblem }: TransformJsonProps) {
  const [text, setText] = useState(() => jsonOf(form.getValues()));
  const [problem, setProblem] = useState<string>();
  // What was read from the text last: when the form has something else, it comes from elsewhere, and the text has to follow.
  const [readText, setReadText] = useState(text);
  const present = jsonOf(form.getValues());
  if (present !== readText && problem === undefined) {
    setReadText(present);
    setText(present);
  }
  const change = (typed: string): void => {
    setText(typed);
    const read = readJson(typed);
    const found = typeof read === 'string' ? read : undefined;
    setProblem(found);
    onProblem(found);
    if (typeof read === 'string') return;
    form.setFieldValue('path_rewrite', read.path_rewrite);
    form.setFieldValue('method_override', read.method_override);
    form.setFieldValue('request_transform', draftOfTransform(read.request_transform));
    form.setFieldValue('response_transform', draftOfTransform(read.response_transform));
    setReadText(jsonOf(form.getValues()));
  };
  const refused = known.flatMap((field) => [...errors.within(field)]);
  return (
    <div>
      <Textarea
        label="Transformations as JSON"
        description={`An object with ${known.join(', ')}; empty for none.`}
        autosize
        minRows={12}
        maxRows={40}
        spellCheck={false}
        autoComplete="off"
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.8125rem' } }}
        value={text}
        onChange={(event) => change(event.currentTarget.value)}
        error={problem}
        mb="xs"
      />
      <CopyButton text={text} what="the JSON" />
      {problem === undefined && refused.length > 0 && <DraftErrors errors={refused} />}
    </div>
  );
}

function jsonOf(values: RouteValues): string {
  const fields = {
    path_rewrite: values.path_rewrite === '' ? null : values.path_rewrite,
    method_override: values.method_override === '' ? null : values.method_override,
    request_transform: transformOfDraft(values.request_transform, 'request'),
    response_transform: transformOfDraft(values.response_transform, 'response'),
  };
  return JSON.stringify(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)), null, 2);
}

interface ReadJson {
  readonly path_rewrite: string;
  readonly method_override: string;
  readonly request_transform: unknown;
  readonly response_transform: unknown;
}

function readJson(text: string): ReadJson | string {
  let given: unknown;
  try {
    given = text.trim() === '' ? {} : JSON.parse(text);
  } catch (error) {
    return `Is not JSON: ${(error as Error).message}`;
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return 'Must be an object';
  const fields = given as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(fields).filter((field) => !known.some((name) => name === field));
  if (unknown.length > 0) return `${unknown.join(', ')}: no such field; there are ${known.join(', ')}`;
  for (const field of ['path_rewrite', 'method_override'] as const) {
    if (typeof (fields[field] ?? '') !== 'string') return `${field} must be a string`;
  }
  for (const [field, message] of [
    ['request_transform', 'request'],
    ['response_transform', 'response'],
  ] as const) {
    if (!isHeldWhole(fields[field], message))
      return `${field} has something in it that no ${message} transformation has: see docs/transformations.md`;
  }
  return {
    path_rewrite: (fields['path_rewrite'] as string | null | undefined) ?? '',
    method_override: (fields['method_override'] as string | null | undefined) ?? '',
    request_transform: fields['request_transform'],
    response_transform: fields['response_transform'],
  };
}
