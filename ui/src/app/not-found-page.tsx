import { Anchor } from '@mantine/core';
import { IconCompassOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { EmptyState } from '../components/empty-state.tsx';
import { PageHeader } from '../components/page-header.tsx';

export function NotFoundPage() {
  return (
    <>
      <PageHeader title="There is no such page" />
      <EmptyState icon={IconCompassOff} title="This address leads nowhere" description="It may be mistyped, or what it led to was deleted.">
        <Anchor component={Link} to="/">
          Go to the overview
        </Anchor>
      </EmptyState>
    </>
  );
}
