import { Select, type SelectProps } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState, type KeyboardEvent } from 'react';
import { useUpstream, useUpstreamChoices } from './route-queries.ts';

export interface UpstreamSelectProps extends Omit<SelectProps, 'data' | 'value' | 'onChange'> {
  /** Id of an upstream. */
  readonly value: string | null;
  readonly onChange: (id: string | null) => void;
}

/** Chooses one of any number of upstreams by name: the gateway searches. */
export function UpstreamSelect({ value, onChange, ...rest }: UpstreamSelectProps) {
  const [typed, setTyped] = useState('');
  const { data: chosen } = useUpstream(value ?? undefined);
  // What is shown of the choice is no search.
  const [q] = useDebouncedValue(typed === chosen?.name ? '' : typed, 150);
  const { data: found } = useUpstreamChoices(q);
  const data = (found?.data ?? []).map(({ id, name }) => ({ value: id as string, label: name }));
  if (value !== null && !data.some((choice) => choice.value === value)) data.push({ value, label: chosen?.name ?? value });
  const [isOpen, setOpen] = useState(false);
  const choose = (id: string | null): void => {
    onChange(id);
    setOpen(false);
  };
  // What was found came after the last key: Enter takes the first of it, and never sends a form off with half a name.
  const takeFirst = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key !== 'Enter' || typed === '' || typed === chosen?.name) return;
    if (event.currentTarget.getAttribute('aria-activedescendant') !== null) return;
    event.preventDefault();
    const first = data.find(({ label }) => label.toLowerCase().includes(typed.toLowerCase()));
    if (first === undefined) return;
    choose(first.value);
    setTyped(first.label);
  };
  return (
    <Select
      searchable
      data={data}
      dropdownOpened={isOpen}
      onDropdownOpen={() => setOpen(true)}
      onDropdownClose={() => setOpen(false)}
      onKeyDown={takeFirst}
      nothingFoundMessage="No such upstream"
      value={value}
      onChange={choose}
      searchValue={typed}
      onSearchChange={setTyped}
      {...rest}
    />
  );
}
