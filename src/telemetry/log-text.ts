/** Levels of log lines, most important last. */
export const lineLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LineLevel = (typeof lineLevels)[number];

/** Lines below this level are left out; `silent` leaves all out. */
export type LogLevel = LineLevel | 'silent';

export type LogFormat = 'json' | 'text';

/**
 * A text as the inside of a JSON string, and as a safe piece of a line on a terminal: only visible ASCII comes out, all else
 * (quotes, control bytes, escape sequences, line ends, other scripts) as `\u` escapes. Longer texts are cut.
 */
export function escapeText(text: string, maxLength: number): string {
  if (text.length > maxLength) return `${escapeText(text.slice(0, maxLength), maxLength)}...`;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character < 0x20 || character > 0x7e || character === 0x22 || character === 0x5c) return escapeSlowly(text);
  }
  return text;
}

/** ISO 8601 in UTC with milliseconds, some twenty times cheaper than toISOString where times follow one another. */
export function isoTime(epochMs: number): string {
  const second = Math.floor(epochMs / 1000);
  if (second !== cachedSecond) {
    cachedSecond = second;
    cachedPrefix = new Date(second * 1000).toISOString().slice(0, 20);
  }
  const ms = Math.floor(epochMs) - second * 1000;
  return `${cachedPrefix}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}

let cachedSecond = Number.NaN;
let cachedPrefix = '';

function escapeSlowly(text: string): string {
  let escaped = '';
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === 0x22) escaped += '\\"';
    else if (character === 0x5c) escaped += '\\\\';
    else if (character < 0x20 || character > 0x7e) escaped += `\\u${character.toString(16).padStart(4, '0')}`;
    else escaped += text[i];
  }
  return escaped;
}
