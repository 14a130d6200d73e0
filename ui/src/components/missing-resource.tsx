import { Button } from '@mantine/core';
import { IconCompassOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ApiProblem } from '../api/api-problem.ts';
import { EmptyState } from './empty-state.tsx';
import { ErrorState } from './error-state.tsx';
import { PageHeader } from './page-header.tsx';

export interface MissingResourceProps {
  /** "API key" in "There is no such API key". */
  readonly what: string;
  readonly problem: ApiProblem;
  readonly onRetry: () => void;
  /** The list that it would be in: its address, and what the button says. */
  readonly list: readonly [address: string, label: string];
}

/** In the place of one resource's page that could not be read, or that there is none of. */
export function MissingResource({ what, problem, onRetry, list: [address, label] }: MissingResourceProps) {
  if (problem.status !== 404) {
    return (
      <>
        <PageHeader title={what} />
        <ErrorState problem={problem} onRetry={onRetry} />
      </>
    );
  }
  return (
    <>
      <PageHeader title={`There is no such ${what}`} />
      <EmptyState
        icon={IconCompassOff}
        title="This address leads nowhere"
        description="What it led to was deleted, or the address is not complete."
      >
        <Button component={Link} to={address} variant="default">
          {label}
        </Button>
      </EmptyState>
    </>
  );
}
