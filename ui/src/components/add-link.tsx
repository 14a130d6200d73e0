import { Button, Kbd } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import classes from './add-link.module.css';

/** Leads to the form of a new one, and shows the key that does the same: the page gives it with `usePageHotkey('n', …)`. */
export function AddLink({ to, children }: { readonly to: string; readonly children: ReactNode }) {
  return (
    <Button
      component={Link}
      to={to}
      aria-keyshortcuts="n"
      leftSection={<IconPlus size={16} aria-hidden />}
      rightSection={
        <Kbd aria-hidden visibleFrom="sm" className={classes['key'] ?? ''}>
          n
        </Kbd>
      }
    >
      {children}
    </Button>
  );
}
