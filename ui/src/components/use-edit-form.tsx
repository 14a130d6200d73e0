import { Button, Group } from '@mantine/core';
import { IconGitMerge } from '@tabler/icons-react';
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { ApiProblem } from '../api/api-problem.ts';
import type { Answer } from '../api/call-api.ts';
import { queryClient } from '../api/query-client.ts';
import classes from './conflict-notice.module.css';
import { ConflictNotice } from './conflict-notice.tsx';
import { Notice } from './notice.tsx';
import type { UnsavedInput } from './unsaved-input.ts';
import { useResourceForm, type ResourceForm } from './use-resource-form.ts';

export interface EditFormOptions<Stored, Values extends Record<string, unknown>, Fields extends Record<string, unknown>> {
  /** "route" in "This route was changed meanwhile". */
  readonly what: string;
  /** Of the query that gave `stored`. */
  readonly queryKey: readonly unknown[];
  /** As it is known to be stored now: newer than what the form was opened with once somebody else has changed it. */
  readonly stored: Answer<Stored>;
  /** Why it could not be read again. */
  readonly readError: Error | null;
  /** What the form shows of a stored state. */
  readonly valuesOf: (stored: Stored) => Values;
  readonly toFields: (values: Values) => Fields;
  /** Of the fields, those that may be shown beside one another: no secrets. All of them when not given. */
  readonly visible?: (fields: Fields) => Readonly<Record<string, unknown>>;
  /** Sends the fields that were changed, for the state with this ETag; rejects with ApiProblem. */
  readonly save: (fields: Partial<Fields>, ifMatch: string | undefined) => Promise<Answer<Stored>>;
  /** What is asked about when somebody leaves it unsaved: "Route orders". */
  readonly unsaved: string;
  /** See `UnsavedInput`. */
  readonly isKept?: UnsavedInput['isKept'];
  readonly onSaved: (saved: Answer<Stored>, fields: Partial<Fields>) => unknown;
}

export interface EditForm<Stored, Values extends Record<string, unknown>> extends ResourceForm<Values> {
  /** What the form was opened with. */
  readonly opened: Stored;
  /** In the place of the gateway's objections: what to do when somebody else has changed or deleted it. */
  readonly conflict: ReactNode;
  /** Whether something is typed that is not in the form's values yet. */
  readonly hold: (isHeld: boolean) => void;
  /** For `key=` of what keeps a state beside the form's: another one when what was typed is thrown away. */
  readonly formKey: number;
}

/**
 * The form of a stored resource. As long as nothing is typed it follows what is stored; after that nothing takes away what was
 * typed, whatever is read again meanwhile: the form says at once that the resource was changed, and shows both versions.
 */
export function useEditForm<Stored, Values extends Record<string, unknown>, Fields extends Record<string, unknown>>(
  options: EditFormOptions<Stored, Values, Fields>,
): EditForm<Stored, Values> {
  const { what, queryKey, stored, readError, valuesOf, toFields, visible = asTheyAre, save, unsaved, isKept, onSaved } = options;
  const [opened, setOpened] = useState(stored);
  const [isHeld, hold] = useState(false);
  const [formKey, setFormKey] = useState(0);
  const [wantsBoth, setWantsBoth] = useState(false);
  const ifMatch = useRef(stored.etag);
  const notice = useRef<HTMLDivElement>(null);
  const initial = useMemo(() => valuesOf(opened.value), [opened, valuesOf]);
  const resource = useResourceForm({
    initial,
    toFields,
    isNew: false,
    unsaved,
    isHeld,
    ...(isKept === undefined ? {} : { isKept }),
    save: async (fields) => {
      const saved = await save(fields, ifMatch.current).catch(async (error: unknown) => {
        if (isStatus(error, 412)) await queryClient.refetchQueries({ queryKey, exact: true });
        throw error;
      });
      // A reading that is under way may have begun before.
      await queryClient.cancelQueries({ queryKey, exact: true });
      queryClient.setQueryData(queryKey, saved);
      openWith(saved);
      await onSaved(saved, fields);
    },
  });
  const { form, submit, busy, clearProblem } = resource;
  const openWith = (state: Answer<Stored>): void => {
    ifMatch.current = state.etag;
    setOpened(state);
    form.setValues(valuesOf(state.value));
    form.resetDirty();
    hold(false);
    setWantsBoth(false);
    clearProblem();
  };
  const isTouched = form.isDirty() || isHeld || busy;
  const isOutdated = stored.etag !== opened.etag;
  useEffect(() => {
    if (isOutdated && !isTouched) openWith(stored);
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- the others follow from these
  }, [stored, isTouched]);

  const { isConflict, problem } = resource;
  const isWhole = isConflict || wantsBoth;
  useEffect(() => {
    if (isWhole && !busy) notice.current?.focus();
  }, [isWhole, problem, busy]);

  const conflict = isStatus(readError, 404) ? (
    <Notice kind="danger" title={`This ${what} was deleted meanwhile`}>
      What you typed is still here, but there is nothing any more that it could be saved to.
    </Notice>
  ) : !busy && !isWhole && isOutdated && isTouched ? (
    <div className={classes['brief']}>
      <Notice kind="warning" icon={IconGitMerge} title={`This ${what} was changed meanwhile`}>
        <Group justify="space-between" gap="xs">
          What you typed is still here.
          <Button size="xs" variant="default" onClick={() => setWantsBoth(true)}>
            Show both versions
          </Button>
        </Group>
      </Notice>
    </div>
  ) : !busy && (isConflict || (isOutdated && isTouched)) ? (
    <div ref={notice} tabIndex={-1} className={classes['whole']}>
      <ConflictNotice
        what={what}
        before={visible(toFields(initial))}
        mine={visible(toFields(form.getValues()))}
        theirs={isOutdated ? visible(toFields(valuesOf(stored.value))) : undefined}
        onOverwrite={() => {
          ifMatch.current = stored.etag;
          // What cannot be read yet is the page's to refuse.
          if (isHeld) notice.current?.closest('form')?.requestSubmit();
          else submit();
        }}
        onReload={() => {
          openWith(stored);
          setFormKey(formKey + 1);
        }}
      />
    </div>
  ) : undefined;
  return { ...resource, opened: opened.value, conflict, hold, formKey };
}

function asTheyAre<Fields>(fields: Fields): Fields {
  return fields;
}

function isStatus(error: unknown, status: number): boolean {
  return error instanceof ApiProblem && error.status === status;
}
