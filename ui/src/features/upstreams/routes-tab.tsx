import { Anchor, Badge, Box, Button, Stack, Text } from '@mantine/core';
import { IconArrowsSplit2 } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { Route, Upstream } from '../../api/admin-schema.ts';
import { CommandLine } from '../../components/command-line.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ResourceTable, type Column } from '../../components/resource-table.tsx';
import { shellQuote } from '../../components/shell-quote.ts';

const columns: readonly Column<Route>[] = [
  {
    header: 'Name',
    cell: (route) => (
      <Anchor component={Link} to={`/routes/${route.id}`} fw={600} fz="sm" c="var(--mantine-color-text)">
        {route.name}
      </Anchor>
    ),
  },
  {
    header: 'Takes',
    cell: ({ methods, host_pattern: host, path_pattern: path }) => (
      <Text size="sm" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
        {methods.length === 0 ? '' : `${methods.join(', ')} `}
        {host}
        {path}
      </Text>
    ),
  },
  { header: 'Protocol', cell: ({ protocol }) => protocol },
  { header: 'Clients', cell: ({ auth_required }) => (auth_required ? 'with an API key' : 'anybody') },
  { header: 'Priority', cell: ({ priority }) => priority },
  {
    header: 'Enabled',
    cell: ({ enabled }) => (
      <Badge variant="dot" color={enabled ? 'green' : 'gray'} tt="none" fw={500}>
        {enabled ? 'Enabled' : 'Disabled'}
      </Badge>
    ),
  },
];

/** A page of the routes' own. */
const newRoute: string = '/routes/new';

/** What leads to an upstream. */
export function RoutesTab({ upstream, routes }: { readonly upstream: Upstream; readonly routes: readonly Route[] | undefined }) {
  const add = (
    <Button component={Link} to={newRoute} search={{ upstream: upstream.id } as never} size="xs" variant="default">
      Add a route
    </Button>
  );
  if (routes?.length === 0) {
    const name = shellQuote(upstream.name);
    return (
      <EmptyState icon={IconArrowsSplit2} title="No route leads here" description="Until one does, no request reaches this upstream.">
        {add}
        <CommandLine
          text={`apigate routes create --name ${name} --path /${encodeURIComponent(upstream.name)} --upstream ${name}`}
          what="the command"
        />
      </EmptyState>
    );
  }
  return (
    <Stack align="flex-end" gap="sm">
      {add}
      <Box w="100%">
        <ResourceTable label={`Routes to ${upstream.name}`} columns={columns} rows={routes} rowKey={({ id }) => id} />
      </Box>
    </Stack>
  );
}
