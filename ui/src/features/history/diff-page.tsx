import { Button, Group, NumberInput, Stack, Text } from '@mantine/core';
import { IconArrowBackUp, IconArrowsDiff, IconEqual } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type SyntheticEvent } from 'react';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import { problemOf } from '../../api/api-problem.ts';
import { readApi } from '../../api/call-api.ts';
import { listKey } from '../../api/query-client.ts';
import { CommandLine } from '../../components/command-line.tsx';
import { ConfigChanges } from '../../components/config-changes.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { RollbackDialog } from './rollback-dialog.tsx';
import { usePresentRevision } from './use-revision.ts';

/** How two revisions differ; both stand in the URL. */
export function DiffPage() {
  const { from, to } = useSearch({ from: '/shell/history/diff' });
  const present = usePresentRevision();
  if (present === undefined) return <PageSkeleton />;
  const left = from ?? Math.max(0, present - 1);
  const right = to ?? present;
  return <Diff key={`${left} ${right}`} from={left} to={right} present={present} />;
}

function Diff({ from, to, present }: { readonly from: number; readonly to: number; readonly present: number }) {
  const navigate = useNavigate();
  const [left, setLeft] = useState<number | string>(from);
  const [right, setRight] = useState<number | string>(to);
  const [isGoingBack, setGoingBack] = useState(false);
  const query = { from: String(from), to: String(to) };
  const { data, error, refetch } = useQuery({
    queryKey: listKey('history', { diff: query }),
    queryFn: ({ signal }) => readApi('/admin/history/diff', { query }, signal),
    placeholderData: keepPreviousData,
  });
  const compare = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (left !== '' && right !== '') void navigate({ to: '/history/diff', search: { from: Number(left), to: Number(right) } });
  };
  return (
    <>
      <PageHeader
        title="Compare revisions"
        description={`What has to change in revision ${from} to get revision ${to}${to === present ? ', the present one' : ''}.`}
        actions={
          <Button component={Link} to="/history" variant="default">
            All revisions
          </Button>
        }
      />
      <Stack>
        <form onSubmit={compare}>
          <Group align="flex-end" gap="xs">
            <NumberInput label="From" min={0} allowDecimal={false} w={110} value={left} onChange={setLeft} />
            <NumberInput label="To" min={0} allowDecimal={false} w={110} value={right} onChange={setRight} />
            <Button type="submit" variant="default" leftSection={<IconArrowsDiff size={16} aria-hidden />}>
              Compare
            </Button>
            {from !== present && (
              <Button variant="subtle" leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={() => setGoingBack(true)}>
                Go back to revision {from}…
              </Button>
            )}
          </Group>
        </form>
        {error !== null ? (
          <ErrorState problem={problemOf(error)} onRetry={() => void refetch()} />
        ) : data === undefined ? (
          <PageSkeleton />
        ) : data.changes.length === 0 ? (
          <EmptyState
            icon={IconEqual}
            title="They are the same"
            description={`Revisions ${from} and ${to} hold the same upstreams, routes and keys.`}
          />
        ) : (
          <ConfigChanges changes={data.changes} />
        )}
        <Text size="sm" c="dimmed">
          The same in a terminal:
        </Text>
        <CommandLine text={`apigate diff ${from} ${to}`} what="the command" />
      </Stack>
      {isGoingBack && <RollbackDialog to={from} onClose={() => setGoingBack(false)} />}
    </>
  );
}
