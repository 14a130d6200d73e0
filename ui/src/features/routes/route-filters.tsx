import { Button, Group, Select } from '@mantine/core';
import { SearchField } from '../../components/search-field.tsx';
import { protocolNames, protocols, type RoutesSearch } from './routes-search.ts';
import { UpstreamSelect } from './upstream-select.tsx';

const states = [
  { value: 'enabled', label: 'Enabled' },
  { value: 'disabled', label: 'Disabled' },
  { value: 'warned', label: 'With warnings' },
];
const access = [
  { value: 'key', label: 'With an API key' },
  { value: 'open', label: 'Open to everybody' },
];

export interface RouteFiltersProps {
  readonly search: RoutesSearch;
  readonly onChange: (search: RoutesSearch) => void;
}

/** What is searched and filtered stands in the URL. */
export function RouteFilters({ search, onChange }: RouteFiltersProps) {
  const set = (field: keyof RoutesSearch, value: string | null): void => {
    const { [field]: _before, ...others } = search;
    onChange(value === null || value === '' ? others : { ...others, [field]: value });
  };
  return (
    <Group gap="xs" align="flex-end">
      <SearchField label="Search name, path and host" value={search.q ?? ''} onSearch={(q) => set('q', q)} flex="1 1 14rem" />
      <UpstreamSelect
        aria-label="Upstream"
        placeholder="Any upstream"
        clearable
        w={170}
        value={search.upstream ?? null}
        onChange={(value) => set('upstream', value)}
      />
      <Select
        aria-label="Protocol"
        placeholder="Any protocol"
        clearable
        w={160}
        data={protocols.map((value) => ({ value, label: protocolNames[value] }))}
        value={search.protocol ?? null}
        onChange={(value) => set('protocol', value)}
      />
      <Select
        aria-label="Access"
        placeholder="Any access"
        clearable
        w={160}
        data={access}
        value={search.access ?? null}
        onChange={(value) => set('access', value)}
      />
      <Select
        aria-label="State"
        placeholder="Any state"
        clearable
        w={150}
        data={states}
        value={search.state ?? null}
        onChange={(value) => set('state', value)}
      />
      {Object.keys(search).length > 0 && (
        <Button variant="subtle" onClick={() => onChange({})}>
          Clear filters
        </Button>
      )}
    </Group>
  );
}
