import { Button, Group } from '@mantine/core';
import { notifications, type NotificationData } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { usePageHotkey } from './use-page-hotkey.ts';

export interface OfferOptions {
  readonly title?: string;
  readonly message: ReactNode;
  /** Red and orange for what did not go as it was meant to. */
  readonly color?: string;
  /** Says what the button does. */
  readonly label: string;
  /** A key that does the same while the offer stands: `mod+Z`. */
  readonly hotkey?: string;
  /** Tells by itself what came of it; must not reject. */
  readonly act: () => Promise<void>;
}

/** Milliseconds that an offer stands, longer as long as the pointer or the focus is on it. */
export const standing = 15_000;
let count = 0;
/** Id of the last offer with this key. */
const last = new Map<string | undefined, string>();

/** A message with something to do about it. A new offer takes the place of the one before of its kind; screen readers are told politely. */
export function offer({ title, message, color, ...button }: OfferOptions): void {
  const before = last.get(button.hotkey);
  if (before !== undefined) notifications.hide(before);
  const id = `offer ${(count += 1)}`;
  last.set(button.hotkey, id);
  const data: NotificationData = {
    id,
    role: 'status',
    autoClose: standing,
    message: (
      <Group gap="xs" justify="space-between">
        <span style={{ flex: '1 1 12rem' }}>{message}</span>
        <OfferButton {...button} onDone={() => notifications.hide(id)} />
      </Group>
    ),
    onFocusCapture: () => notifications.update({ ...data, autoClose: false }),
    onBlurCapture: () => notifications.update(data),
  };
  if (title !== undefined) data.title = title;
  if (color !== undefined) data.color = color;
  notifications.show(data);
}

type OfferButtonProps = Pick<OfferOptions, 'label' | 'hotkey' | 'act'> & { readonly onDone: () => void };

function OfferButton({ label, hotkey, act, onDone }: OfferButtonProps) {
  const doing = useMutation({
    mutationFn: act,
    onSettled: () => {
      // The button goes: whoever pressed it by keyboard goes on in the page.
      if (document.activeElement?.closest('.mantine-Notification-root') !== null)
        document.getElementById('content')?.focus({ preventScroll: true });
      onDone();
    },
  });
  const run = (): void => {
    if (!doing.isPending) doing.mutate();
  };
  usePageHotkey(hotkey, run);
  return (
    <Button
      size="compact-sm"
      variant="default"
      loading={doing.isPending}
      aria-keyshortcuts={hotkey?.replace('mod', 'Control')}
      title={hotkey?.replace('mod', 'Ctrl')}
      onClick={run}
    >
      {label}
    </Button>
  );
}
