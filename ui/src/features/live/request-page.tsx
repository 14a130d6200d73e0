import { Anchor, Box, Button, Code, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconArrowLeft, IconFileUnknown } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import { problemOf } from '../../api/api-problem.ts';
import { readApi } from '../../api/call-api.ts';
import { oneKey } from '../../api/query-client.ts';
import { CommandLine } from '../../components/command-line.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { bytesText, clockText, tookText } from '../../components/figures.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { Notice } from '../../components/notice.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { causeOf, RequestStatus } from '../../components/request-table.tsx';
import { sentenceOf } from '../../components/sentence-of.ts';
import { TimeAgo } from '../../components/time-ago.tsx';
import { LookUpRequest } from './look-up-request.tsx';
import { PhaseTimeline } from './phase-timeline.tsx';
import type { FinishedRequest } from './request-tail.ts';

/** One request: what happened to it, phase by phase. */
export function RequestPage() {
  const { id } = useParams({ from: '/shell/live/$id' });
  const { data, error, refetch } = useQuery({
    queryKey: oneKey('requests', id),
    queryFn: ({ signal }) => readApi('/admin/requests/:id', { param: { id } }, signal),
    staleTime: Infinity,
  });
  if (data !== undefined) return <OneRequest request={data} />;
  if (error === null) return <PageSkeleton />;
  const problem = problemOf(error);
  if (problem.status !== 404) return <ErrorState problem={problem} onRetry={() => void refetch()} />;
  return (
    <>
      <PageHeader title="No such request" description={<Code>{id}</Code>} actions={<LookUpRequest />} />
      <EmptyState
        icon={IconFileUnknown}
        title="The gateway does not remember it"
        description="It keeps the last 5,000 requests, and the last 500 failed and refused ones beyond, since its start. One that is still under way is not there yet. Older ones stand in the log, under the same id."
      >
        <Button variant="default" onClick={() => void refetch()}>
          Look again
        </Button>
      </EmptyState>
    </>
  );
}

function OneRequest({ request }: { readonly request: FinishedRequest }) {
  const { history } = useRouter();
  const { id, method, host, path, time, duration_ms: duration } = request;
  return (
    <>
      <PageHeader
        title={`${method} ${path.length > 60 ? `${path.slice(0, 59)}…` : path}`}
        description={
          <>
            <RequestStatus request={request} /> · {tookText(duration)} · <TimeAgo time={time} />
          </>
        }
        actions={
          <>
            <Button
              variant="default"
              leftSection={<IconArrowLeft size={16} aria-hidden />}
              component={Link}
              to="/live"
              onClick={(event) => goBack(event, history)}
            >
              Live
            </Button>
            <CopyButton text={location.href} what="a link to this request" label="Copy link" size="sm" />
          </>
        }
      />
      <Stack gap="lg">
        <WhatWentWrong request={request} />
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
          <Box component="section" className="surface" p={{ base: 'md', sm: 'lg' }} aria-labelledby="phases">
            <Title order={2} id="phases" mb="md">
              Phases
            </Title>
            <PhaseTimeline request={request} />
          </Box>
          <Box component="section" className="surface" p={{ base: 'md', sm: 'lg' }} aria-labelledby="facts">
            <Title order={2} id="facts" mb="md">
              Facts
            </Title>
            <Facts request={request} />
          </Box>
        </SimpleGrid>
        <Box>
          <Text size="sm" c="dimmed" mb={6}>
            The same in a terminal:
          </Text>
          <CommandLine text={`apigate requests show ${id}`} what="the command" />
        </Box>
        <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {host}
          {path}
        </Text>
      </Stack>
    </>
  );
}

/** Back keeps the filters of the list; a link that came by mail has nothing to go back to. */
function goBack(event: React.MouseEvent, history: { canGoBack: () => boolean; back: () => void }): void {
  if (!history.canGoBack() || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  history.back();
}

const faults = {
  client: 'The client has to change something.',
  operator: 'Whoever runs this gateway has to change something.',
  upstream: 'Whoever runs the upstream has to act.',
  gateway: 'This is a fault of the gateway itself.',
} as const;

function WhatWentWrong({ request }: { readonly request: FinishedRequest }) {
  const { code, fault, hint, failed } = request;
  const cause = causeOf(request);
  if (cause === '') return null;
  return (
    <Notice kind={failed ? 'danger' : 'warning'} title={cause}>
      <Stack gap={4}>
        {fault !== null && <Text size="sm">{faults[fault]}</Text>}
        {hint !== null && <Text size="sm">{sentenceOf(hint)}</Text>}
        {code !== null && (
          <Text size="xs" c="dimmed">
            Error <Code>{code}</Code>
          </Text>
        )}
      </Stack>
    </Notice>
  );
}

function Facts({ request }: { readonly request: FinishedRequest }) {
  const { id, time, host, status, route, route_id, upstream, upstream_id, key, key_id, client_address, attempts, bytes_in, bytes_out } =
    request;
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['Request id', <Code key="id">{id}</Code>],
    ['Began', `${new Date(time).toLocaleDateString()} ${clockText(time)}`],
    ['Host', host],
    ['Status', status ?? 'none: it ended without a response'],
    ['Route', named(route, route_id, 'routes', 'none took it')],
    ['Upstream', named(upstream, upstream_id, 'upstreams', 'it came to none')],
    ['API key', named(key, key_id, 'keys', 'none was used')],
    ['Client', client_address],
    ['Connections tried', attempts],
    ['Body of the request', bytesText(bytes_in)],
    ['Body of the response', bytesText(bytes_out)],
  ];
  return (
    <Box component="dl" m={0} style={{ display: 'grid', gridTemplateColumns: 'max-content minmax(0, 1fr)', gap: '0.375rem 1rem' }}>
      {facts.map(([name, value]) => (
        <Fact key={name} name={name}>
          {value}
        </Fact>
      ))}
    </Box>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <>
      <Text component="dt" size="sm" c="dimmed">
        {name}
      </Text>
      <Text component="dd" size="sm" m={0} style={{ overflowWrap: 'anywhere' }}>
        {children}
      </Text>
    </>
  );
}

function named(name: string | null, id: string | null, section: 'routes' | 'upstreams' | 'keys', none: string): ReactNode {
  if (id === null) return <span style={{ color: 'var(--mantine-color-dimmed)' }}>{none}</span>;
  if (name === null) return `${id}, which is gone`;
  return (
    <Anchor component={Link} to={`/${section}/${id}`} size="sm">
      {name}
    </Anchor>
  );
}
