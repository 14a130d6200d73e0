import { Anchor } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { problemOf } from '../api/api-problem.ts';
import { callApi, readApi } from '../api/call-api.ts';
import { invalidate } from '../api/query-client.ts';
import { offer } from './offer.tsx';

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

/**
 * Says what was changed and offers to undo it, which is a rollback to the revision before: credentials come back with it. It is
 * refused once anything else was changed.
 */
export function tellChange(change: ToldChange): void {
  const { message, revision } = change;
  if (revision === undefined) notifications.show({ message });
  else offer({ message, label: 'Undo', hotkey: 'mod+Z', act: () => undo(change, revision) });
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
      title: 'Nothing was undone',
      message: problem.status === 412 ? await whyNot(revision) : problem.message,
      autoClose: 30_000,
    });
  }
}

/** Undoing would take back others' changes, too. */
async function whyNot(revision: number): Promise<ReactNode> {
  const [latest] = await readApi('/admin/history', { query: { limit: '1' } }).then(
    ({ data }) => data,
    () => [],
  );
  const by = latest?.actor?.label || latest?.actor?.kind;
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
