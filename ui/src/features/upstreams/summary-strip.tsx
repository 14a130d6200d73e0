import { UnstyledButton } from '@mantine/core';
import classes from './summary-strip.module.css';
import type { HealthState, UpstreamRow } from './upstream-row.ts';

export interface SummaryStripProps {
  readonly rows: readonly UpstreamRow[];
  /** undefined: all of them. */
  readonly chosen: HealthState | undefined;
  readonly onChoose: (state: HealthState | undefined) => void;
}

const parts = [
  ['healthy', 'healthy'],
  ['failing', 'failing'],
  ['unknown', 'unknown'],
  ['disabled', 'disabled'],
] as const;

/** "12 upstreams · 10 healthy · 1 failing · 1 disabled"; each part shows just those. */
export function SummaryStrip({ rows, chosen, onChoose }: SummaryStripProps) {
  const counts = Map.groupBy(rows, ({ state }) => state);
  const shown = parts.filter(([state]) => counts.has(state) || state === chosen);
  return (
    <div className={classes['strip']} role="group" aria-label="Show upstreams by state">
      <UnstyledButton className={classes['part']} aria-pressed={chosen === undefined} onClick={() => onChoose(undefined)}>
        {rows.length} {rows.length === 1 ? 'upstream' : 'upstreams'}
      </UnstyledButton>
      {shown.map(([state, word]) => (
        <UnstyledButton
          key={state}
          className={`${classes['part']} ${classes[state] ?? ''}`}
          aria-pressed={chosen === state}
          onClick={() => onChoose(chosen === state ? undefined : state)}
        >
          {counts.get(state)?.length ?? 0} {word}
        </UnstyledButton>
      ))}
    </div>
  );
}
