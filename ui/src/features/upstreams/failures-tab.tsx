import { Anchor, Code, Text } from '@mantine/core';
import { IconMoodSmile } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { FinishedRequest, Upstream } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { readApi } from '../../api/call-api.ts';
import { listKey } from '../../api/query-client.ts';
import { useLive } from '../../api/use-live.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { tookText } from '../../components/figures.ts';
import { causeOf } from '../../components/request-table.tsx';
import { ResourceTable, type Column } from '../../components/resource-table.tsx';
import { sentenceOf } from '../../components/sentence-of.ts';
import { TimeAgo } from '../../components/time-ago.tsx';

/** How many are shown. */
const limit = '50';

const columns: readonly Column<FinishedRequest>[] = [
  {
    header: 'Request',
    cell: ({ id, method, path }) => (
      <div>
        <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
          {method} {path}
        </Text>
        <Anchor component={Link} to={`/live/${id}`} size="xs" title="Open the exchange in Live">
          <Code fz="xs" bg="transparent" p={0} c="inherit">
            {id}
          </Code>
        </Anchor>
      </div>
    ),
  },
  { header: 'When', cell: ({ time }) => <TimeAgo time={time} /> },
  { header: 'Status', cell: ({ status }) => status ?? 'none' },
  {
    header: 'Cause',
    isProse: true,
    cell: (request) => (
      <div>
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {causeOf(request)}
        </Text>
        {request.hint !== null && (
          <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {sentenceOf(request.hint)}
          </Text>
        )}
        {request.code !== null && (
          <Code fz="xs" bg="transparent" p={0} c="dimmed">
            {request.code}
          </Code>
        )}
      </div>
    ),
  },
  { header: 'Took', isWhole: true, cell: ({ duration_ms: ms }) => tookText(ms) },
];

/** The last requests to an upstream that failed, newest first. */
export function FailuresTab({ upstream }: { readonly upstream: Upstream }) {
  const { refetchInterval } = useLive();
  const failures = useQuery({
    queryKey: listKey('requests', { upstream: upstream.id, failed: true }),
    queryFn: ({ signal }) => readApi('/admin/requests', { query: { upstream: upstream.id, failed: 'true', limit } }, signal),
    refetchInterval,
  });
  if (failures.isError && failures.data === undefined)
    return <ErrorState problem={problemOf(failures.error)} onRetry={() => void failures.refetch()} />;
  if (failures.data?.data.length === 0) {
    return (
      <EmptyState
        icon={IconMoodSmile}
        title="No failures"
        description="No request of late failed at this upstream. Kept in memory since the gateway started: the last 5,000 requests and the last 500 that failed."
      />
    );
  }
  return (
    <ResourceTable label={`Recent failures of ${upstream.name}`} columns={columns} rows={failures.data?.data} rowKey={({ id }) => id} />
  );
}
