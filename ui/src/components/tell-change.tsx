import { Anchor } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { problemOf } from '../api/api-problem.ts';
import { callApi, readApi } from '../api/call-api.ts';
import { invalidate } from '../api/query-client.ts';
import { offer, standing } from './offer.tsx';

export interface ToldChange {
  /** "orders was saved." */
  readonly message: string;
  /** The revision of the gateway config that it made; undefined where it made none. */
  readonly revision: number | undefined;
  /** The first of its revisions, where it made several, with nobody else's between them. */
  readonly since?: number;
  /** Said once it is undone: "orders is as it was." */
  readonly undone: string;
  /** Whether it changed API keys. Other changes leave them alone when they are undone, too. */
  readonly ofKeys?: boolean;
  readonly onUndone?: () => void;
}

/** What was told of last, and when by `performance.now()`. */
let told = { revision: 0, at: 0 };

/**
 * Says what was changed and offers to undo it, which is a rollback to the revision before: credentials come back with it. It is
 * refused once anything else was changed.
 */
export function tellChange(change: ToldChange): void {
  const { message, revision } = change;
  const at = performance.now();
  // Of two that were made at once the later one stands in the way of the earlier one, whichever is answered first.
  if (revision === undefined || (revision < told.revision && at - told.at < standing)) return void notifications.show({ message });
  told = { revision, at };
  offer({ message, label: 'Undo', hotkey: 'mod+Z', act: () => undo(change, revision) });
}

async function undo({ since, undone, ofKeys = false, onUndone }: ToldChange, revision: number): Promise<void> {
  try {
    const { value } = await callApi('post', '/admin/history/:revision/rollback', {
      param: { revision: String((since ?? revision) - 1) },
      query: { expect_revision: String(revision), keep_keys: ofKeys ? 'false' : 'true' },
    });
    await invalidate('upstreams', 'routes', 'keys', 'traffic', 'events');
    notifications.show({ role: 'status', message: undone });
    for (const { field, message } of value.warnings)
      notifications.show({ color: 'orange', message: `${field}: ${message}`, autoClose: false });
    onUndone?.();
  } catch (error) {
    const problem = problemOf(error);
    notifications.show({
      color: 'red',
      // Without an answer, or with one of 5xx, it may have been done.
      title: problem.status >= 400 && problem.status < 500 ? 'Nothing was undone' : 'It is not known whether that was undone',
      message: problem.status === 412 ? await whyNot(revision) : problem.message,
      autoClose: 30_000,
    });
  }
}

/** Undoing would take back others' changes, too. */
async function whyNot(revision: number): Promise<ReactNode> {
  const [newest] = await readApi('/admin/history', { query: { limit: '1' } }).then(
    ({ data }) => data,
    () => [],
  );
  const by = newest?.actor?.label || newest?.actor?.kind;
  return (
    <>
      Something else was changed since{by === undefined ? '' : `, last by ${by}`}, and would be taken back with it. What this change did,
      and what can be gone back to:{' '}
      <Anchor component={Link} to="/history/$revision" params={{ revision: String(revision) } as never} inherit underline="always">
        revision {revision} in History
      </Anchor>
    </>
  );
}
