import { Select, type SelectProps } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
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
  return (
    <Select
      searchable
      data={data}
      // Enter takes the first that fits.
      selectFirstOptionOnChange
      nothingFoundMessage="No such upstream"
      value={value}
      onChange={onChange}
      searchValue={typed}
      onSearchChange={setTyped}
      {...rest}
    />
  );
}
