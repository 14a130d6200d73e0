import { Group, Text } from '@mantine/core';

export function Logo() {
  return (
    <Group gap="xs" wrap="nowrap">
      <img src="/ui/favicon.svg" width={26} height={26} alt="" />
      <Text fw={700} size="lg">
        APIGate
      </Text>
    </Group>
  );
}
