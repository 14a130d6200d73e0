import { useEffect, useState } from 'react';

const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

export interface TimeAgoProps {
  /** ISO 8601. */
  readonly time: string;
  /** "3 s ago", where there is little room. */
  readonly short?: boolean;
}

/** "3 minutes ago", "in 2 days"; the whole time on hover and for machines. Keeps up with the clock. */
export function TimeAgo({ time, short = false }: TimeAgoProps) {
  const [now, setNow] = useState(Date.now);
  const at = Date.parse(time);
  const isRecent = Math.abs(at - now) < 120_000;
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), isRecent ? 1_000 : 30_000);
    return () => clearInterval(timer);
  }, [isRecent]);
  return (
    <time dateTime={time} title={new Date(at).toLocaleString()}>
      {short ? shortAgoOf(now - at) : agoOf(at - now)}
    </time>
  );
}

function agoOf(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (Math.abs(seconds) < 2) return 'just now';
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? units[3];
  return format.format(Math.trunc(seconds / size), unit);
}

const letters = { day: 'd', hour: 'h', minute: 'min', second: 's' } as const;

/** Of what has been; a clock that is a little ahead makes it now. */
function shortAgoOf(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 2) return 'now';
  const [unit, size] = units.find(([, size]) => seconds >= size) ?? units[3];
  return `${Math.trunc(seconds / size)} ${letters[unit]} ago`;
}
