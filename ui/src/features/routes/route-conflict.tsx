import { Button, Code, Group, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconGitMerge } from '@tabler/icons-react';
import type { Route } from '../../api/admin-schema.ts';
import { callApi, type Answer } from '../../api/call-api.ts';
import { Notice } from '../../components/notice.tsx';
import { fieldsOfRoute, valuesOfRoute, type RouteValues } from './route-values.ts';

export interface RouteConflictProps {
  /** As the form was opened with. */
  readonly before: Route;
  readonly own: RouteValues;
  readonly onOverwrite: (newer: Answer<Route>) => void;
  readonly onReload: () => void;
}

/** After 412: what the other one changed and what one changed oneself, field by field, before anything is saved. */
export function RouteConflict({ before, own, onOverwrite, onReload }: RouteConflictProps) {
  const { data: newer } = useQuery({
    queryKey: ['routes', 'conflict', before.id],
    queryFn: ({ signal }) => callApi('get', '/admin/routes/:id', { param: { id: before.id } }, { signal }),
    gcTime: 0,
  });
  const [was, mine] = [fieldsOfRoute(valuesOfRoute(before)), fieldsOfRoute(own)];
  const theirs = newer === undefined ? was : fieldsOfRoute(valuesOfRoute(newer.value));
  const rows = (Object.keys(was) as (keyof typeof was)[])
    .map((field) => ({ field, was: text(was[field]), mine: text(mine[field]), theirs: text(theirs[field]) }))
    .filter((row) => row.mine !== row.was || row.theirs !== row.was);
  return (
    <Notice kind="warning" icon={IconGitMerge} title="This route was changed meanwhile">
      <Text size="sm">Somebody else saved a change after you opened this form. What you typed is still here; nothing was saved.</Text>
      {newer !== undefined && (
        <Table mt="xs" aria-label="Both versions">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Field</Table.Th>
              <Table.Th>Stored now</Table.Th>
              <Table.Th>Yours</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <Table.Tr key={row.field}>
                <Table.Td>{row.field}</Table.Td>
                <Table.Td>{row.theirs === row.was ? <Text size="sm">unchanged</Text> : <Cut text={row.theirs} />}</Table.Td>
                <Table.Td>{row.mine === row.was ? <Text size="sm">unchanged</Text> : <Cut text={row.mine} />}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <Group mt="sm" gap="xs">
        <Button size="xs" disabled={newer === undefined} onClick={() => newer !== undefined && onOverwrite(newer)}>
          Save my changes on top
        </Button>
        <Button size="xs" variant="default" onClick={onReload}>
          Show the new state
        </Button>
      </Group>
    </Notice>
  );
}

function Cut({ text: whole }: { readonly text: string }) {
  return (
    <Code style={{ overflowWrap: 'anywhere' }} title={whole}>
      {whole.length > 200 ? `${whole.slice(0, 200)}…` : whole}
    </Code>
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
