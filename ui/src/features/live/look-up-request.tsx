import { ActionIcon, TextInput } from '@mantine/core';
import { IconArrowRight, IconFileSearch } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState, type SyntheticEvent } from 'react';

/** For a request id that somebody sent along: of an error's body, of `X-Request-Id`, of the log. */
export function LookUpRequest() {
  const navigate = useNavigate();
  const [id, setId] = useState('');
  const look = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (id.trim() !== '') void navigate({ to: `/live/${encodeURIComponent(id.trim())}` });
  };
  return (
    <form onSubmit={look}>
      <TextInput
        aria-label="Look up a request id"
        placeholder="Look up a request id"
        w={{ base: '100%', sm: 300 }}
        spellCheck={false}
        autoComplete="off"
        leftSection={<IconFileSearch size={16} aria-hidden />}
        rightSection={
          <ActionIcon type="submit" variant="subtle" aria-label="Look up" disabled={id.trim() === ''}>
            <IconArrowRight size={16} aria-hidden />
          </ActionIcon>
        }
        value={id}
        onChange={(event) => setId(event.currentTarget.value)}
      />
    </form>
  );
}
