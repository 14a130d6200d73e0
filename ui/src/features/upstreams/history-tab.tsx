import { Badge, Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Revision, RevisionDetail, Upstream } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { callApi, readApi, type Answer, type CallOptions } from '../../api/call-api.ts';
import { invalidate, listKey } from '../../api/query-client.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { FieldChanges, type FieldChange } from '../../components/field-changes.tsx';
import { tellChange } from '../../components/tell-change.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import type { UpstreamFields } from './upstream-values.ts';

/** Who changed what of an upstream, newest first. */
export function HistoryTab({ stored }: { readonly stored: Answer<Upstream> }) {
  const { value: upstream } = stored;
  const history = useInfiniteQuery({
    queryKey: listKey('history', { resource: upstream.id }),
    queryFn: ({ pageParam, signal }) =>
      readApi('/admin/history', { query: { resource: upstream.id, cursor: pageParam, limit: '20' } }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
  const revisions = history.data?.pages.flatMap(({ data }) => data);
  if (history.isError && revisions === undefined)
    return <ErrorState problem={problemOf(history.error)} onRetry={() => void history.refetch()} />;
  if (revisions === undefined) return <Skeleton height={220} />;
  if (revisions.length === 0) {
    return <EmptyState icon={IconHistory} title="No changes kept" description="Its changes are older than the history that is kept." />;
  }
  return (
    <Stack>
      {revisions.map((revision) => (
        <Entry key={revision.revision} revision={revision} stored={stored} />
      ))}
      {history.hasNextPage && (
        <Group justify="center">
          <Button variant="default" loading={history.isFetchingNextPage} onClick={() => void history.fetchNextPage()}>
            Show more
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function Entry({ revision: head, stored }: { readonly revision: Revision; readonly stored: Answer<Upstream> }) {
  const { value: upstream } = stored;
  const [reverting, setReverting] = useState<readonly FieldChange[]>();
  const detail = useQuery({
    queryKey: ['history', 'one', head.revision],
    queryFn: ({ signal }) => readApi('/admin/history/:revision', { param: { revision: String(head.revision) } }, signal),
    staleTime: Infinity,
  });
  const change = detail.data === undefined ? undefined : changeOf(detail.data, head, upstream);
  const changes = Object.entries(change?.fields ?? {}).map(([field, { from, to }]): FieldChange => ({ field, from, to }));
  const others = head.counts.create + head.counts.update + head.counts.delete - 1;
  const canRevert = change?.action === 'update' && changes.length > 0 && !upstream.managed;
  return (
    <section className="surface" aria-label={`Revision ${head.revision}`}>
      <Group justify="space-between" px="md" py="sm" gap="xs">
        <Group gap="xs">
          <Badge variant="default" tt="none">
            rev {head.revision}
          </Badge>
          <Text size="sm">
            {change === undefined ? 'changed' : { create: 'made', update: 'changed', delete: 'deleted' }[change.action]} by{' '}
            <b>{head.actor?.label || head.actor?.kind || 'somebody'}</b>
            {head.at !== null && (
              <>
                {' '}
                <TimeAgo time={head.at} />
              </>
            )}
            {head.rollback_to !== null && `, going back to revision ${head.rollback_to}`}
            {others > 0 && `, with ${others} other ${others === 1 ? 'object' : 'objects'}`}
          </Text>
        </Group>
        {canRevert && (
          <Button size="xs" variant="default" onClick={() => setReverting(changes)}>
            Revert…
          </Button>
        )}
      </Group>
      <div style={{ padding: '0 1rem 0.75rem' }}>
        {detail.isPending ? (
          <Skeleton height={32} />
        ) : detail.isError ? (
          <Text size="sm" c="dimmed">
            {problemOf(detail.error).message}
          </Text>
        ) : changes.length > 0 ? (
          <FieldChanges label={`Changes of revision ${head.revision}`} changes={changes} isNew={change?.action === 'create'} />
        ) : (
          <Text size="sm" c="dimmed">
            {change?.action === 'create' ? 'With the defaults.' : 'What was before is not kept.'}
          </Text>
        )}
      </div>
      {reverting !== undefined && <RevertDialog changes={reverting} head={head} stored={stored} onClose={() => setReverting(undefined)} />}
    </section>
  );
}

interface RevertDialogProps {
  readonly changes: readonly FieldChange[];
  readonly head: Revision;
  readonly stored: Answer<Upstream>;
  readonly onClose: () => void;
}

/** Puts back what a revision changed of this upstream, in a new revision. */
function RevertDialog({ changes, head, stored: { value: upstream, etag }, onClose }: RevertDialogProps) {
  const now = upstream as unknown as Readonly<Record<string, unknown>>;
  const restored = changes.filter(({ field }) => field !== 'auth_value');
  const revert = async (): Promise<void> => {
    const json = Object.fromEntries(restored.map(({ field, from }) => [field, from ?? null])) as Partial<UpstreamFields>;
    const options: CallOptions = { ifMatch: etag };
    const { revision } = await callApi('patch', '/admin/upstreams/:id', { param: { id: upstream.id }, json }, options);
    await invalidate('upstreams', 'traffic', 'events');
    tellChange({
      message: `What revision ${head.revision} changed of ${upstream.name} is as it was before.`,
      revision,
      undone: `${upstream.name} is as it was before reverting.`,
    });
  };
  return (
    <ConfirmDialog title={`Revert what revision ${head.revision} changed?`} confirm="Revert" onConfirm={revert} onClose={onClose}>
      <Stack gap="sm">
        <FieldChanges
          label="What is put back"
          before="Now"
          after="After reverting"
          changes={restored.map(({ field, from }) => ({ field, from: now[field], to: from }))}
        />
        {restored.length < changes.length && (
          <Text size="sm">
            The credential of then is not put back: only a rollback of the whole gateway config, on History, can do that.
          </Text>
        )}
        <Text size="sm" c="dimmed">
          Other fields stay as they are, and so does everything else. This makes a new revision.
        </Text>
      </Stack>
    </ConfirmDialog>
  );
}

/** What a revision did to this upstream, also where it bore another name then. */
function changeOf(detail: RevisionDetail, head: Revision, upstream: Upstream): RevisionDetail['changes'][number] | undefined {
  const ours = detail.changes.filter(({ type }) => type === 'upstream');
  const named = new Set(head.changes.filter(({ type }) => type === 'upstream').map(({ name }) => name));
  return (
    ours.find(({ name }) => name === upstream.name) ??
    (ours.length === 1 ? ours[0] : ours.find(({ name }) => named.size === 1 && named.has(name)))
  );
}
