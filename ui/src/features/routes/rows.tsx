import { ActionIcon, Button, Group } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import type { MouseEvent } from 'react';
import { flushSync } from 'react-dom';

// Rows that come and go take the focus along: to the first field of a new one, which has `data-row`, and from a removed one to the
// button that adds another. Both are looked for in the group (`role="group"`) around the button that was pressed.

export interface AddRowProps {
  readonly label: string;
  /** As `data-row` of the first field of such a row says it. */
  readonly row: string;
  readonly onAdd: () => void;
}

export function AddRow({ label, row, onAdd }: AddRowProps) {
  const add = (event: MouseEvent<HTMLElement>): void => {
    const group = groupOf(event);
    // At once, or the first keys of somebody quick would go nowhere.
    flushSync(onAdd);
    [...(group?.querySelectorAll<HTMLElement>(`[data-row="${row}"]`) ?? [])].at(-1)?.focus();
  };
  return (
    <Group>
      <Button size="xs" variant="default" data-add={row} leftSection={<IconPlus size={14} aria-hidden />} onClick={add}>
        {label}
      </Button>
    </Group>
  );
}

export interface RemoveRowProps {
  /** What is removed, for those who cannot see what stands beside it. */
  readonly of: string;
  readonly row: string;
  readonly onRemove: () => void;
}

export function RemoveRow({ of, row, onRemove }: RemoveRowProps) {
  const remove = (event: MouseEvent<HTMLElement>): void => {
    const add = [...document.querySelectorAll<HTMLElement>(`[data-add="${row}"]`)].find((button) =>
      button.closest('[role="group"]')?.contains(event.currentTarget),
    );
    flushSync(onRemove);
    add?.focus();
  };
  return (
    <ActionIcon mt={4} variant="subtle" color="gray" aria-label={`Remove ${of}`} onClick={remove}>
      <IconX size={16} aria-hidden />
    </ActionIcon>
  );
}

function groupOf(event: MouseEvent<HTMLElement>): HTMLElement | null {
  return event.currentTarget.closest<HTMLElement>('[role="group"]');
}
