import { Button, Code, Group, Stack, Switch, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconSettingsSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Item } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { settingsQuery } from '../../api/settings-query.ts';
import { CommandLine } from '../../components/command-line.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { ResourceTable, type Column } from '../../components/resource-table.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { useListSearch } from '../../components/use-list-search.ts';
import { SettingCards } from './setting-cards.tsx';

type Setting = Item<'/admin/settings'>;

/** Every setting with its value and where that came from. Read-only: they belong to whoever starts the process. */
export function SettingsList() {
  const { q, setQ } = useListSearch();
  const [onlySet, setOnlySet] = useState(false);
  const { data, error, refetch } = useQuery({ ...settingsQuery, staleTime: 2_000 });
  const isPhone = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false });
  const words = q.toLowerCase();
  const rows = data?.data.filter(
    ({ key, help, environment, flag, origin }) =>
      (!onlySet || origin !== 'default') && [key, help, environment, flag ?? ''].some((text) => text.toLowerCase().includes(words)),
  );
  return (
    <Stack>
      <Group gap="md">
        <SearchField label="Search settings" value={q} onSearch={setQ} flex="1 1 12rem" />
        <Switch label="Only those that were set" checked={onlySet} onChange={(event) => setOnlySet(event.currentTarget.checked)} />
      </Group>
      {error !== null && data === undefined ? (
        <ErrorState problem={problemOf(error)} onRetry={() => void refetch()} />
      ) : rows?.length === 0 ? (
        <EmptyState
          icon={IconSettingsSearch}
          title="No setting matches"
          description={onlySet ? 'All of these have their defaults.' : `None has “${q}” in its name or purpose.`}
        >
          <Button
            variant="default"
            onClick={() => {
              setQ('');
              setOnlySet(false);
            }}
          >
            Show all settings
          </Button>
        </EmptyState>
      ) : isPhone && rows !== undefined ? (
        <SettingCards settings={rows} valueOf={(setting) => <Value {...setting} />} />
      ) : (
        <ResourceTable label="Settings" columns={columns} rows={rows} rowKey={({ key }) => key} />
      )}
      <Text size="sm" c="dimmed">
        By the flag of <Code>apigate serve</Code>, by the environment variable, or under the setting's own name in <Code>apigate.yaml</Code>
        ; the first of these wins. A variable with <Code>_FILE</Code> after its name takes the value from a file. Where the gateway runs,
        this shows the same, and <Code>apigate doctor</Code> checks it:
      </Text>
      <CommandLine text="apigate settings show" what="the command" />
    </Stack>
  );
}

const columns: readonly Column<Setting>[] = [
  {
    header: 'Setting',
    cell: ({ key, help }) => (
      <div>
        <Text size="sm" fw={600} ff="monospace" fz="0.8125rem">
          {key}
        </Text>
        <Text size="xs" c="dimmed">
          {help}
        </Text>
      </div>
    ),
  },
  {
    header: 'Value',
    cell: (setting) => <Value {...setting} />,
  },
  {
    header: 'From',
    cell: ({ origin }) => (
      <Text size="sm" c={origin === 'default' ? 'dimmed' : 'var(--mantine-color-text)'} style={{ overflowWrap: 'break-word' }}>
        {origin}
      </Text>
    ),
  },
  {
    header: 'How to change it',
    cell: ({ flag, environment, default: fallback }) => (
      <div>
        <Text size="xs" ff="monospace">
          {flag}
        </Text>
        <Text size="xs" ff="monospace" style={{ overflowWrap: 'break-word' }}>
          {environment}
        </Text>
        <Text size="xs" c="dimmed">
          default: {fallback}
        </Text>
      </div>
    ),
  },
];

function Value({ value, secret }: Pick<Setting, 'value' | 'secret'>) {
  return (
    <Text
      size="sm"
      ff="monospace"
      fz="0.8125rem"
      style={{ overflowWrap: 'anywhere' }}
      c={value === null ? 'dimmed' : 'var(--mantine-color-text)'}
    >
      {valueText(value)}
      {secret && value !== null && (
        <Text span size="xs" c="dimmed" ff="var(--mantine-font-family)">
          {' '}
          (secret, never shown)
        </Text>
      )}
    </Text>
  );
}

function valueText(value: Setting['value']): string {
  if (value === null) return 'unset';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  return String(value);
}
