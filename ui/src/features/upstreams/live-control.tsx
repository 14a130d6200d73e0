import { Button, Group, Text } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import { useObservable } from '../../api/observable-value.ts';
import { awaySince } from '../../api/session-state.ts';
import { pauseLive, useLive, type LiveMode } from '../../api/use-live.ts';
import { clockText } from '../../components/local-time.ts';

const words: Readonly<Record<LiveMode, string>> = {
  connecting: 'Connecting…',
  live: 'Live: figures move by themselves',
  polling: 'Figures are read every 5 s',
  paused: 'Paused: figures stand still',
};

/** Says whether what one sees moves, and stops it. */
export function LiveControl() {
  const { mode } = useLive();
  const away = useObservable(awaySince);
  const paused = mode === 'paused';
  const Icon = paused ? IconPlayerPlay : IconPlayerPause;
  return (
    <Group gap="xs" wrap="nowrap">
      <Text size="sm" c="dimmed" data-live={mode}>
        {away === undefined ? words[mode] : `Old figures, of ${clockText(away)}`}
      </Text>
      <Button size="xs" variant="default" leftSection={<Icon size={14} aria-hidden />} onClick={() => pauseLive(!paused)}>
        {paused ? 'Resume' : 'Pause'}
      </Button>
    </Group>
  );
}
