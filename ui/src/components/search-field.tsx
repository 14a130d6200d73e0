import { CloseButton, Kbd, TextInput, type TextInputProps } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { usePageHotkey } from './use-page-hotkey.ts';

export interface SearchFieldProps extends Omit<TextInputProps, 'value' | 'onChange'> {
  readonly label: string;
  /** As it stands in the URL. */
  readonly value: string;
  /** Called a moment after the last key: puts it into the URL. */
  readonly onSearch: (text: string) => void;
}

/** Searches a list; `/` leads to it from anywhere on the page. */
export function SearchField({ label, value, onSearch, ...rest }: SearchFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    // The URL changed by other means: back, a link.
    if (document.activeElement !== input.current) setTyped(value);
  }, [value]);
  const search = useDebouncedCallback(onSearch, 200);
  const change = (text: string): void => {
    setTyped(text);
    search(text.trim());
  };
  usePageHotkey('/', () => input.current?.focus());
  return (
    <TextInput
      ref={input}
      type="search"
      maw={{ base: '100%', sm: 340 }}
      aria-label={label}
      aria-keyshortcuts="/"
      placeholder={label}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={
        typed === '' ? (
          <Kbd aria-hidden visibleFrom="sm">
            /
          </Kbd>
        ) : (
          <CloseButton size="sm" aria-label="Clear the search" onClick={() => change('')} />
        )
      }
      value={typed}
      onChange={(event) => change(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') change('');
      }}
      {...rest}
    />
  );
}
