import { Modal, type ModalProps } from '@mantine/core';
import { useEffect, useState } from 'react';

/** A dialog that is rendered while it is open. Afterwards the keyboard goes on from where it was opened: a button, or that of a menu. */
export function Dialog(props: Omit<ModalProps, 'opened'>) {
  const [opener] = useState(openerOf);
  useEffect(
    () => () => {
      // Once the dialog is gone, and unless something else has taken the focus.
      setTimeout(() => {
        if (document.activeElement !== document.body) return;
        opener?.focus({ preventScroll: true });
        // It may be gone too, with the row that was deleted, or have nothing to do any more.
        if (document.activeElement === document.body) document.getElementById('content')?.focus({ preventScroll: true });
      });
    },
    [opener],
  );
  return <Modal opened returnFocus={false} {...props} />;
}

/** An item of a menu goes with it: the button that opened the menu stays. */
function openerOf(): HTMLElement | null {
  const active = document.activeElement;
  const menu = active?.closest('[role="menu"]')?.getAttribute('aria-labelledby');
  if (menu !== undefined && menu !== null) return document.getElementById(menu);
  return active instanceof HTMLElement ? active : null;
}
