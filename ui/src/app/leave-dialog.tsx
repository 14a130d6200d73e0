import { Button, Group, List, Stack, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { askBy, type Loss } from '../components/unsaved-input.ts';
import { Dialog } from '../components/dialog.tsx';

interface Asked {
  readonly losses: readonly Loss[];
  readonly answer: (leaves: boolean) => void;
}

/** Fields that are named one by one. */
const named = 8;

/** Says what would be lost by leaving a page, and asks. */
export function LeaveDialog() {
  const [asked, setAsked] = useState<Asked>();
  useEffect(() => {
    askBy(
      async (losses) =>
        await new Promise((answer) =>
          setAsked((before) => {
            // Of two ways out the later one counts.
            before?.answer(false);
            return { losses, answer };
          }),
        ),
    );
    return () => askBy(undefined);
  }, []);
  if (asked === undefined) return null;
  const answer = (leaves: boolean): void => {
    setAsked(undefined);
    asked.answer(leaves);
  };
  return (
    <Dialog onClose={() => answer(false)} title="Leave without saving?">
      <Stack>
        {asked.losses.map(({ what, fields }) => (
          <div key={what}>
            <Text size="sm">{what}: what is not saved is lost when you leave.</Text>
            <List size="sm" mt="xs">
              {fields.slice(0, named).map((field) => (
                <List.Item key={field}>{field}</List.Item>
              ))}
              {fields.length > named && <List.Item>and {fields.length - named} more</List.Item>}
            </List>
          </div>
        ))}
        <Group justify="flex-end">
          <Button variant="default" onClick={() => answer(false)} data-autofocus>
            Stay here
          </Button>
          <Button color="red.8" onClick={() => answer(true)}>
            Leave without saving
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
