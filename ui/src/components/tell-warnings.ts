import { notifications } from '@mantine/notifications';

/** What the gateway says about what it has saved all the same. */
export function tellWarnings(name: string, warnings: readonly string[]): void {
  for (const message of warnings) notifications.show({ color: 'orange', title: name, message, autoClose: 8_000 });
}
