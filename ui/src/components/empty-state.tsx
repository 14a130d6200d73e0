import { Center, Group, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import type { Icon } from '@tabler/icons-react';
import type { ReactNode } from 'react';

export interface EmptyStateProps {
  readonly icon: Icon;
  readonly title: string;
  readonly description: ReactNode;
  /** What to do next. */
  readonly children?: ReactNode;
}

/** In the place of a list that has nothing, with what to do about it. */
export function EmptyState({ icon: Icon, title, description, children }: EmptyStateProps) {
  return (
    <Center className="surface" py={56} px="md">
      <Stack align="center" gap="sm" maw={460}>
        <ThemeIcon size={56} radius="xl" variant="light">
          <Icon size={28} stroke={1.6} aria-hidden />
        </ThemeIcon>
        <Title order={2} ta="center">
          {title}
        </Title>
        <Text c="dimmed" ta="center">
          {description}
        </Text>
        {children !== undefined && <Group mt="xs">{children}</Group>}
      </Stack>
    </Center>
  );
}
