import { Button, Stack, Text } from '@mantine/core';
import { IconArrowBackUp, IconArrowsDiff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import type { Output } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { readApi } from '../../api/call-api.ts';
import { oneKey } from '../../api/query-client.ts';
import { CommandLine } from '../../components/command-line.tsx';
import { ConfigChanges } from '../../components/config-changes.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { Notice } from '../../components/notice.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { actorText } from './history-page.tsx';
import { RollbackDialog } from './rollback-dialog.tsx';
import { usePresentRevision } from './use-revision.ts';

/** One revision: what it changed, field by field. */
export function RevisionPage() {
  const { revision } = useParams({ from: '/shell/history/$revision' });
  const { data, error, refetch } = useQuery({
    queryKey: oneKey('history', revision),
    queryFn: ({ signal }) => readApi('/admin/history/:revision', { param: { revision } }, signal),
  });
  if (data !== undefined) return <OneRevision key={data.revision} detail={data} />;
  if (error === null) return <PageSkeleton />;
  return (
    <>
      <PageHeader title={`Revision ${revision}`} actions={<ToHistory />} />
      <ErrorState problem={problemOf(error)} onRetry={() => void refetch()} />
    </>
  );
}

function OneRevision({ detail }: { readonly detail: Output<'get', '/admin/history/:revision'> }) {
  const { revision, actor, at, remote_address: address, changes, rollback_to: back } = detail;
  const navigate = useNavigate();
  const present = usePresentRevision();
  const isPresent = present === undefined || revision >= present;
  const [goingBackTo, setGoingBackTo] = useState<number>();
  return (
    <>
      <PageHeader
        title={`Revision ${revision}`}
        description={
          <>
            {isPresent ? 'The present one. By ' : 'By '}
            {actorText(actor)}
            {address !== null && ` from ${address}`}
            {at !== null && (
              <>
                , <TimeAgo time={at} />
              </>
            )}
            .
          </>
        }
        actions={
          <>
            <ToHistory />
            {!isPresent && (
              <>
                <Button
                  onClick={() => void navigate({ to: '/history/diff', search: { from: revision } })}
                  variant="default"
                  leftSection={<IconArrowsDiff size={16} aria-hidden />}
                >
                  Compare with the present
                </Button>
                <Button leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={() => setGoingBackTo(revision)}>
                  Go back to it…
                </Button>
              </>
            )}
            {isPresent && revision > 0 && (
              <Button leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={() => setGoingBackTo(revision - 1)}>
                Undo…
              </Button>
            )}
          </>
        }
      />
      <Stack>
        {back !== null && (
          <Notice kind="success" title={`It went back to revision ${back}`}>
            Nothing is lost: {isPresent ? '“Undo” goes' : 'one can go'} back to revision {revision - 1}, the one before.
          </Notice>
        )}
        <ConfigChanges changes={changes} />
        <Text size="sm" c="dimmed">
          The same in a terminal:
        </Text>
        <CommandLine text={`apigate history ${revision}`} what="the command" />
      </Stack>
      {goingBackTo !== undefined && <RollbackDialog to={goingBackTo} onClose={() => setGoingBackTo(undefined)} />}
    </>
  );
}

function ToHistory() {
  return (
    <Button component={Link} to="/history" variant="default">
      All revisions
    </Button>
  );
}
