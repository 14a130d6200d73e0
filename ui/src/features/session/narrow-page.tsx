import { Box, Center, Stack, Text, Title } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';
import { Logo } from '../../app/logo.tsx';

export interface NarrowPageProps {
  readonly title: string;
  readonly description?: ReactNode;
  readonly width?: number;
  readonly children: ReactNode;
}

/** A page with one task and no sidebar: the keyboard begins at the field marked with `data-autofocus`, else at the heading. */
export function NarrowPage({ title, description, width = 420, children }: NarrowPageProps) {
  const page = useRef<HTMLDivElement>(null);
  useEffect(() => {
    page.current
      ?.querySelector<HTMLElement>(page.current.querySelector('[data-autofocus]') === null ? 'h1' : '[data-autofocus]')
      ?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    document.title = `${title} · APIGate`;
  }, [title]);
  return (
    <Center component="main" mih="100dvh" px="md" py="xl">
      <Stack w="100%" maw={width} gap="lg" ref={page}>
        <Logo />
        <Box className="surface" p={{ base: 'lg', sm: 'xl' }}>
          <Title order={1} tabIndex={-1}>
            {title}
          </Title>
          {description !== undefined && (
            <Text c="dimmed" mt={6}>
              {description}
            </Text>
          )}
          <Box mt="lg">{children}</Box>
        </Box>
      </Stack>
    </Center>
  );
}
