import { Button, Group, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { problemOf } from '../api/api-problem.ts';
import { FormProblem } from './form-problem.tsx';
import { Dialog } from './dialog.tsx';

export interface ConfirmDialogProps {
  readonly title: string;
  /** What it takes with it, and whether it can be undone. */
  readonly children: ReactNode;
  /** Says what is done: "Delete the key", never "OK". */
  readonly confirm: string;
  /** While something that it needs is not given. */
  readonly disabled?: boolean;
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
}

/** Asks before what cannot be undone. Rendered while it is open; stays open, and says why, when it does not work out. */
export function ConfirmDialog({ title, children, confirm, disabled = false, onConfirm, onClose }: ConfirmDialogProps) {
  const doing = useMutation({ mutationFn: onConfirm, onSuccess: onClose });
  return (
    <Dialog onClose={onClose} title={title}>
      <Stack>
        <div>{children}</div>
        <FormProblem problem={doing.error === null ? undefined : problemOf(doing.error)} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button color="red.8" loading={doing.isPending} disabled={disabled} onClick={() => doing.mutate()}>
            {confirm}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
