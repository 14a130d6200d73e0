/** Numbers as people read them, each with its unit. */

/** Requests a second: `0`, `0.4`, `12`, `1.2k`, with `/s`. */
export function rateText(perSecond: number): string {
  if (perSecond >= 1_000) return `${(perSecond / 1_000).toFixed(1)}k/s`;
  if (perSecond === 0 || perSecond >= 10) return `${Math.round(perSecond)}/s`;
  return `${perSecond.toFixed(1)}/s`;
}

/** A time that something took: `0.8 ms`, `35 ms`, `1.25 s`. */
export function tookText(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return `${Number((ms / 1_000).toFixed(2))} s`;
}

/** A share of 0 to 1: `0 %`, `0.02 %`, `7 %`. Never `0 %` for a few errors among many requests. */
export function shareText(share: number): string {
  const percent = share * 100;
  if (percent === 0 || percent >= 10) return `${Math.round(percent)} %`;
  return percent < 0.01 ? '< 0.01 %' : `${Number(percent.toFixed(2))} %`;
}

/** A setting in milliseconds, in larger units: `30 s`, `1 min 30 s`, `250 ms`. */
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
