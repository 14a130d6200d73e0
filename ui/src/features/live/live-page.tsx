import { Box, Button, Group, Kbd, Stack, Text } from '@mantine/core';
import { rateText } from '../../components/figures.ts';
import { usePageHotkey } from '../../components/use-page-hotkey.ts';
import { IconBroadcast, IconFilterOff, IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { CommandLine } from '../../components/command-line.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { RequestTable } from '../../components/request-table.tsx';
import { useRouteSample } from '../../components/use-route-sample.ts';
import { LiveFilters, type LiveFiltersProps } from './live-filters.tsx';
import { tailCommand } from './live-search.ts';
import { LookUpRequest } from './look-up-request.tsx';
import { maxRows, type TailState } from './request-tail.ts';
import { useRequestTail } from './use-request-tail.ts';

/** A tail of requests as they end. */
export function LivePage() {
  const search = useSearch({ from: '/shell/live' });
  const navigate = useNavigate();
  const { tail, state } = useRequestTail(search);
  const [isPaused, setPaused] = useState(false);
  const [isPointedAt, setPointedAt] = useState(false);
  const [hasFocus, setFocus] = useState(false);
  const isEmpty = state.rows?.length === 0;
  const held = isPaused || (!isEmpty && (isPointedAt || hasFocus));
  useEffect(() => tail.hold(held), [tail, held]);
  usePageHotkey('p', () => setPaused((before) => !before));
  const change = (changes: Parameters<LiveFiltersProps['onChange']>[0]): void => {
    const next = Object.fromEntries(Object.entries({ ...search, ...changes }).filter(([, value]) => value !== undefined && value !== ''));
    void navigate({ to: '/live', search: next, replace: true });
  };
  const clear = (): void => void navigate({ to: '/live', search: {}, replace: true });
  const isRefused = state.problem !== undefined && state.problem.status >= 400;
  return (
    <>
      <PageHeader
        title="Live"
        description="Requests as they end, newest first. Nothing of their query, headers or body is kept."
        actions={<LookUpRequest />}
      />
      <Stack gap="sm">
        <LiveFilters search={search} onChange={change} onClear={clear} />
        <Group justify="space-between" gap="xs">
          <TailStatus state={state} isPaused={isPaused} held={held} />
          <Group gap="xs">
            <Button variant="subtle" size="xs" onClick={() => tail.clear()} disabled={state.rows === undefined || isEmpty}>
              Clear the list
            </Button>
            <Button
              variant={isPaused ? 'filled' : 'default'}
              size="xs"
              aria-keyshortcuts="p"
              rightSection={
                <Kbd aria-hidden visibleFrom="sm" size="xs">
                  p
                </Kbd>
              }
              leftSection={isPaused ? <IconPlayerPlay size={14} aria-hidden /> : <IconPlayerPause size={14} aria-hidden />}
              onClick={() => setPaused(!isPaused)}
            >
              {isPaused ? 'Resume' : 'Pause'}
            </Button>
          </Group>
        </Group>
        {isRefused && state.problem !== undefined && <ErrorState problem={state.problem} />}
        <Box
          onPointerEnter={(event) => setPointedAt(event.pointerType === 'mouse')}
          onPointerLeave={() => setPointedAt(false)}
          onFocus={() => setFocus(true)}
          onBlur={() => setFocus(false)}
        >
          {isEmpty ? (
            <NoRequests isFiltered={Object.keys(search).length > 0} onClear={clear} />
          ) : (
            (!isRefused || state.rows !== undefined) && <RequestTable label="Requests" rows={state.rows} />
          )}
        </Box>
        <Text size="sm" c="dimmed">
          {state.rows !== undefined && state.rows.length >= maxRows
            ? `The newest ${maxRows} are shown.`
            : `${count(state.rows?.length ?? 0, 'request')} shown.`}
        </Text>
        <Text size="sm" c="dimmed" mt="sm">
          The same in a terminal:
        </Text>
        <CommandLine text={tailCommand(search)} what="the command" />
      </Stack>
    </>
  );
}

/** What the stream does, in words. Read out only when it changes in kind, never with every figure. */
function TailStatus({ state, isPaused, held }: { readonly state: TailState; readonly isPaused: boolean; readonly held: boolean }) {
  const { connection, perSecond, waiting, dropped, seen } = state;
  const word =
    connection === 'connecting'
      ? 'Connecting'
      : connection === 'lost'
        ? 'Interrupted: trying again'
        : isPaused
          ? 'Paused'
          : held
            ? 'Holds still'
            : 'Live';
  const tone =
    connection === 'lost' ? 'var(--tone-danger)' : connection === 'live' && !held ? 'var(--tone-success)' : 'var(--mantine-color-dimmed)';
  return (
    <Group gap="xs" mih={30}>
      <Group gap={6} role="status" wrap="nowrap">
        <IconBroadcast size={16} color={tone} aria-hidden />
        <Text size="sm" fw={600}>
          {word}
        </Text>
      </Group>
      <Text size="sm" c="dimmed" style={{ fontVariantNumeric: 'tabular-nums' }}>
        {rateText(perSecond)} · {count(seen, 'request')} since you came
        {waiting > 0 && ` · ${waiting.toLocaleString('en')} waiting${isPaused ? '' : ' while you point at the list'}`}
      </Text>
      {dropped > 0 && (
        <Text size="sm" c="var(--tone-warning)" fw={600}>
          {count(dropped, 'request')} left out: too many at once
        </Text>
      )}
    </Group>
  );
}

function NoRequests({ isFiltered, onClear }: { readonly isFiltered: boolean; readonly onClear: () => void }) {
  const sample = useRouteSample();
  if (isFiltered) {
    return (
      <EmptyState
        icon={IconFilterOff}
        title="No request matches"
        description="None of those kept, and none since. New ones appear by themselves."
      >
        <Button variant="default" onClick={onClear}>
          Show all requests
        </Button>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={IconBroadcast} title="Waiting for the first request" description="Send one, and it appears here by itself.">
      <CommandLine text={`curl -i ${sample}`} what="the command" />
    </EmptyState>
  );
}

function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
}
