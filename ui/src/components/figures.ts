/** Numbers as people read them, each with its unit. */

/** Requests a second: `0/s`, `0.4/s`, `12/s`, `1.2k/s`. */
export function rateText(perSecond: number): string {
  if (perSecond >= 1_000) return `${(perSecond / 1_000).toFixed(1)}k/s`;
  if (perSecond === 0 || perSecond >= 10) return `${Math.round(perSecond)}/s`;
  return `${perSecond.toFixed(1)}/s`;
}

/** A time that something took: `0.8 ms`, `35 ms`, `1.25 s`, `3 min 4 s`; three figures at most. */
export function tookText(ms: number): string {
  if (ms < 0.05) return ms === 0 ? '0 ms' : '< 0.1 ms';
  if (ms < 10) return `${rounded(ms, 1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${rounded(ms / 1_000, ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1_000);
  return seconds < 7_200
    ? `${Math.floor(seconds / 60)} min ${seconds % 60} s`
    : `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/** A setting in milliseconds, to the last one: `30 s`, `1 min 30 s`, `250 ms`. */
export function durationText(ms: number): string {
  const parts: string[] = [];
  let left = ms;
  for (const [unit, size] of [
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.length === 0 ? '0 ms' : parts.join(' ');
}

/** A share of 0 to 1: `0 %`, `0.02 %`, `7 %`; `—` of nothing. Never `0 %` for a few errors among many requests. */
export function shareText(share: number | null): string {
  if (share === null) return '—';
  const percent = share * 100;
  if (percent === 0 || percent >= 10) return `${Math.round(percent)} %`;
  return percent < 0.01 ? '< 0.01 %' : `${rounded(percent, 2)} %`;
}

/** `512 B`, `3.4 KB`, `12 MB`; of 1,024 each. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1_000 && unit < units.length - 1) {
    size /= 1_024;
    unit += 1;
  }
  return `${rounded(size, size < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

/** `14:03:09.120` in the browser's time zone. */
export function clockText(time: string): string {
  const at = new Date(time);
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

function rounded(value: number, digits: number): string {
  return String(Math.round(value * 10 ** digits) / 10 ** digits);
}
