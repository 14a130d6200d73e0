import { Skeleton, Stack } from '@mantine/core';

/** In the place of a page that is on its way. */
export function PageSkeleton() {
  return (
    <Stack aria-busy="true" aria-label="Loading" role="status">
      <Skeleton height={32} width={220} />
      <Skeleton height={16} width="60%" />
      <Skeleton height={220} mt="md" />
    </Stack>
  );
}
