/** `14:03:09.120` in the browser's time zone. */
export function clockText(time: string): string {
  const at = new Date(time);
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

/** `0.4 ms`, `12 ms`, `1.25 s`, `3 min 4 s`: three figures at most, with the unit. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 0.05) return '< 0.1 ms';
  if (milliseconds < 10) return `${round(milliseconds, 1)} ms`;
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 10_000) return `${round(milliseconds / 1_000, 2)} s`;
  if (milliseconds < 120_000) return `${round(milliseconds / 1_000, 1)} s`;
  const seconds = Math.round(milliseconds / 1_000);
  return seconds < 7_200
    ? `${Math.floor(seconds / 60)} min ${seconds % 60} s`
    : `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
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
  return `${round(size, size < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

function round(value: number, digits: number): string {
  return String(Math.round(value * 10 ** digits) / 10 ** digits);
}
