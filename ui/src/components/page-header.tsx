import { Box, Group, Text, Title } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';

export interface PageHeaderProps {
  readonly title: string;
  readonly description?: ReactNode;
  /** Buttons at the right; below the title on a phone. */
  readonly actions?: ReactNode;
}

let visited = false;

/**
 * The head of every page: names it in the tab, and takes the focus when somebody navigates here, so that a screen reader
 * says where one is and the keyboard goes on from the top.
 */
export function PageHeader({ title, description, actions }: PageHeaderProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · APIGate`;
  }, [title]);
  useEffect(() => {
    // The first page leaves the focus where browsers put it. A field with autofocus keeps it.
    const taken = document.activeElement instanceof HTMLInputElement;
    if (visited && !taken) heading.current?.focus({ preventScroll: true });
    visited = true;
  }, []);
  return (
    <Group justify="space-between" align="flex-start" mb="lg" gap="md">
      <Box flex="1 1 20rem">
        <Title order={1} ref={heading} tabIndex={-1}>
          {title}
        </Title>
        {description !== undefined && (
          <Text c="dimmed" mt={4} maw="70ch">
            {description}
          </Text>
        )}
      </Box>
      {actions !== undefined && <Group gap="xs">{actions}</Group>}
    </Group>
  );
}
