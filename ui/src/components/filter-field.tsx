import { TextInput, type TextInputProps } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useEffect, useRef, useState } from 'react';

export interface FilterFieldProps extends Omit<TextInputProps, 'value' | 'onChange'> {
  readonly label: string;
  /** As it stands in the URL. */
  readonly value: string;
  /** Called a moment after the last key. */
  readonly onFilter: (text: string) => void;
}

/** One of several filters of a list, as text; what there is just one of is a `SearchField`. */
export function FilterField({ label, value, onFilter, ...rest }: FilterFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    // The URL changed by other means: back, a link, "Clear filters".
    if (document.activeElement !== input.current) setTyped(value);
  }, [value]);
  const filter = useDebouncedCallback((text: string) => onFilter(text.trim()), 300);
  return (
    <TextInput
      ref={input}
      aria-label={label}
      placeholder={label}
      autoComplete="off"
      spellCheck={false}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        filter(event.currentTarget.value);
      }}
      {...rest}
    />
  );
}
