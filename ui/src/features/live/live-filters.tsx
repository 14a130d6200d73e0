import { Button, Group, Select, Switch } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { readApi } from '../../api/call-api.ts';
import { listKey } from '../../api/query-client.ts';
import { FilterField } from '../../components/filter-field.tsx';
import type { LiveSearch } from './live-search.ts';

const statuses = [
  { value: '2xx', label: '2xx done' },
  { value: '3xx', label: '3xx redirected' },
  { value: '4xx', label: '4xx refused' },
  { value: '5xx', label: '5xx failed' },
  { value: 'none', label: 'No response' },
];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const all = { limit: '500' };

export interface LiveFiltersProps {
  readonly search: LiveSearch;
  readonly onChange: (changes: { readonly [Name in keyof LiveSearch]?: LiveSearch[Name] | undefined }) => void;
  readonly onClear: () => void;
}

/** What the tail shows; each change goes into the URL. */
export function LiveFilters({ search, onChange, onClear }: LiveFiltersProps) {
  const { data: routes = [] } = useQuery({
    queryKey: listKey('routes', all),
    queryFn: ({ signal }) => readApi('/admin/routes', { query: all }, signal),
    select: ({ data }) => data.map(({ name }) => name),
  });
  const { data: upstreams = [] } = useQuery({
    queryKey: listKey('upstreams', all),
    queryFn: ({ signal }) => readApi('/admin/upstreams', { query: all }, signal),
    select: ({ data }) => data.map(({ name }) => name),
  });
  const choice = (name: 'status' | 'method' | 'route' | 'upstream', label: string, data: Choices) => (
    <Select
      aria-label={label}
      placeholder={label}
      size="sm"
      w={{ base: 'calc(50% - 0.3125rem)', sm: 148 }}
      clearable
      searchable={name === 'route' || name === 'upstream'}
      nothingFoundMessage={`No such ${name}`}
      data={withChosen(data, textOf(search[name]))}
      value={textOf(search[name]) ?? null}
      onChange={(value) => onChange({ [name]: value ?? undefined })}
    />
  );
  return (
    <Group gap="xs" role="search" aria-label="Filter requests">
      {choice('status', 'Any status', statuses)}
      {choice('method', 'Any method', methods)}
      {choice('route', 'Any route', routes)}
      {choice('upstream', 'Any upstream', upstreams)}
      <FilterField
        label="Path begins with /"
        w={{ base: '100%', sm: 190 }}
        value={search.path ?? ''}
        onFilter={(path) => onChange({ path: path === '' || path.startsWith('/') ? path : `/${path}` })}
      />
      <Switch
        label="Failures only"
        checked={search.failed === true}
        onChange={(event) => onChange({ failed: event.currentTarget.checked ? true : undefined })}
      />
      {Object.keys(search).length > 0 && (
        <Button variant="subtle" size="compact-sm" onClick={onClear}>
          Clear filters
        </Button>
      )}
    </Group>
  );
}

function textOf(value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

type Choices = readonly (string | { readonly value: string; readonly label: string })[];

/** What the URL asks for may be none of the choices: `?status=404`, a route that is gone, an id. */
function withChosen(data: Choices, chosen: string | undefined): (string | { value: string; label: string })[] {
  const has = data.some((choice) => (typeof choice === 'string' ? choice : choice.value) === chosen);
  return [...data, ...(chosen === undefined || has ? [] : [chosen])];
}
