import { Anchor, Button, Code, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconListSearch } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { Item } from '../../api/admin-schema.ts';
import { CommandLine } from '../../components/command-line.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { FilterField } from '../../components/filter-field.tsx';
import { ListSection } from '../../components/list-section.tsx';
import { ResourceTable, type Column } from '../../components/resource-table.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { usePages } from '../../components/use-pages.ts';
import type { AuditSearch } from './audit-search.ts';

type AuditRecord = Item<'/admin/audit'>;

/** Who did what, when and from where; kept for 400 days. */
export function AuditList() {
  const search = useSearch({ from: '/shell/access/audit' });
  const navigate = useNavigate();
  const records = usePages('audit', '/admin/audit', { ...search }, 50);
  const change = (changes: Partial<Record<keyof AuditSearch, string | undefined>>): void => {
    const next = Object.fromEntries(Object.entries({ ...search, ...changes }).filter(([, value]) => value !== undefined && value !== ''));
    void navigate({ to: '/access/audit', search: next, replace: true });
  };
  const clear = (): void => void navigate({ to: '/access/audit', search: {}, replace: true });
  const isFiltered = Object.keys(search).length > 0;
  return (
    <Stack>
      <ListSection
        list={records}
        nouns={['entry', 'entries']}
        head={
          <Group gap="xs" role="search" aria-label="Filter the audit log">
            <Select
              aria-label="What was done"
              placeholder="Anything done"
              clearable
              w={{ base: '100%', xs: 200 }}
              data={kinds}
              value={search.action ?? null}
              onChange={(action) => change({ action: action ?? undefined })}
            />
            <FilterField
              w={{ base: 'calc(50% - 0.3125rem)', xs: 170 }}
              label="By whom"
              value={search.actor ?? ''}
              onFilter={(actor) => change({ actor })}
            />
            <FilterField
              w={{ base: 'calc(50% - 0.3125rem)', xs: 170 }}
              label="To what"
              value={search.resource ?? ''}
              onFilter={(resource) => change({ resource })}
            />
            <DateField label="From" value={search.since} onChange={(since) => change({ since })} />
            <DateField label="Before" value={search.until} onChange={(until) => change({ until })} />
            {isFiltered && (
              <Button variant="subtle" size="compact-sm" onClick={clear}>
                Clear filters
              </Button>
            )}
          </Group>
        }
        empty={
          <EmptyState
            icon={IconListSearch}
            title="No entry matches"
            description="“By whom” is an e-mail address, a token's name or a kind such as cli; “to what” a name or a kind such as upstream, and both are matched whole."
          >
            <Button variant="default" onClick={clear}>
              Show the whole log
            </Button>
          </EmptyState>
        }
      >
        {(rows) => <ResourceTable label="Audit log" columns={columns} rows={rows} rowKey={({ id }) => String(id)} />}
      </ListSection>
      <Text size="sm" c="dimmed" mt="sm">
        The same in a terminal:
      </Text>
      <CommandLine text={auditCommand(search)} what="the command" />
    </Stack>
  );
}

const kinds = [
  { value: 'upstream', label: 'Upstreams' },
  { value: 'route', label: 'Routes' },
  { value: 'key', label: 'API keys' },
  { value: 'session', label: 'Sign-ins and sessions' },
  { value: 'session.sign_in_failed', label: 'Failed sign-ins' },
  { value: 'session.sign_in_throttled', label: 'Throttled sign-ins' },
  { value: 'admin', label: 'Admins' },
  { value: 'token', label: 'API tokens' },
  { value: 'set_up', label: 'Set-up' },
];

const columns: readonly Column<AuditRecord>[] = [
  {
    header: 'What',
    cell: ({ action, resource_name: name, resource_type: type, revision, detail }) => (
      <div>
        <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
          {actionText(action)} {name === '' ? '' : name}
        </Text>
        <Text size="xs" c="dimmed">
          {type} ·{' '}
          <Code bg="transparent" p={0} c="dimmed">
            {action}
          </Code>
          {revision !== null && (
            <>
              {' · '}
              <Anchor component={Link} to={`/history/${revision}`} size="xs" underline="always">
                revision {revision}
              </Anchor>
            </>
          )}
        </Text>
        <Detail detail={detail} />
      </div>
    ),
  },
  {
    header: 'Who',
    cell: ({ actor_label: label, actor_kind: kind }) => (label === '' ? kind : kind === 'admin' ? label : `${label} (${kind})`),
  },
  { header: 'From', cell: ({ remote_address: address }) => address ?? 'this machine' },
  { header: 'When', cell: ({ at }) => <TimeAgo time={at} /> },
];

/** What the log says of a change beyond its name; on demand, for it can be long. */
function Detail({ detail }: { readonly detail: Readonly<Record<string, unknown>> }) {
  const text = JSON.stringify(detail, null, 2);
  if (text === '{}') return null;
  return (
    <details>
      <Text component="summary" size="xs" c="dimmed" style={{ cursor: 'pointer' }}>
        Details
      </Text>
      <Code block fz="xs" mt={4} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {text}
      </Code>
    </details>
  );
}

const verbs: Readonly<Record<string, string>> = {
  create: 'Created',
  update: 'Changed',
  delete: 'Deleted',
  revoke: 'Revoked',
  sign_in: 'Signed in:',
  sign_in_failed: 'Failed to sign in:',
  sign_in_throttled: 'Throttled sign-ins:',
  password_throttled: 'Throttled tries of the password of',
  sign_out: 'Signed out:',
  end: 'Ended the session of',
};

function actionText(action: string): string {
  const act = action.slice(action.indexOf('.') + 1);
  return verbs[act] ?? act.replaceAll('_', ' ').replace(/^./, (letter) => letter.toUpperCase());
}

function DateField({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (date: string | undefined) => void;
}) {
  return (
    <TextInput
      type="date"
      aria-label={`${label} (date, UTC)`}
      leftSection={
        <Text size="xs" c="dimmed">
          {label}
        </Text>
      }
      leftSectionWidth={52}
      w={{ base: 'calc(50% - 0.3125rem)', xs: 190 }}
      value={value ?? ''}
      onChange={(event) => onChange(event.currentTarget.value === '' ? undefined : event.currentTarget.value)}
    />
  );
}

function auditCommand(search: AuditSearch): string {
  const flags = Object.entries(search).map(
    ([name, value]) => `--${name} ${/^[\w.@-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`}`,
  );
  return ['apigate audit list', ...flags].join(' ');
}
