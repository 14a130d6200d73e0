import { Button, Group } from '@mantine/core';

export interface FormActionsProps {
  /** Says what is done: "Add key", "Save". */
  readonly submit: string;
  readonly busy: boolean;
  readonly disabled?: boolean;
  readonly onCancel?: () => void;
}

/** The end of every form. */
export function FormActions({ submit, busy, disabled = false, onCancel }: FormActionsProps) {
  return (
    <Group justify="flex-end">
      {onCancel !== undefined && (
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
      )}
      <Button type="submit" loading={busy} disabled={disabled}>
        {submit}
      </Button>
    </Group>
  );
}
