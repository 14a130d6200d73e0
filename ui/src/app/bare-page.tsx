import { Box, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { Logo } from './logo.tsx';

/** Around what has to be told where the sidebar and the header cannot be shown. */
export function BarePage({ children }: { readonly children: ReactNode }) {
  return (
    <Stack component="main" gap="lg" maw={760} mx="auto" px="md" py="xl">
      <Logo />
      <Box>{children}</Box>
    </Stack>
  );
}
