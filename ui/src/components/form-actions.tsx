import { Button, Group } from '@mantine/core';

export interface FormActionsProps {
  /** Says what is done: "Add key", "Save". */
  readonly submit: string;
  readonly busy: boolean;
  readonly disabled?: boolean;
  /** "Cancel" when not given. */
  readonly cancel?: string;
  readonly onCancel?: (() => void) | undefined;
}

/** The end of every form. */
export function FormActions({ submit, busy, disabled = false, cancel = 'Cancel', onCancel }: FormActionsProps) {
  return (
    <Group justify="flex-end">
      {onCancel !== undefined && (
        <Button variant="default" onClick={onCancel}>
          {cancel}
        </Button>
      )}
      <Button type="submit" loading={busy} disabled={disabled}>
        {submit}
      </Button>
    </Group>
  );
}
